"""A small trained model of molecules that tests share; none of them changes it."""

from __future__ import annotations

from pathlib import Path

import pytest

import vaehub
from vaehub.run import Run
from vaehub_molecules.use.latent_space import LatentSpace

ATOMS = ["C", "N", "O", "CC", "C(=O)", "c1ccccc1", "C(C)C", "OC", "NC", "F", "Cl"]
SMALL = {
    "encoder": {"name": "gru", "embedding": 32, "width": 64},
    "decoder": {"name": "gru", "embedding": 32, "width": 96, "word_dropout": 0.0},
    "likelihood": "categorical",
    "latent": 16,
    "objective": {"name": "predictive", "base": {"name": "elbo", "beta": 0.02}, "weight": 0.3},
    "optimizer": {"lr": 5e-3},
    "train": {"epochs": 12, "batch_size": 32, "score_rows": 0, "monitor": "val_exact"},
}


def alcohols() -> list[str]:
    """Some hundreds of small molecules, in canonical form."""
    from rdkit import Chem

    raw = [f"{a}{b}{c}" for a in ATOMS[3:9] for b in ATOMS for c in ATOMS]
    raw += [f"{a}c1ccc({b})cc1" for a in ATOMS[:9] for b in ATOMS[:9]]
    mols = [Chem.MolFromSmiles(text, sanitize=True) for text in raw]
    return sorted({Chem.MolToSmiles(mol) for mol in mols if mol is not None})


@pytest.fixture(scope="session")
def molecules_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of small molecules."""
    path = tmp_path_factory.mktemp("data") / "small.smi"
    path.write_text("\n".join(alcohols()) + "\n")
    return path


@pytest.fixture(scope="session")
def run(molecules_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A SMILES VAE with heads for logP and the number of heavy atoms."""
    domain = {"name": "smiles", "path": str(molecules_file), "properties": ["logp", "heavy"]}
    return vaehub.train({"domain": domain, **SMALL}, out=tmp_path_factory.mktemp("runs") / "small")


@pytest.fixture(scope="session")
def space(run: Run) -> LatentSpace:
    """The same as a map between molecules and codes."""
    return LatentSpace(run)

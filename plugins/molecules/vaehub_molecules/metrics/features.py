"""What the measures need to know of every molecule, found in one pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from rdkit.Chem import FragmentOnBRICSBonds, Mol, MolFromSmiles, MolToSmiles
from rdkit.Chem.Scaffolds.MurckoScaffold import GetScaffoldForMol

from vaehub_molecules.chem.fingerprints import fingerprints
from vaehub_molecules.chem.parallel import parallel_map
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.prechecks import check_text
from vaehub_molecules.chem.properties import PROPERTIES
from vaehub_molecules.chem.rdkit_log import silence_rdkit
from vaehub_molecules.chem.reasons import Rejected
from vaehub_molecules.metrics.filters import passes_filters

PROPERTY_COLUMNS = {"logP": "logp", "SA": "sa", "QED": "qed", "weight": "mw"}  # the names of MOSES and ours
MAX_LENGTH = Policy().max_length
BITS = 1_024  # of a fingerprint, as in MOSES
MIN_RINGS = 2  # scaffolds with fewer rings are not counted


class Features(NamedTuple):
    """One valid molecule."""

    smiles: str  # canonical
    print: Any  # packed bits of ECFP4 (BITS / 8)
    fragments: tuple[str, ...]
    scaffold: str
    passes: bool
    values: tuple[float, ...]  # in the order of VALUES


@final
@dataclass(frozen=True)
class FeatureSet:
    """N valid molecules, as often as each was drawn."""

    smiles: list[str]
    prints: NDArray[np.uint8]  # (N, BITS / 8)
    fragments: Mapping[str, int]
    scaffolds: Mapping[str, int]
    passes: NDArray[np.bool_]
    values: Mapping[str, NDArray[np.float64]]

    @staticmethod
    def of(smiles: Sequence[str], workers: int | None = None) -> FeatureSet:
        """The valid ones of these, in order; each text is looked at once, many in `workers` processes."""
        distinct = list(dict.fromkeys(smiles))
        by_text = dict(zip(distinct, parallel_map(features_of, distinct, workers), strict=True))
        valid = [features for text in smiles if (features := by_text[text]) is not None]
        values = np.array([molecule.values for molecule in valid], dtype=float).reshape(len(valid), len(PROPERTY_COLUMNS))
        return FeatureSet(
            [molecule.smiles for molecule in valid],
            np.array([molecule.print for molecule in valid], dtype=np.uint8).reshape(len(valid), BITS // 8),
            Counter(fragment for molecule in valid for fragment in molecule.fragments),
            Counter(molecule.scaffold for molecule in valid if molecule.scaffold),
            np.array([molecule.passes for molecule in valid], dtype=bool),
            dict(zip(PROPERTY_COLUMNS, values.T, strict=True)),
        )

    def __len__(self) -> int:
        return len(self.smiles)


def features_of(text: str) -> Features | None:
    """Everything of one molecule, of its canonical SMILES; None where it is not valid."""
    smiles = valid_smiles(text)
    if smiles is None:
        return None
    mol = MolFromSmiles(smiles)
    return Features(
        smiles,
        np.packbits(fingerprints([smiles], size=BITS, counts=False)[0]),
        fragments(mol),
        scaffold(mol),
        passes_filters(mol),
        tuple(float(PROPERTIES[name](mol)) for name in PROPERTY_COLUMNS.values()),
    )


def valid_smiles(text: str) -> str | None:
    """Canonical SMILES of what RDKit can read; None for anything else, for nothing at all, and for what may hang a parser."""
    silence_rdkit()
    try:
        check_text(text, MAX_LENGTH)
    except Rejected:
        return None
    mol = MolFromSmiles(text)
    return None if mol is None or MolFromSmiles(smiles := MolToSmiles(mol)) is None else smiles


def fragments(mol: Mol) -> tuple[str, ...]:
    """Pieces between retrosynthetically interesting bonds.

    "On the Art of Compiling and Using 'Drug-Like' Chemical Fragment Spaces" (Degen et al., 2008), doi:10.1002/cmdc.200800178.
    """
    return tuple(MolToSmiles(FragmentOnBRICSBonds(mol)).split("."))


def scaffold(mol: Mol) -> str:
    """The rings and what links them, "" where there are fewer than two.

    "The Properties of Known Drugs. 1. Molecular Frameworks" (Bemis & Murcko, 1996), doi:10.1021/jm9602928.
    """
    core = GetScaffoldForMol(mol)  # type: ignore[no-untyped-call]
    return MolToSmiles(core) if core.GetRingInfo().NumRings() >= MIN_RINGS else ""

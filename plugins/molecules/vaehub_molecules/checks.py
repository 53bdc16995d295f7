"""What the doctor looks for in models of molecules: what a grammar cannot make true by itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcExactMolWt

from vaehub import TrainedModel, evaluation, seeded
from vaehub_molecules.codec import molecule_codec_of
from vaehub_molecules.domains.molecule_domain import MoleculeDomain
from vaehub_molecules.use.evaluation import draw_rows, exact_share

DRAWN = 200  # samples that are looked at, and as many training molecules beside them
RETURNED = 0.05  # share of unseen molecules that should come back exactly
ODD = 0.2  # share of drawn molecules, beyond that of training molecules, with rings of a size that these hardly have
HEAVIER = 1.0  # standard deviations of the training molecules by which the mean weight may be off


def little_comes_back(c: evaluation.Checkup) -> evaluation.Finding | None:
    """Unseen molecules that do not come back from their codes."""
    share = exact_share(c.run.vae, c.some("val"), DRAWN)
    if share >= RETURNED:
        return None
    evidence = f"{share:.1%} of {DRAWN} unseen molecules come back exactly"
    return evaluation.Finding("no reconstruction", "warning", evidence, "train longer, raise latent, or lower objective.beta")


def odd_rings(c: evaluation.Checkup) -> evaluation.Finding | None:
    """Drawn molecules with rings of a size that training molecules hardly have: a grammar makes such strings valid, not sensible."""
    drawn, trained = (np.mean([has_odd_ring(m) for m in some]) for some in (sampled_molecules(c.run), training_molecules(c.run)))
    if not drawn - trained > ODD:
        return None
    evidence = (
        f"{drawn:.0%} of {DRAWN} drawn molecules have a ring of 3, 4 or more than 6 atoms, {trained:.0%} of training molecules"
    )
    return evaluation.Finding(
        "odd rings", "warning", evidence, "train longer, and sample at a lower temperature; valid strings are no proof"
    )


def odd_weights(c: evaluation.Checkup) -> evaluation.Finding | None:
    """Drawn molecules much heavier or lighter than training molecules."""
    drawn, trained = ([CalcExactMolWt(m) for m in some] for some in (sampled_molecules(c.run), training_molecules(c.run)))
    if not drawn or not trained or abs(np.mean(drawn) - np.mean(trained)) <= HEAVIER * np.std(trained):
        return None
    evidence = f"drawn molecules weigh {np.mean(drawn):.0f} on average, training molecules {np.mean(trained):.0f} +- {np.std(trained):.0f}"
    return evaluation.Finding("odd weights", "warning", evidence, "train longer, or learn the prior (prior=flow)")


def has_odd_ring(molecule: Chem.Mol) -> bool:
    """Whether a ring has 3, 4 or more than 6 atoms."""
    return any(len(ring) not in (5, 6) for ring in molecule.GetRingInfo().AtomRings())


@lru_cache(maxsize=1)
def sampled_molecules(run: TrainedModel) -> list[Chem.Mol]:
    """Molecules drawn from the prior, those that are none left out."""
    with seeded("diagnose", "molecules"):
        return parsed(molecule_codec_of(run.codec).vocabulary.strings(draw_rows(run.vae, run.data("val"), DRAWN)))


@lru_cache(maxsize=1)
def training_molecules(run: TrainedModel) -> list[Chem.Mol]:
    """As many training molecules."""
    return parsed(run.domain.train["smiles"].head(DRAWN).tolist() if isinstance(run.domain, MoleculeDomain) else [])


def parsed(smiles: Sequence[str]) -> list[Chem.Mol]:
    """The molecules among strings."""
    return [molecule for molecule in map(Chem.MolFromSmiles, smiles) if molecule is not None]


CHECKS: tuple[evaluation.Check, ...] = (little_comes_back, odd_rings, odd_weights)

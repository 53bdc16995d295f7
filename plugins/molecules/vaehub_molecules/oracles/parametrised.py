"""Oracles with a parameter: `name:parameter`."""

from __future__ import annotations

from collections.abc import Callable

from vaehub import UsageError
from vaehub_molecules.chem.fingerprints import parse_molecule
from vaehub_molecules.oracles.isomers import isomers
from vaehub_molecules.oracles.modifiers import Clipped, GeometricMean
from vaehub_molecules.oracles.terms import Similarity, Term

SIMILARITY_THRESHOLD = 0.7  # GuacaMol's threshold for its similarity tasks


def similarity(target: str) -> Term:
    """min(1, T_ECFP4(x, target) / 0.7)."""
    return Clipped(Similarity(checked_target(target)), SIMILARITY_THRESHOLD)


def rediscovery(target: str) -> Term:
    """T_ECFP4(x, target)."""
    return Similarity(checked_target(target))


def median(targets: str) -> Term:
    """Geometric mean of T_ECFP4 to two or more molecules "A,B"."""
    several = targets.split(",")
    if len(several) < 2:
        raise UsageError(f"median:{targets}: the median of one molecule is that molecule; give two with a comma between")
    return GeometricMean(tuple(Similarity(checked_target(target)) for target in several))


def checked_target(target: str) -> str:
    """A target as it was given. Raises UsageError where RDKit cannot read it, or it has no atoms."""
    try:
        atoms = parse_molecule(target).GetNumAtoms()
    except ValueError as error:
        raise UsageError(f"{error}; give the target of the objective as valid SMILES") from error
    if not atoms:
        raise UsageError("the target of the objective is empty; give it as SMILES after the colon")
    return target


FAMILIES: dict[str, Callable[[str], Term]] = {
    "similarity": similarity,
    "rediscovery": rediscovery,
    "isomers": isomers,
    "median": median,
}

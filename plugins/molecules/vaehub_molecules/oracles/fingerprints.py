"""The unfolded fingerprints that similarity scores compare."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from rdkit.Chem import Mol
from rdkit.Chem import rdFingerprintGenerator as generators
from rdkit.Chem.Pharm2D import Gobbi_Pharm2D
from rdkit.Chem.Pharm2D.Generate import Gen2DFingerprint


@cache
def morgan_generator(radius: int, features: bool) -> Any:
    """The generator of circular fingerprints by element, or by what an atom can do (donor, acceptor, …)."""
    invariants = generators.GetMorganFeatureAtomInvGen() if features else None
    return generators.GetMorganGenerator(radius=radius, atomInvariantsGenerator=invariants)


@cache
def atom_pair_generator() -> Any:
    """The generator of pairs of atoms at most 10 bonds apart."""
    return generators.GetAtomPairGenerator(maxDistance=10)


FINGERPRINTS: dict[str, Callable[[Mol], Any]] = {
    "ECFP4": lambda mol: morgan_generator(2, False).GetSparseCountFingerprint(mol),
    "ECFP6": lambda mol: morgan_generator(3, False).GetSparseCountFingerprint(mol),
    "FCFP4": lambda mol: morgan_generator(2, True).GetSparseCountFingerprint(mol),
    "AP": lambda mol: atom_pair_generator().GetSparseCountFingerprint(mol),
    "PHCO": lambda mol: Gen2DFingerprint(mol, Gobbi_Pharm2D.factory),  # type: ignore[no-untyped-call]
}

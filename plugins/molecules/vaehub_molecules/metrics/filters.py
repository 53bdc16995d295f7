"""The medicinal chemistry filters of MOSES: what a chemist would not buy."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rdkit.Chem import AddHs, Mol, MolFromSmarts, MolFromSmiles, MolToSmiles, PatternFingerprint
from rdkit.DataStructs import ConvertToNumpyArray

from vaehub_molecules.chem.rdkit_log import silence_rdkit

TABLE = Path(__file__).parent / "data" / "filters.csv"
ALLOWED = frozenset({"C", "N", "S", "O", "F", "Cl", "Br", "H"})
MAX_RING = 7


class Patterns(NamedTuple):
    """Queries (P), and the bits (P, bytes) that a molecule must have for one to match."""

    queries: tuple[Mol, ...]
    bits: NDArray[np.uint8]


def passes_filters(mol: Mol) -> bool:
    """Whether a molecule has no ring above seven atoms, no charge, only C N S O F Cl Br H, and none of 502 patterns (MCF and PAINS).

    "Molecular Sets (MOSES)" (Polykovskiy et al., 2020), doi:10.3389/fphar.2020.565644.

    >>> passes_filters(MolFromSmiles("CC(=O)Nc1ccc(O)cc1")), passes_filters(MolFromSmiles("C1CCCCCCC1"))
    (True, False)
    """
    silence_rdkit()
    if any(len(ring) > MAX_RING for ring in mol.GetRingInfo().AtomRings()):
        return False
    if any(atom.GetFormalCharge() or atom.GetSymbol() not in ALLOWED for atom in mol.GetAtoms()):
        return False
    return not has_pattern(AddHs(mol)) and survives_round_trip(mol)


def has_pattern(mol: Mol) -> bool:
    """Whether a molecule with its hydrogens has one of the patterns; only those are tried whose bits it has."""
    compiled = patterns()
    possible = ~(compiled.bits & ~pattern_bits(mol)).any(axis=1)
    return any(mol.HasSubstructMatch(compiled.queries[index]) for index in np.flatnonzero(possible))


def survives_round_trip(mol: Mol) -> bool:
    """Whether the molecule without stereochemistry can be written and read again."""
    smiles = MolToSmiles(mol, isomericSmiles=False)
    return bool(smiles) and MolFromSmiles(smiles) is not None


@cache
def patterns() -> Patterns:
    """All patterns, once per process."""
    queries = tuple(map(MolFromSmarts, pd.read_csv(TABLE)["smarts"]))
    return Patterns(queries, np.stack([pattern_bits(query) for query in queries]))


def pattern_bits(mol: Mol) -> Any:
    """Packed bits such that a pattern can match only where all of its own are set."""
    flags = np.zeros(0, dtype=np.uint8)
    ConvertToNumpyArray(PatternFingerprint(mol), flags)
    return np.packbits(flags)

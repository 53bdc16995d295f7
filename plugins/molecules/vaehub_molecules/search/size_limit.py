"""How large the molecules of a search may become where nobody says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rdkit.Chem import MolFromSmiles

DRUG_LIKE = 38  # heavy atoms, the most in ZINC250k
GROWTH = 1.2  # of the largest lead
LOOKED_AT = 1_000  # molecules of the pool


def default_max_heavy(leads: Sequence[str], pool: Sequence[str]) -> int:
    """Heavy atoms, at most: 38, or what 99 % of the pool keep to, or a fifth more than the largest lead, whichever is most.

    Most objectives grow with size, and without a limit the best molecules are far larger than any drug.

    >>> default_max_heavy(["CCO"], ["CCCO"]), default_max_heavy(["C" * 50], [])
    (38, 60)
    """
    some = pool[:: max(1, len(pool) // LOOKED_AT)]
    usual = np.quantile(heavy_atoms(some), 0.99, method="higher") if some else 0
    return int(max(DRUG_LIKE, usual, GROWTH * max(heavy_atoms(leads), default=0)))


def heavy_atoms(molecules: Sequence[str]) -> list[int]:
    """Of each molecule."""
    return [MolFromSmiles(smiles).GetNumHeavyAtoms() for smiles in molecules]

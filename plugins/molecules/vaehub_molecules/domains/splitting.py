"""Splits that depend on the molecules alone, not on the order of a file."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import pandas as pd


def hash_order(strings: Sequence[str], seed: int) -> np.ndarray:
    """Places of strings in an order drawn by their hash."""
    key = str(seed).encode()
    return np.argsort([blake2b(s.encode(), digest_size=8, key=key).digest() for s in strings], kind="stable")


def split_by_hash(frame: pd.DataFrame, val: float, test: float, seed: int, rows: int | None = None) -> dict[str, pd.DataFrame]:
    """train (of at most so many rows), val and test of a table with a column `smiles`; each share has a molecule at least.

    >>> parts = split_by_hash(pd.DataFrame({"smiles": ["C", "CC", "CCC", "CCCC"]}), val=0.25, test=0.25, seed=0)
    >>> {name: len(part) for name, part in parts.items()}
    {'val': 1, 'test': 1, 'train': 2}
    """
    ranked = hash_order(frame["smiles"].tolist(), seed)
    sizes = [max(1, round(share * len(frame))) for share in (val, test)]
    *held_out, train = np.split(ranked, np.cumsum(sizes))
    names = ("val", "test", "train")
    return {
        name: frame.iloc[np.sort(part)].reset_index(drop=True)
        for name, part in zip(names, (*held_out, train[:rows]), strict=True)
    }

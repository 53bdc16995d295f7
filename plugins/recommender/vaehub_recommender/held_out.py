"""What a split of interactions is made of: what a model learns from, and by what it is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from vaehub_recommender.tables.log import csr

Positions: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]


@final
@dataclass(frozen=True)
class Held:
    """Users who are judged: rows (B,) their positions; seen (B, I') what a model is shown of them, held (B, I') what it is to find."""

    rows: Positions
    seen: csr_array
    held: csr_array

    def __len__(self) -> int:
        return len(self.rows)


@final
@dataclass(frozen=True)
class Split:
    """Interactions to learn from: train (U', I') of the users at rows (U',) and the items at positions items (I',); to choose by; to be judged by.

    known: those who are judged are among the users to learn from. dropped: interactions of theirs with items that nobody else has.
    notes: what a reader of the results should know.
    """

    rows: Positions
    train: csr_array
    items: Positions
    val: Held
    test: Held
    known: bool
    dropped: int
    notes: tuple[str, ...] = ()


def subset(matrix: csr_array, keep: Bools) -> csr_array:
    """The entries that are kept (nnz,), in the same shape."""
    before = np.concatenate([[0], np.cumsum(keep, dtype=np.int64)])
    return csr(matrix.data[keep], matrix.indices[keep], before[matrix.indptr], matrix.shape)


def canonical(matrix: csr_array) -> csr_array:
    """The matrix with sorted columns and no stored zeros; itself, where it is so."""
    if matrix.has_canonical_format and matrix.data.all():
        return matrix
    tidy = matrix.copy()
    tidy.sum_duplicates()
    tidy.eliminate_zeros()
    return tidy


def occupied(matrix: csr_array) -> Positions:
    """Positions of the columns that have an entry."""
    return np.flatnonzero(np.bincount(matrix.indices, minlength=matrix.shape[1]))

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
class HeldOut:
    """Users who are judged, what a model is shown of them, and what it is to find.

    Arguments:
        users: (B,) their positions in the whole matrix.
        history: (B, I') interactions that the model is shown.
        targets: (B, I') interactions that it is to find.
    """

    users: Positions
    history: csr_array
    targets: csr_array

    def __len__(self) -> int:
        return len(self.users)


@final
@dataclass(frozen=True)
class Split:
    """Interactions to learn from, to choose by, and to be judged by.

    Arguments:
        users: (U',) positions of the users to learn from.
        train: (U', I') their interactions.
        items: (I',) positions of the items that are learnt from.
        val: what epochs and options are chosen by.
        test: what the model is judged by.
        known_users: those who are judged are among the users to learn from.
        dropped: interactions of theirs with items that nobody else has.
        notes: what a reader of the results should know.
    """

    users: Positions
    train: csr_array
    items: Positions
    val: HeldOut
    test: HeldOut
    known_users: bool
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

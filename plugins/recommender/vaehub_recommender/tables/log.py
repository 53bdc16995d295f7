"""A cleaned table of interactions: who had to do with what, how much, and when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from vaehub import UsageError
from vaehub_recommender.tables.cells import Positions
from vaehub_recommender.tables.decay import Decay
from vaehub_recommender.tables.ids import Ids
from vaehub_recommender.tables.times import Nanoseconds


@dataclass(frozen=True)
class Tally:
    """What a table held and what became of it."""

    rows: int
    below_rating: int  # rows that were left out
    duplicates: int  # rows that were merged into others
    users: int
    items: int
    interactions: int

    def lines(self) -> list[str]:
        """For people."""
        lines = [f"{self.rows:,} rows: {self.interactions:,} interactions of {self.users:,} users with {self.items:,} items"]
        lines += [f"{self.below_rating:,} rows below the rating left out"] if self.below_rating else []
        return lines + ([f"{self.duplicates:,} duplicate rows merged"] if self.duplicates else [])


@dataclass(frozen=True)
class Log:
    """Interactions by position: matrix (U, I) float32, columns sorted, indptr and indices int64; times (nnz,) aligned with its data."""

    users: Ids
    items: Ids
    matrix: csr_array
    times: Nanoseconds | None
    tally: Tally
    decay: Decay | None = None  # how the weights of the matrix depend on the times


class Merged(NamedTuple):
    """Pairs without duplicates, as a matrix, and the latest time of each."""

    matrix: csr_array
    times: Nanoseconds | None


def decayed(log: Log, half_life: float | None, recency: float) -> Log:
    """The log with its interactions counting less by age, from the latest of all, and by place. Raises UsageError for a log without times."""
    if half_life is None and not recency:
        return log
    if log.times is None:
        raise UsageError("half_life and recency need times; name their column with time=…")
    decay = Decay(half_life, recency, int(log.times.max()))
    return replace(log, matrix=weighed(log.matrix, decay.weights(log.matrix, log.times)), decay=decay)


def weighed(matrix: csr_array, weights: NDArray[Any]) -> csr_array:
    """The matrix with its entries (nnz,) multiplied."""
    return csr(np.asarray(matrix.data * weights, np.float32), matrix.indices, matrix.indptr, matrix.shape)


def merge(
    users: Positions,
    items: Positions,
    shape: tuple[int, int],
    weights: NDArray[np.float64] | None = None,
    times: Nanoseconds | None = None,
) -> Merged:
    """Pairs (R,) as rows of a matrix of `shape`: weights of duplicates add up, without weights each pair counts 1; the latest time is kept."""
    key = users * shape[1] + items
    order = np.argsort(key)
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    first = order[starts]
    data = np.ones(len(first), np.float32) if weights is None else sum_runs(weights[order], starts)
    latest = None if times is None else reduce_runs(np.maximum, times[order], starts)
    indptr = indptr_of(np.bincount(users[first], minlength=shape[0]))
    return Merged(csr(data, items[first], indptr, shape), latest)


def sum_runs(weights: NDArray[np.float64], starts: Positions) -> NDArray[np.float32]:
    """Sums of the runs, no larger than float32 can hold."""
    most = float(np.finfo(np.float32).max)
    return np.asarray(np.minimum(reduce_runs(np.add, weights, starts), most), np.float32)


def reduce_runs(how: np.ufunc, values: NDArray[Any], starts: Positions) -> NDArray[Any]:
    """Each run of values as one; there may be none."""
    return how.reduceat(values, starts) if len(starts) else values[:0]


def indptr_of(counts: NDArray[np.int64]) -> Positions:
    """Where the rows of a matrix begin and end, from how many entries each has: int64, as there may be more than 2^31."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def csr(data: NDArray[np.float32], indices: Positions, indptr: Positions, shape: tuple[int, int]) -> csr_array:
    """A matrix with sorted, distinct columns in each row, its indices int64 whatever its size."""
    matrix = csr_array((data, indices, indptr), shape=shape)
    matrix.indptr, matrix.indices = indptr, indices.astype(np.int64, copy=False)
    matrix.has_canonical_format = True
    return matrix

"""A cleaned table of interactions: who had to do with what, how much, and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from vaehub import UsageError
from vaehub_recommender.tables.cells import Positions, Values, rows_of_entries
from vaehub_recommender.tables.decay import Decay
from vaehub_recommender.tables.ids import Ids
from vaehub_recommender.tables.times import Nanoseconds
from vaehub_recommender.tables.transforms import WeightTransform


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


@final
@dataclass(frozen=True)
class UserItems:
    """Items of users, such as those that they have seen or that are blocked for them, over ids of their own.

    Users and items need not be among those that a model knows: they may become so later.

    Arguments:
        users: (U,) ids.
        items: (I,) ids.
        matrix: (U + 1, I) of ones, its last row empty, that of all other users.

    Example:
        >>> pairs = UserItems.of(["ann", "bob"], ["a", "b"])
        >>> pairs.over(Ids.of(["b", "c"])).rows(pd.Index(["bob", "cyd"])).toarray().tolist()
        [[1.0, 0.0], [0.0, 0.0]]
    """

    users: Ids
    items: Ids
    matrix: csr_array

    @staticmethod
    def of(users: Values, items: Values) -> UserItems:
        """From a column of users and one of items (R,)."""
        known_users, row = Ids.coded(users)
        known_items, column = Ids.coded(items)
        return UserItems(known_users, known_items, merge(row, column, (len(known_users) + 1, len(known_items))).matrix)

    @staticmethod
    def of_rows(users: Ids, items: Ids, matrix: csr_array) -> UserItems:
        """From a matrix (U, I) with sorted columns."""
        ends = np.append(matrix.indptr, matrix.indptr[-1:])
        return UserItems(users, items, csr(np.ones(matrix.nnz, np.float32), matrix.indices, ends, (len(users) + 1, len(items))))

    def pairs(self) -> tuple[Positions, Positions]:
        """Rows and columns of the pairs (n,)."""
        return rows_of_entries(self.matrix), self.matrix.indices

    def plus(self, other: UserItems) -> UserItems:
        """The pairs of both."""
        users, items = self.users.plus(other.users.values), self.items.plus(other.items.values)
        row, column = self.pairs()
        more_rows, more_columns = other.pairs()
        row = np.concatenate([row, users.positions(other.users.values)[more_rows]])
        column = np.concatenate([column, items.positions(other.items.values)[more_columns]])
        return UserItems(users, items, merge(row, column, (len(users) + 1, len(items))).matrix)

    def without(self, users: Values, pairs: UserItems | None) -> UserItems | None:
        """Without some users, and without some pairs; None where nothing is left."""
        row, column = self.pairs()
        keep = ~np.isin(row, self.users.positions(users))
        if pairs is not None:
            other_row, other_column = pairs.pairs()
            at = self.users.positions(pairs.users.values)[other_row], self.items.positions(pairs.items.values)[other_column]
            keep &= ~np.isin(row * len(self.items) + column, np.where(at[1] < 0, -1, at[0] * len(self.items) + at[1]))
        return UserItems.of(self.users.take(row[keep]), self.items.take(column[keep])) if keep.any() else None

    def over(self, items: Ids) -> UserItems:
        """The same over the items of a model; the others are left out."""
        row, column = self.pairs()
        at = items.positions(self.items.values)[column]
        return UserItems(self.users, items, merge(row[at >= 0], at[at >= 0], (self.matrix.shape[0], len(items))).matrix)

    def rows(self, users: pd.Index[Any]) -> csr_array | None:
        """What each of some users has seen (B, I); None where none of them is among its users."""
        at = self.users.positions(users)
        return None if (at < 0).all() else self.matrix[at]


@dataclass(frozen=True)
class Log:
    """Interactions by position: matrix (U, I) float32, columns sorted, indptr and indices int64; times (nnz,) aligned with its data.

    also_seen: pairs that count as seen and are not learnt from.
    """

    users: Ids
    items: Ids
    matrix: csr_array
    times: Nanoseconds | None
    tally: Tally
    also_seen: UserItems | None = None
    transform: WeightTransform | None = None  # how weights came to what the matrix holds
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


def undecayed(log: Log) -> Log:
    """The log with the weights that its interactions had before they were made to count less."""
    if log.decay is None or log.times is None:
        return log
    return replace(log, matrix=weighed(log.matrix, 1 / log.decay.weights(log.matrix, log.times)), decay=None)


def transformed(log: Log, transform: WeightTransform | None) -> Log:
    """The log with weights brought to another scale, by a transform that is fitted to them unless it was before."""
    if transform is None:
        return log
    matrix, fitted = log.matrix, transform.fit(log.matrix.data)
    counts = fitted(matrix.data).astype(np.float32)
    return replace(log, matrix=csr(counts, matrix.indices, matrix.indptr, matrix.shape), transform=fitted)


def untransformed(log: Log) -> Log:
    """The log with the weights of its table, before they were transformed and made to count less by age."""
    log = undecayed(log)
    if log.transform is None:
        return log
    matrix, most = log.matrix, float(np.finfo(np.float32).max)
    weights = np.minimum(log.transform.inverse(matrix.data), most).astype(np.float32)
    return replace(log, matrix=csr(weights, matrix.indices, matrix.indptr, matrix.shape), transform=None)


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


def together(first: UserItems | None, second: UserItems | None) -> UserItems | None:
    """The pairs of both, of which each may be absent."""
    if first is None or second is None:
        return second if first is None else first
    return first.plus(second)


def union(cells: Iterable[csr_array | None]) -> csr_array | None:
    """The cells of all matrices (B, I) that are there, as ones; None where there is no matrix. Some may lack the last items."""
    there = [matrix for matrix in cells if matrix is not None]
    if len(there) < 2:
        return there[0] if there else None
    rows = [rows_of_entries(matrix) for matrix in there]
    shape = there[0].shape[0], max(matrix.shape[1] for matrix in there)
    return merge(np.concatenate(rows), np.concatenate([matrix.indices for matrix in there]), shape).matrix

"""What users had to do with, in whichever form it is given, as rows over the items that a model knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from vaehub import UsageError, hints
from vaehub_recommender.tables.bad_rows import reject
from vaehub_recommender.tables.cells import Cells, Positions, coded
from vaehub_recommender.tables.columns import USER, Columns, find_column
from vaehub_recommender.tables.decay import Decay
from vaehub_recommender.tables.frames import as_frame, is_foreign
from vaehub_recommender.tables.given_ids import read_once, refuse_mask
from vaehub_recommender.tables.ids import Ids
from vaehub_recommender.tables.lists import FlatLists, flattened, holds_lists
from vaehub_recommender.tables.log import merge, weighed
from vaehub_recommender.tables.times import Nanoseconds, nanoseconds
from vaehub_recommender.tables.transforms import WeightTransform
from vaehub_recommender.tables.weights import weigh

Histories: TypeAlias = "pd.DataFrame | pd.Series[Any] | Mapping[Any, Iterable[Any]] | Iterable[Iterable[Any]] | csr_array"
EXAMPLES = 100  # of unknown entries are looked at
Place: TypeAlias = "Callable[[pd.Series[Any]], Positions]"


@final
@dataclass(frozen=True)
class History:
    """Histories of users (B,): matrix (B, I) float32 over the known items, unknown (B,) the number of entries that name none of them.

    also_seen (B, I): items below the rating, which count as seen; strangers: some of the entries that name no known item.
    """

    users: pd.Index[Any]
    matrix: csr_array
    unknown: Positions
    also_seen: csr_array | None = None
    strangers: tuple[Any, ...] = ()

    @staticmethod
    def of(
        users: pd.Index[Any],
        row: Positions,
        item: Positions,
        items: int,
        weights: NDArray[np.float64] | None = None,
        transform: WeightTransform | None = None,
        decay: Decay | None = None,
        times: Nanoseconds | None = None,
    ) -> History:
        """From pairs of rows and positions of items (n,), -1 for an item that is not known; without times they are in order."""
        known = item >= 0
        weights = None if weights is None else weights[known]
        order = None if decay is None else (np.arange(len(row)) if times is None else times)[known]
        matrix, latest = merge(row[known], item[known], (len(users), items), weights, order)
        if transform is not None:
            matrix.data = transform(matrix.data).astype(np.float32)
        if decay is not None and latest is not None:
            matrix = weighed(matrix, decay.weights(matrix, latest, dated=times is not None))
        return History(users, matrix, np.bincount(row[~known], minlength=len(users)))

    def __len__(self) -> int:
        return len(self.users)


def histories(given: Histories, items: Ids, columns: Columns | None = None, decay: Decay | None = None) -> History:
    """Histories in the order in which users first appear; duplicates are merged, unknown and missing items counted, empty histories kept.

    Arguments:
        given: a frame with a row for each pair, or one for each user with a list of items; {user: items}; a list of lists; a Series of lists; a
            sparse matrix (B, J), of which the numbers of the columns are the ids of the items where these are whole numbers, and else their
            positions in the model, J = I.
        items: the items that the model knows.
        columns: which column of a frame is what.
        decay: how much interactions count by their times; lists, and frames without times, are in order.

    Raises:
        UsageError: anything else, and a missing user.

    Example:
        >>> history = histories({"ann": ["a", "b"], "bob": ["c"]}, Ids.of(["a", "b"]))
        >>> history.users.tolist(), history.matrix.toarray().tolist(), history.unknown.tolist()
        (['ann', 'bob'], [[1.0, 1.0], [0.0, 0.0]], [0, 1])
    """
    columns = Columns() if columns is None else columns
    if isinstance(given, pd.DataFrame) or is_foreign(given):
        return of_frame(as_frame("histories", given), items, columns, decay)
    if isinstance(given, pd.Series):
        return of_lists(given.index, flattened(given), items, decay)
    if isinstance(given, Mapping):
        return of_lists(pd.Index(list(given), tupleize_cols=False), flattened(given.values()), items, decay)
    if issparse(given):
        return of_matrix(given, items, items.whole, columns.transform)
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise UsageError(
            f"histories: {hints.quoted(given)} given; give a frame, a dict of user: items, or a list of lists of items"
        )
    refuse_dense(given, items)
    lists = flattened(read_once(given))
    return of_items(pd.RangeIndex(len(lists.lengths)), lists.rows, lists.items, items, decay)


def refuse_dense(given: object, items: Ids) -> None:
    """Raise UsageError for a matrix of weights or flags that is not sparse: its rows would be read as lists of the ids 0 and 1."""
    if not isinstance(given, np.ndarray) or given.ndim != 2:
        return
    weights = given.dtype.kind in "fb" and items.values.dtype.kind != given.dtype.kind
    flags = given.dtype.kind in "iu" and given.shape[1] > 2 and bool(((given == 0) | (given == 1)).all())
    if given.size and (weights or flags):
        shape = " x ".join(map(str, given.shape))
        raise UsageError(
            f"histories: a dense matrix ({shape}, {given.dtype}) given; give scipy.sparse.csr_array(matrix), or lists of items"
        )


def of_frame(frame: pd.DataFrame, items: Ids, columns: Columns, decay: Decay | None = None) -> History:
    """From a row for each pair, or a list for each user."""
    known = columns.resolve_histories(list(frame.columns), timed=decay is not None)
    if holds_lists(frame[known.item]):
        return of_lists(frame.index if known.user is None else frame[known.user], flattened(frame[known.item]), items, decay)
    return of_pairs(frame, known, find_column(known.user, list(frame.columns), "user", USER), items.positions, len(items), decay)


def of_pairs(frame: pd.DataFrame, columns: Columns, user: str, place: Place, items: int, decay: Decay | None = None) -> History:
    """From a row for each pair; `place` gives the position of each item."""
    reject(frame[user].isna().to_numpy(bool), user, frame[user], "is no user", "drop such rows")
    row, users = coded(frame[user])
    item = place(frame[columns.item])
    strangers = some_strangers(frame[columns.item], item)
    weights, keep = weigh(frame, columns)
    times = None if columns.time is None else nanoseconds(frame[columns.time].reset_index(drop=True), columns.time)
    if keep is None:
        found = History.of(users, row, item, items, weights, columns.transform, decay, times)
        return replace(found, strangers=strangers)
    below = ~keep & (item >= 0)
    also_seen = merge(row[below], item[below], (len(users), items)).matrix if columns.seen != "learnt" and below.any() else None
    kept = History.of(users, row[keep], item[keep], items, None, None, decay, None if times is None else times[keep])
    return replace(kept, also_seen=also_seen, strangers=strangers)


def some_strangers(given: Cells | pd.Series[Any], item: Positions) -> tuple[Any, ...]:
    """Some of the cells (n,) that name no known item, of which there is -1 in place of a position (n,)."""
    at = np.flatnonzero(item < 0)[:EXAMPLES]
    return tuple(pd.Series(given).iloc[at].tolist()) if len(at) else ()


def of_lists(users: Any, lists: FlatLists, items: Ids, decay: Decay | None = None) -> History:
    """From a list for each user; several of one user are one history."""
    code, distinct = coded(users)
    if (code < 0).any():
        raise UsageError(f"history {int((code < 0).argmax())}: has no user; name each of them, or drop it")
    return of_items(distinct, code[lists.rows], lists.items, items, decay)


def of_items(users: pd.Index[Any], row: Positions, given: Cells, items: Ids, decay: Decay | None) -> History:
    """From items (n,) in order and the row of each."""
    refuse_mask("histories", given, items)
    item = items.positions(given)
    return replace(History.of(users, row, item, len(items), decay=decay), strangers=some_strangers(given, item))


def of_matrix(matrix: Any, items: Ids, by_id: bool, transform: WeightTransform | None = None) -> History:
    """From a matrix, users called 0, 1, …; the number of a column is the id of its item, or else the position (`by_id`)."""
    rows = csr_array(matrix, dtype=np.float32, copy=True)
    rows.eliminate_zeros()
    if not (np.isfinite(rows.data) & (rows.data > 0)).all():
        raise UsageError("histories: the matrix holds negative or infinite weights; those of interactions are above 0")
    if rows.shape[1] != len(items) and not by_id:
        raise UsageError(
            f"histories: a matrix of {rows.shape[1]:,} columns, the model knows {len(items):,} items; give one column for each"
        )
    pairs = rows.tocoo()
    row, column = pairs.row.astype(np.int64), pairs.col.astype(np.int64)
    item = items.positions(column) if by_id else column
    found = History.of(pd.RangeIndex(rows.shape[0]), row, item, len(items), pairs.data.astype(np.float64), transform)
    return replace(found, strangers=some_strangers(column, item))

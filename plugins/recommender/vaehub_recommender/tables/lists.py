"""Lists of items, one for each user, as one long column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.types as pat
from pandas.api import types

from vaehub import UsageError, hints
from vaehub_recommender.tables.cells import Cells, Positions, cells

LISTS = (list, np.ndarray, set)  # as cells of a table; a tuple there is an id


class FlatLists(NamedTuple):
    """The items of all rows (n,), and how many each row has (B,)."""

    items: Cells
    lengths: Positions

    @property
    def rows(self) -> Positions:
        """The row of each item (n,)."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)


def holds_lists(column: pd.Series[Any]) -> bool:
    """Whether a cell is a list of items, judged by the first that is not empty."""
    if isinstance(column.dtype, pd.ArrowDtype):
        return is_list(column.dtype.pyarrow_dtype)
    if not types.is_object_dtype(column.dtype):
        return False
    first = next((cell for cell in column if cell is not None and not (isinstance(cell, float) and np.isnan(cell))), None)
    return isinstance(first, LISTS)


def is_list(kind: Any) -> bool:
    """Whether cells of this Arrow type are lists."""
    return any(test(kind) for test in (pat.is_list, pat.is_large_list, pat.is_fixed_size_list))


def flattened(lists: Iterable[Any]) -> FlatLists:
    """Lists of items, one after the other; None is an empty one. Raises UsageError that names a row with something else."""
    rows = [row_items(cell, at) for at, cell in enumerate(lists)]
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    return FlatLists(concatenated([row for row in rows if len(row)]), lengths)


def row_items(cell: Any, at: int) -> Sequence[Any]:
    """The items of one row."""
    if isinstance(cell, list | tuple | np.ndarray):
        return cell  # type: ignore[return-value]
    if cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell)):
        return []
    if isinstance(cell, str | bytes) or not isinstance(cell, Iterable):
        raise UsageError(
            f"history {at}: {hints.quoted(cell)} is no list of items; give each user a list, such as [{hints.quoted(cell)}]"
        )
    return list(cell)


def concatenated(rows: Sequence[Sequence[Any]]) -> Cells:
    """All items in one column; arrays of one dtype keep it."""
    if rows and all(isinstance(row, np.ndarray) for row in rows) and len({row.dtype for row in rows}) == 1:  # type: ignore[attr-defined]
        return np.concatenate(rows)
    return cells(list(chain.from_iterable(rows)))

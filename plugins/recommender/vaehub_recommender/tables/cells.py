"""Cells of any kind as distinct values and their numbers: the one place that knows pandas' dtypes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types
from pandas.api.extensions import ExtensionArray
from scipy.sparse import csr_array

from vaehub import UsageError, hints

Positions: TypeAlias = NDArray[np.int64]
Values: TypeAlias = "pd.Series[Any] | pd.Index[Any] | NDArray[Any] | ExtensionArray | Sequence[Any]"
Cells: TypeAlias = "NDArray[Any] | ExtensionArray"


class Coded(NamedTuple):
    """codes (R,) into `distinct`, -1 where a cell is missing; `distinct` in order of first appearance, in the dtype of the cells."""

    codes: Positions
    distinct: pd.Index[Any]


def cells(values: Values | Iterable[Any]) -> Cells:
    """One column of cells, in the dtype it came with; a list gets that of its values where they are of one type."""
    if isinstance(values, pd.MultiIndex):
        return values.to_numpy()
    if isinstance(values, pd.Series | pd.Index):
        return values.to_numpy() if isinstance(values.dtype, np.dtype) else values.array
    if isinstance(values, np.ndarray | ExtensionArray):
        return values
    column = pd.Series(list(values), dtype=object)
    alike = len({type(value) for value in column}) == 1
    return cells(column.infer_objects()) if alike else column.to_numpy()


def coded(values: Values | Iterable[Any]) -> Coded:
    """Distinct values and the number of each cell. Raises UsageError for cells that nothing can look up, such as lists."""
    column = cells(values)
    if isinstance(column, pd.Categorical):
        return of_categories(column)
    try:
        index = as_index(indexable(column))
        codes, distinct = pd.factorize(index)
    except TypeError:
        raise UsageError(unhashable_cell(column)) from None
    return Coded(codes.astype(np.int64), as_index(distinct.array))


def as_index(column: Cells) -> pd.Index[Any]:
    """The cells as an index of the same dtype: left to itself, pandas makes text of objects, and levels of tuples."""
    return pd.Index(column, dtype=column.dtype, tupleize_cols=False)


def of_categories(column: pd.Categorical) -> Coded:
    """Those categories that occur, in the dtype of the categories."""
    codes, used = pd.factorize(column.codes.astype(np.int64))
    keep = used >= 0
    renumber = np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1)
    return Coded(renumber[codes].astype(np.int64), column.categories.take(used[keep]))


def indexable(column: Cells) -> Cells:
    """The cells in a dtype that pandas can index: no half precision, no fixed-width text, not sparse."""
    if isinstance(column.dtype, pd.SparseDtype):
        return np.asarray(column)
    if column.dtype == np.float16:
        return column.astype(np.float32)
    if isinstance(column, np.ndarray) and column.dtype.kind in "USV":
        return cells(column.tolist())
    return column


def unhashable_cell(column: Cells) -> str:
    """Which cell is no id."""
    for at, value in enumerate(column):
        try:
            hash(value)
        except TypeError:
            kind = type(value).__name__
            return f"row {at}: {hints.quoted(value)} ({kind}) is no id; ids are strings, numbers or other values that can be looked up"
    return f"values of dtype {column.dtype} are no ids; convert them to strings"


def as_int64(distinct: pd.Index[Any]) -> Positions | None:
    """Whole numbers as int64; None for all else, also for those that int64 cannot hold."""
    if not types.is_integer_dtype(distinct.dtype):
        return None
    try:
        return distinct.to_numpy(np.int64)
    except (OverflowError, ValueError):
        return None


def rows_of_entries(matrix: csr_array) -> Positions:
    """The row of every entry (nnz,)."""
    rows: Positions = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return rows

"""Tables of other libraries as frames of pandas: the one place that knows how they are handed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.sparse import issparse

from vaehub import UsageError, arguments, files
from vaehub_recommender.tables.columns import Columns
from vaehub_recommender.tables.lists import is_list


@runtime_checkable
class ArrowStream(Protocol):
    """A table that is handed over as Arrow (polars, pyarrow, DuckDB): "The Arrow C stream interface", Apache Arrow."""

    @property
    def columns(self) -> Any:
        """A table has columns; an array does not."""
        ...

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """A capsule with the table."""
        ...


@runtime_checkable
class ArrowColumn(Protocol):
    """A column that is handed over as Arrow (a Series of polars, a chunked array)."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """A capsule with the column."""
        ...


@runtime_checkable
class ToPandas(Protocol):
    """A table that makes a frame of itself (Spark, Modin, cuDF)."""

    @property
    def columns(self) -> Any:
        """A table has columns; an array does not."""
        ...

    def to_pandas(self) -> pd.DataFrame:
        """The frame."""
        ...


OWN = (pd.DataFrame, pd.Series, list, tuple, set, dict, str, int, np.ndarray)  # checks of protocols are slow
Frame: TypeAlias = "pd.DataFrame | ArrowStream | ToPandas"


def is_foreign(given: object) -> bool:
    """Whether this is a table of another library than pandas."""
    return not isinstance(given, OWN) and isinstance(given, ArrowStream | ToPandas)


def pandas_of(name: str, given: Any) -> Any:
    """A table of another library as a frame; anything else as it is."""
    return as_frame(name, given) if is_foreign(given) else given


def as_frame(name: str, given: object, columns: Columns | None = None) -> pd.DataFrame:
    """A table as a frame whose columns are called by text.

    Arguments:
        name: of the argument, for messages.
        given: a frame of pandas, polars or Arrow, or a sparse matrix (U, I) whose rows and columns are the ids.
        columns: what the columns of a matrix are called.

    Raises:
        UsageError: anything else; of a path, it says how a file becomes a table.

    Example:
        >>> as_frame("df", pa.table({"user": [1], "item": ["a"]})).to_dict("list")
        {'user': [1], 'item': ['a']}
        >>> as_frame("df", pd.DataFrame([[1, 7]])).columns.tolist()
        ['0', '1']
    """
    if issparse(given):
        return frame_of_matrix(given, Columns() if columns is None else columns)
    if is_foreign(given):
        return from_arrow(given) if isinstance(given, ArrowStream) else as_frame(name, cast("ToPandas", given).to_pandas())
    if not isinstance(given, pd.DataFrame):
        hint = "; read the file first, with pandas.read_csv or read_parquet" if isinstance(given, str | Path) else ""
        raise UsageError(
            f"{arguments.wrong_argument(name, given, 'a DataFrame (pandas, polars, Arrow) or a sparse matrix')}{hint}"
        )
    names = [str(name) if isinstance(name, int | np.integer) else name for name in given.columns]
    return given if names == list(given.columns) else given.set_axis(names, axis=1)


def from_arrow(given: ArrowStream) -> pd.DataFrame:
    """A table of Arrow: whole numbers with gaps in a nullable dtype, a dictionary as a category."""
    table = pa.table(cast("Any", given))
    return pd.DataFrame({name: files.as_pandas(plain(table[name])) for name in table.column_names}, pd.RangeIndex(len(table)))


def plain(column: Any) -> Any:
    """Text views and lists of them, which pandas does not know, as text."""
    if is_list(column.type) and pa.types.is_string_view(column.type.value_type):
        return column.cast(pa.large_list(pa.large_string()))
    return column.cast(pa.large_string()) if pa.types.is_string_view(column.type) else column


def frame_of_matrix(matrix: Any, columns: Columns) -> pd.DataFrame:
    """A row for every cell of a sparse matrix that is not 0; its columns are called as they are asked for."""
    cells = matrix.tocoo()
    there = cells.data != 0
    bad = there & ~((cells.data > 0) & np.isfinite(cells.data))
    if bad.any() and columns.weight is None and columns.min_rating is None:  # else they are judged as weights
        at = int(bad.argmax())
        raise UsageError(
            f"row {cells.row[at]}, column {cells.col[at]}: the matrix holds {cells.data[at]}, and interactions are above 0 and finite;"
            " mend it, or give min_rating=… to keep those of at least that rating"
        )
    names = (columns.user or "user", columns.item or "item", columns.weight or "weight")
    values = (cells.row[there].astype(np.int64), cells.col[there].astype(np.int64), cells.data[there])
    return pd.DataFrame(dict(zip(names, values, strict=True)))

"""Frames and columns of polars to pandas and back, cell by cell and without Arrow. polars is never imported here: who has such a frame has done so."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub import UsageError

if TYPE_CHECKING:
    import polars

NULLABLE = {"i": pd.arrays.IntegerArray, "u": pd.arrays.IntegerArray, "b": pd.arrays.BooleanArray}


def loaded() -> Any:
    """The module, where the user has imported it."""
    return sys.modules.get("polars")


def is_polars(given: Any) -> bool:
    """Whether this is a frame or a column of polars. Raises UsageError for a query that was not run."""
    pl = loaded()
    if pl is not None and isinstance(given, pl.LazyFrame):
        raise UsageError("X: a LazyFrame of polars is a query; run it first, X.collect()")
    return pl is not None and isinstance(given, pl.DataFrame | pl.Series)


def is_column(given: Any) -> bool:
    """Whether this is a column."""
    return isinstance(given, loaded().Series)


def to_pandas(given: polars.DataFrame | polars.Series) -> pd.DataFrame:
    """A frame with the same columns, each in the nearest dtype of pandas that can hold its gaps."""
    columns = [given] if is_column(given) else given.get_columns()
    return pd.DataFrame({column.name: column_to_pandas(column) for column in columns}, index=pd.RangeIndex(len(given)))


def column_to_pandas(column: polars.Series) -> Any:
    """One column."""
    pl, dtype = loaded(), column.dtype
    gone = column.is_null().to_numpy()
    if dtype.is_float():
        return column.fill_null(float("nan")).to_numpy()
    if dtype.is_integer() or dtype == pl.Boolean:
        values = column.fill_null(False if dtype == pl.Boolean else 0).to_numpy()
        return NULLABLE[values.dtype.kind](values.copy(), gone.copy()) if gone.any() else values
    if dtype == pl.Date:
        return pd.Series(in_ticks(column.cast(pl.Int64), gone, "D").astype("M8[s]"))
    if dtype == pl.Datetime:
        stamps = pd.Series(in_ticks(column.to_physical(), gone, dtype.time_unit))
        return stamps if dtype.time_zone is None else stamps.dt.tz_localize("UTC").dt.tz_convert(dtype.time_zone)
    if dtype == pl.Duration:
        return pd.Series(in_ticks(column.to_physical(), gone, dtype.time_unit).view(f"m8[{dtype.time_unit}]"))
    if dtype in (pl.Categorical, pl.Enum):
        words = column.cast(pl.String)
        known = dtype.categories if dtype == pl.Enum else words.drop_nulls().unique(maintain_order=True)
        return pd.Categorical(words.to_list(), categories=known.to_list())
    return pd.Series(column.to_list(), dtype=object)


def in_ticks(numbers: polars.Series, gone: NDArray[np.bool_], unit: str) -> NDArray[np.datetime64]:
    """Whole numbers since 1970 as stamps."""
    stamps = numbers.fill_null(0).cast(loaded().Int64).to_numpy().copy().view(f"M8[{unit}]")
    stamps[gone] = np.datetime64("NaT")
    return stamps


def restored(filled: pd.DataFrame, given: polars.DataFrame | polars.Series) -> polars.DataFrame | polars.Series:
    """A frame of pandas as polars, its columns in the dtypes that they had; new columns in the nearest."""
    pl = loaded()
    if is_column(given):
        return column_to_polars(filled.iloc[:, 0], given)
    had = {column.name: column for column in given.get_columns()}
    return pl.DataFrame([column_to_polars(column, had[n]) if n in had else pl.Series(n, column.to_numpy()) for n, column in filled.items()])


def column_to_polars(column: pd.Series, like: polars.Series) -> polars.Series:
    """One column in the dtype of another; a cell that is still missing is null, or NaN where it was NaN."""
    pl, dtype = loaded(), like.dtype
    gone = column.isna().to_numpy()
    if dtype.is_float():
        values = pl.Series(like.name, column.to_numpy(dtype=float if dtype == pl.Float64 else np.float32), dtype=dtype)
        was_nan = (like.is_nan() & like.is_not_null()).to_numpy() if len(like) == len(column) else np.zeros(len(gone), bool)
        return with_nulls(values, gone & ~was_nan & like.is_null().any())
    if dtype.is_integer() or dtype == pl.Boolean:
        cells = column.fillna(False if dtype == pl.Boolean else 0) if gone.any() else column
        return with_nulls(pl.Series(like.name, cells.to_numpy()).cast(dtype), gone)
    if dtype in (pl.Date, pl.Datetime, pl.Duration):
        unit = "s" if dtype == pl.Date else dtype.time_unit
        plain = column.dt.tz_convert("UTC").dt.tz_localize(None) if column.dtype.kind == "M" and column.dt.tz is not None else column
        ticks = pl.Series(like.name, np.asarray(plain, dtype=f"{column.dtype.kind}8[{unit}]").view("i8"))
        return with_nulls((ticks // 86_400 if dtype == pl.Date else ticks).cast(pl.Int32 if dtype == pl.Date else pl.Int64), gone).cast(dtype)
    return pl.Series(like.name, [None if lost else cell for cell, lost in zip(column, gone, strict=True)], dtype=dtype, strict=False)


def with_nulls(column: polars.Series, where: NDArray[np.bool_]) -> polars.Series:
    """The column without some of its cells."""
    pl = loaded()
    return column if not where.any() else column.zip_with(pl.Series(~where), pl.Series(column.name, [None] * len(where), dtype=column.dtype))

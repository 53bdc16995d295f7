"""Frames and columns of polars to pandas and back, without Arrow. polars is not imported here: who has such a frame has done so."""

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


def is_frame(given: Any) -> bool:
    """Whether this is a frame of polars. Raises UsageError for a query that was not run."""
    pl = loaded()
    if pl is not None and isinstance(given, pl.LazyFrame):
        raise UsageError("X: a LazyFrame of polars is a query; run it first, X.collect()")
    return pl is not None and isinstance(given, pl.DataFrame)


def is_column(given: Any) -> bool:
    """Whether this is a column of polars."""
    pl = loaded()
    return pl is not None and isinstance(given, pl.Series)


def to_pandas(given: polars.DataFrame) -> pd.DataFrame:
    """A frame with the same columns, each in the nearest dtype of pandas that can hold its gaps."""
    columns = {column.name: column_to_pandas(column) for column in given.get_columns()}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(given)))


def column_to_pandas(column: polars.Series) -> Any:
    """One column."""
    pl = loaded()
    dtype: Any = column.dtype
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


def to_polars(filled: pd.DataFrame, like: polars.DataFrame) -> polars.DataFrame:
    """A frame of pandas with its columns in the dtypes that they have in another; new columns in the nearest."""
    pl, had = loaded(), {column.name: column for column in like.get_columns()}
    columns = [column_to_polars(each, had[n]) if n in had else pl.Series(n, each.to_numpy()) for n, each in filled.items()]
    out: polars.DataFrame = pl.DataFrame(columns)
    return out


def column_to_polars(column: pd.Series, like: polars.Series) -> polars.Series:
    """One column in the dtype of another; a cell that is still missing is null, or NaN where it was NaN."""
    pl = loaded()
    dtype: Any = like.dtype
    gone = column.isna().to_numpy()
    if dtype.is_float():
        values = pl.Series(like.name, column.to_numpy(dtype=float if dtype == pl.Float64 else np.float32), dtype=dtype)
        was_nan = like.is_nan().fill_null(False).to_numpy() if len(like) == len(column) else np.zeros(len(gone), bool)
        return with_nulls(values, gone & ~was_nan)
    if dtype.is_integer() or dtype == pl.Boolean:
        cells = column.fillna(False if dtype == pl.Boolean else 0) if gone.any() else column
        return with_nulls(pl.Series(like.name, cells.to_numpy()).cast(dtype), gone)
    if dtype in (pl.Date, pl.Datetime, pl.Duration):
        zoned = isinstance(column.dtype, pd.DatetimeTZDtype)
        plain = column.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else column
        unit = "D" if dtype == pl.Date else dtype.time_unit
        ticks = pl.Series(like.name, np.asarray(plain).astype(f"{plain.dtype.kind}8[{unit}]").view("i8"))
        return with_nulls(ticks.cast(pl.Int32) if dtype == pl.Date else ticks, gone).cast(dtype)
    values = [None if lost else cell for cell, lost in zip(column, gone, strict=True)]
    out: polars.Series = pl.Series(like.name, values, dtype=dtype)
    return out


def with_nulls(column: polars.Series, where: NDArray[np.bool_]) -> polars.Series:
    """The column without some of its cells."""
    if not where.any():
        return column
    pl = loaded()
    return column.zip_with(pl.Series(~where), pl.Series(column.name, [None] * len(where), dtype=column.dtype))

"""When interactions happened, as whole nanoseconds."""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from vaehub import UsageError, hints
from vaehub_recommender.tables.bad_rows import reject

UNITS = {10**9: 9e9, 10**6: 9e12, 10**3: 9e15, 1: 9.2e18}  # nanoseconds in a unit: the greatest count that is read in it
FIRST_DAY, LAST_DAY = 19_000_101, 21_001_231  # as whole numbers
Nanoseconds = NDArray[np.int64]


def nanoseconds(column: pd.Series[Any], name: str) -> Nanoseconds:
    """Stamps, ISO text, or counts since 1970 in s, ms, us or ns, whichever their size suggests (R,).

    Raises UsageError that names the rows that hold none.
    """
    reject(column.isna().to_numpy(bool), name, column, "is no time", "mend or drop such rows")
    reject(np.full(len(column), types.is_complex_dtype(column.dtype)), name, column, "is no time", "mend or drop such rows")
    if types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype):
        return from_counts(column, name)
    column = column.map(lambda value: str(value) if isinstance(value, int | float) else value)  # 2024 among texts is a year
    for layout in ("ISO8601", None):
        with suppress(ValueError, TypeError, OverflowError), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of formats that are guessed row by row
            return pd.DatetimeIndex(pd.to_datetime(column, utc=True, format=layout)).as_unit("ns").asi8
    bad = unreadable(column)
    reject(bad, name, column, "cannot be read as a time", "convert the column with pd.to_datetime")
    raise UsageError(
        f"column {hints.quoted(name)}: {hints.quoted(column.iloc[0])}, … cannot be read as times of one form; convert it with pd.to_datetime"
    )


def unreadable(column: pd.Series[Any]) -> NDArray[np.bool_]:
    """Which cells (R,) are no time in the form that most are in."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        tries = [pd.to_datetime(column, utc=True, format=layout, errors="coerce").isna() for layout in ("ISO8601", None)]
    best: NDArray[np.bool_] = min(tries, key=lambda bad: int(bad.sum())).to_numpy(bool)
    return best & ~best.all()


def from_counts(column: pd.Series[Any], name: str) -> Nanoseconds:
    """Counts since 1970, or days such as 20240131."""
    counts = column.to_numpy()
    if ((counts >= FIRST_DAY) & (counts <= LAST_DAY)).all():  # as seconds they would all be of August 1970
        with suppress(ValueError):
            return (
                pd.DatetimeIndex(pd.to_datetime(column.astype("int64").astype(str), format="%Y%m%d", utc=True)).as_unit("ns").asi8
            )
    reject(~(np.abs(column.to_numpy(np.float64)) <= 9.2e18), name, column, "is no time", "mend or drop such rows")
    largest = float(np.abs(counts.astype(np.float64)).max(initial=0))
    unit = next(unit for unit, most in UNITS.items() if largest <= most)
    whole = counts.astype(np.int64)
    fraction = counts - whole
    return whole * unit + np.rint(fraction.astype(np.float64) * unit).astype(np.int64)

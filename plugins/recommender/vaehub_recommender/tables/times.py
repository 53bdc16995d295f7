"""When interactions happened, as whole nanoseconds."""

from __future__ import annotations

import re
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
FIRST_DATE, LAST_DATE = 19000101, 21001231  # whole numbers that may be dates
SLASHED = re.compile(r"^\s*(\d{1,2})[/.\-](\d{1,2})[/.\-]\d{2,4}\b")
MONTHS = 12
Nanoseconds = NDArray[np.int64]


def nanoseconds(column: pd.Series[Any], name: str) -> Nanoseconds:
    """Stamps, text, or counts since 1970 in s, ms, us or ns, whichever their size suggests (R,); whole numbers that are all dates are dates.

    Raises UsageError that names the rows that hold none.
    """
    if not len(column):
        return np.zeros(0, np.int64)
    reject(column.isna().to_numpy(bool), name, column, "is no time", "mend or drop such rows")
    reject(np.full(len(column), types.is_complex_dtype(column.dtype)), name, column, "is no time", "mend or drop such rows")
    if types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype):
        return from_counts(column, name)
    if types.is_bool_dtype(column.dtype):
        raise UsageError(f"row 0: column {hints.quoted(name)}: {column.iloc[0]} cannot be read as times; flags are none")
    column = column.map(lambda value: str(value) if isinstance(value, int | float) else value)  # 2024 among texts is a year
    day_first = is_day_first(column, name)
    for layout in ("ISO8601", None):
        with suppress(ValueError, TypeError, OverflowError), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of formats that are guessed row by row
            found = pd.to_datetime(column, utc=True, format=layout, dayfirst=day_first)
            if found.notna().all():  # blanks are read as no time
                return pd.DatetimeIndex(found).as_unit("ns").asi8
    reject(unreadable(column, day_first), name, column, "cannot be read as a time", "convert the column with pd.to_datetime")
    raise UsageError(f"column {hints.quoted(name)}: its times are of several forms; convert it with pd.to_datetime")


def is_day_first(column: pd.Series[Any], name: str) -> bool:
    """Whether dates such as 13/01/2024 begin with the day; warns where no date of the column can tell, and takes the month to be first.

    Raises UsageError where some begin with the one and some with the other.
    """
    parts = column.astype(str).str.extract(SLASHED)
    numbers = parts.dropna().astype(int)
    if not len(numbers):
        return False
    day, month = (numbers[0] > MONTHS).any(), (numbers[1] > MONTHS).any()
    if day and month:
        month_first = (parts[1].astype(float) > MONTHS).to_numpy(bool)
        reject(month_first, name, column, "begins with the month, others with the day", "mend such rows")
    if not day and not month and (numbers[0] != numbers[1]).any():
        example = column[parts.notna().all(axis=1).to_numpy()].iloc[0]
        text = f"column {hints.quoted(name)}: {hints.quoted(example)}, … may begin with the day or the month; read as month first"
        warnings.warn(f"{text}; write dates as 2024-01-31 to be sure", UserWarning, stacklevel=6)
    return bool(day)


def unreadable(column: pd.Series[Any], day_first: bool) -> NDArray[np.bool_]:
    """Which cells (R,) cannot be read by themselves."""
    with warnings.catch_warnings(action="ignore"):
        found = pd.to_datetime(column, utc=True, format="mixed", errors="coerce", dayfirst=day_first)
    bad: NDArray[np.bool_] = found.isna().to_numpy(bool)
    return bad


def calendar_dates(column: pd.Series[Any], name: str) -> Nanoseconds | None:
    """Whole numbers such as 20240131 as dates, with a note, where all of them are dates of a calendar; None where they are not."""
    numbers = column.to_numpy(np.float64)
    if not len(numbers) or not ((numbers >= FIRST_DATE) & (numbers <= LAST_DATE) & (numbers % 1 == 0)).all():
        return None
    distinct = pd.Series(np.unique(numbers).astype(np.int64).astype(str))
    if pd.to_datetime(distinct, format="%Y%m%d", errors="coerce").isna().any():
        return None
    text = f"column {hints.quoted(name)}: {int(numbers[0])}, … are read as dates (year, month, day), not as seconds since 1970"
    warnings.warn(f"{text}; convert them with pd.to_datetime to be sure", UserWarning, stacklevel=6)
    dates = pd.to_datetime(pd.Series(numbers.astype(np.int64).astype(str)), format="%Y%m%d", utc=True)
    return pd.DatetimeIndex(dates).as_unit("ns").asi8


def from_counts(column: pd.Series[Any], name: str) -> Nanoseconds:
    """Counts since 1970, or days such as 20240131."""
    counts = column.to_numpy()
    reject(~(np.abs(column.to_numpy(np.float64)) <= 9.2e18), name, column, "is no time", "mend or drop such rows")
    dates = calendar_dates(column, name)
    if dates is not None:
        return dates
    largest = float(np.abs(counts.astype(np.float64)).max(initial=0))
    unit = next(unit for unit, most in UNITS.items() if largest <= most)
    whole = counts.astype(np.int64)
    fraction = counts - whole
    return whole * unit + np.rint(fraction.astype(np.float64) * unit).astype(np.int64)

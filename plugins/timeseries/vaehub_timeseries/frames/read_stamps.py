"""The time of every row as a number, whatever the frame writes it as."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub import UsageError
from vaehub_timeseries.frames.columns import numpy_dtype
from vaehub_timeseries.frames.date_formats import DateOptions
from vaehub_timeseries.frames.labels import column_label, column_of, row_label
from vaehub_timeseries.frames.schema import Key
from vaehub_timeseries.frames.stamps import Stamps, nanoseconds, on_the_clock
from vaehub_timeseries.frames.text_stamps import from_objects, from_pair

LARGEST = 2.0**53  # beyond it, float64 cannot hold every whole number


def key_values(frame: pd.DataFrame, key: Key) -> pd.Series:
    """The values of a key, numbered from 0."""
    if key.level is not None:
        return frame.index.get_level_values(key.level).to_series(index=pd.RangeIndex(len(frame)), name=key.label)
    return column_of(frame, key.label)


def read_stamps(frame: pd.DataFrame, keys: Sequence[Key], dates: DateOptions) -> Stamps:
    """The stamps of a frame that has some. Raises UsageError that names the row of one that is missing or unreadable."""
    parts = [key_values(frame, key) for key in keys]
    for part, key in zip(parts, keys, strict=True):
        if (missing_rows := part.isna().to_numpy()).any():
            raise UsageError(
                f"{row_label(frame, int(missing_rows.argmax()))}: no stamp in {column_label(key.label)}; fill it in or drop the row"
            )
    if len(parts) > 1:
        return from_pair(frame, parts, keys, dates)
    read = next((read for fits, read in READERS if fits(parts[0])), None)
    return from_objects(frame, parts[0], keys[0], dates) if read is None else read(frame, parts[0], keys[0])


def from_datetimes(frame: pd.DataFrame, column: pd.Series, key: Key) -> Stamps:
    """datetime64, with a zone or without."""
    index = pd.DatetimeIndex(column)
    return Stamps(nanoseconds(index, key), "ns", lambda at: [on_the_clock(at, index.tz).as_unit(index.unit)], index.tz)


def from_periods(frame: pd.DataFrame, column: pd.Series, key: Key) -> Stamps:
    """Periods, by their start."""
    index = pd.PeriodIndex(column)
    return Stamps(nanoseconds(index.to_timestamp(), key), "ns", lambda at: [pd.DatetimeIndex(at).to_period(index.freqstr)])


def from_durations(frame: pd.DataFrame, column: pd.Series, key: Key) -> Stamps:
    """Durations since a start."""
    index = pd.TimedeltaIndex(column)
    since = pd.DatetimeIndex(index.asi8.view(f"M8[{index.unit}]"))
    return Stamps(nanoseconds(since, key), "ns", lambda at: [pd.TimedeltaIndex(at.view("m8[ns]")).as_unit(index.unit)])


def from_numbers(frame: pd.DataFrame, column: pd.Series, key: Key) -> Stamps:
    """Numbers; whole ones that are all days, 19580329, or months of several years, 195803, are dates."""
    if (pattern := digits_pattern(column)) is not None:
        days = pd.DatetimeIndex(pd.to_datetime(column.astype("int64").astype(str), format=pattern))
        dtype = column.dtype
        return Stamps(
            nanoseconds(days, key),
            "ns",
            lambda at: [pd.Index(pd.DatetimeIndex(at).strftime(pattern).astype("int64"), dtype=dtype)],
        )
    values = column.to_numpy(float, na_value=np.nan)
    if (beyond := ~(np.abs(values) <= LARGEST)).any():
        at = int(beyond.argmax())
        raise UsageError(
            f"{row_label(frame, at)}: {column_label(key.label)}: {values[at]:g} is too large for a time; mend it or drop the row"
        )
    if not pd.api.types.is_integer_dtype(column.dtype):
        return Stamps(values, "number", lambda at: [pd.Index(at).astype(column.dtype)])
    return Stamps(column.to_numpy("int64"), "number", lambda at: [in_dtype(at, column.dtype, key)])


def in_dtype(at: NDArray[np.int64], dtype: Any, key: Key) -> pd.Index[Any]:
    """Whole numbers in the type that the column has. Raises UsageError where a later time is beyond it."""
    most = np.iinfo(numpy_dtype(dtype)).max
    if len(at) and int(at.max()) > most:
        raise UsageError(
            f"{column_label(key.label)}: the next times reach {at.max()}, {dtype} holds {most} at most; make the column int64"
        )
    index: pd.Index[Any] = pd.Index(at).astype(dtype)
    return index


def is_number(column: pd.Series) -> bool:
    """Whether a column is whole numbers or floats."""
    return pd.api.types.is_integer_dtype(column.dtype) or pd.api.types.is_float_dtype(column.dtype)


def digits_pattern(column: pd.Series) -> str | None:
    """How whole numbers write dates: year, month and day, or months of more than one year; None where some are no date.

    >>> [digits_pattern(pd.Series(numbers)) for numbers in ([19580329], [195812, 195901], [195801, 195802], [195813, 195901])]
    ['%Y%m%d', '%Y%m', None, None]
    """
    if not pd.api.types.is_integer_dtype(column.dtype) or column.isna().any():
        return None
    if column.between(16780101, 22611231).all():
        pattern = "%Y%m%d"
    elif column.between(167801, 226112).all() and (column // 100).nunique() > 1:
        pattern = "%Y%m"
    else:
        return None
    dates = pd.to_datetime(column.astype("int64").astype(str), format=pattern, errors="coerce")
    return pattern if dates.notna().all() else None


def row_numbers(entity: NDArray[np.int64]) -> Stamps:
    """No stamps: the place of each row among those of its entity."""
    place = pd.Series(entity).groupby(entity).cumcount().to_numpy()
    return Stamps(np.asarray(place, np.int64), "row", lambda at: [])


READERS: tuple[tuple[Callable[[pd.Series], bool], Callable[[pd.DataFrame, pd.Series, Key], Stamps]], ...] = (
    (lambda column: pd.api.types.is_datetime64_any_dtype(column.dtype), from_datetimes),
    (lambda column: isinstance(column.dtype, pd.PeriodDtype), from_periods),
    (lambda column: pd.api.types.is_timedelta64_dtype(column.dtype), from_durations),
    (lambda column: is_number(column), from_numbers),
)

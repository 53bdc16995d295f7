"""Finding out what the columns of a frame are for: time, entity, variable, value."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from vaehub import UsageError
from vaehub_timeseries.frames import date_formats
from vaehub_timeseries.frames.censored import spelling_of
from vaehub_timeseries.frames.columns import missing_cells
from vaehub_timeseries.frames.date_formats import DateOptions
from vaehub_timeseries.frames.labels import column_of, find_label
from vaehub_timeseries.frames.read_stamps import digits_pattern, is_number, key_values, read_stamps
from vaehub_timeseries.frames.schema import Form, Key, ReadOptions
from vaehub_timeseries.frames.text_calendars import looks_like_dates
from vaehub_timeseries.frames.unnamed_keys import blocks_of, counting_index, find_counter, is_entity, is_numeric_id

TIME_NAMES = ("time", "timestamp", "datetime", "date", "ds")
DIGITS_NAMES = ("day", "month", "yyyymmdd", "yyyymm", "ym", "yearmonth", "year_month", "period", "datum", "monat", "fecha", "mes")
LONG_NAMES = ("variable", "value")
NO_ENTITY = "none"


def find_form(frame: pd.DataFrame, reading: ReadOptions) -> Form:
    """The form of a frame: what the reading says, else what the frame shows. Raises UsageError where that is open."""
    variable, value = long_columns(frame, reading)
    levels = [Key(name, level) for level, name in enumerate(frame.index.names)]
    time = given_time(frame, reading, levels) if reading.time is not None else find_time(frame, reading, levels, variable)
    used = [key.label for key in time if key.level is None] + ([variable, value] if value is not None else [])
    return Form(time, entity_keys(frame, reading, time, levels, used, variable), variable, value)


def entity_keys(
    frame: pd.DataFrame,
    reading: ReadOptions,
    time: Sequence[Key],
    levels: Sequence[Key],
    used: Sequence[Hashable],
    variable: Hashable,
) -> tuple[Key, ...]:
    """What tells series apart: as named, else the other levels of the index, else found out."""
    if reading.entity == NO_ENTITY and reading.entity not in [*frame.columns, *frame.index.names]:
        return ()
    if reading.entity is not None:
        return (given_key(frame, reading.entity, levels, "entity"),)
    if len(levels) > 1:
        return tuple(key for key in levels if key not in time)
    return find_entity(frame, reading, time, used, variable)


def long_columns(frame: pd.DataFrame, reading: ReadOptions) -> tuple[Hashable, Hashable]:
    """The columns of variables and values, or None twice for the wide form."""
    if reading.variable is not None:
        return find_label(reading.variable, frame.columns, "variable"), find_label(reading.value, frame.columns, "value")
    lower = {str(label).lower(): label for label in frame.columns}
    if not set(LONG_NAMES) <= set(lower) or len(lower) > len(LONG_NAMES) + 3:
        return None, None
    variable, value = (lower[name] for name in LONG_NAMES)
    textual = not types.is_numeric_dtype(column_of(frame, variable).dtype)
    return (variable, value) if textual and is_measured(column_of(frame, value), reading) else (None, None)


def is_measured(column: pd.Series, reading: ReadOptions) -> bool:
    """Whether a column holds numbers, some of them perhaps <number or >number."""
    return types.is_numeric_dtype(column.dtype) or spelling_of(column, missing_cells(column, reading.missing_values)) is not None


def given_key(frame: pd.DataFrame, name: Hashable, levels: Sequence[Key], option: str) -> Key:
    """The column, else the level of the index, of a name."""
    by_level = [key for key in levels if key.label is not None and key.label == name]
    if name not in frame.columns and by_level:
        return by_level[0]
    return Key(find_label(name, [*frame.columns, *(key.label for key in by_level)], option))


def given_time(frame: pd.DataFrame, reading: ReadOptions, levels: Sequence[Key]) -> tuple[Key, ...]:
    """The time that the user names, with the times of day beside it where it is a date only."""
    key = given_key(frame, reading.time, levels, "time")
    return (key, *time_of_day(frame, key))


def time_of_day(frame: pd.DataFrame, key: Key) -> tuple[Key, ...]:
    """The column of times of day that goes with a text column of dates, if there is one."""
    date = key_values(frame, key)
    if not is_text(date) or date.astype(str).str.contains(r"\d[:.]\d{2}$|\d:\d", regex=True).all():
        return ()
    others = [label for label in frame.columns if label != key.label and is_text(column_of(frame, label))]
    return tuple(Key(label) for label in others if date_formats.is_time_of_day(column_of(frame, label)))[:1]


def find_time(frame: pd.DataFrame, reading: ReadOptions, levels: Sequence[Key], variable: Hashable) -> tuple[Key, ...]:
    """The index where it has stamps, else the only column that has, else the last level of several, else none."""
    if stamped := [key for key in levels if is_stamps(key_values(frame, key), reading.dates)]:
        return (stamped[-1], *time_of_day(frame, stamped[-1]))
    skip = {reading.entity, variable, *(reading.columns or ())}
    columns = {label: column_of(frame, label) for label in frame.columns if label not in skip}
    for holds in (is_datetime, partial(is_dates, dates=reading.dates), is_days):
        if found := [label for label, column in columns.items() if holds(column)]:
            return only_time(frame, found)
    if len(levels) > 1 and types.is_numeric_dtype(frame.index.levels[-1].dtype):  # type: ignore[attr-defined]
        return (levels[-1],)
    by_name = [label for label, column in columns.items() if is_numbered_time(label, column)]
    if by_name:
        return (Key(by_name[0]),)
    if variable is not None:
        return ()
    if counting_index(frame.index):
        return (levels[0],)
    named = reading.entity if reading.entity in frame.columns else blocks_of(columns)
    groups = np.zeros(len(frame), np.int64) if named is None else pd.factorize(column_of(frame, named))[0].astype(np.int64)
    counter = find_counter({label: column for label, column in columns.items() if label != named}, groups)
    return () if counter is None else (Key(counter),)


def only_time(frame: pd.DataFrame, found: Sequence[Hashable]) -> tuple[Key, ...]:
    """The one column of stamps. Raises UsageError where there are several."""
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} columns hold stamps ({', '.join(map(str, found[:5]))}); say which is the time: time={found[0]!r} (--time={found[0]})"
        )
    return (Key(found[0]), *time_of_day(frame, Key(found[0])))


def is_text(column: pd.Series) -> bool:
    """Whether a column is text throughout."""
    return types.is_string_dtype(column.dtype) and types.infer_dtype(column, skipna=True) == "string"


def is_datetime(column: pd.Series) -> bool:
    """Whether a column holds stamps or periods."""
    if types.is_datetime64_any_dtype(column.dtype) or isinstance(column.dtype, pd.PeriodDtype):
        return True
    return types.is_object_dtype(column.dtype) and types.infer_dtype(column, skipna=True) in (
        "datetime",
        "datetime64",
        "date",
        "period",
    )


def is_dates(column: pd.Series, dates: DateOptions) -> bool:
    """Whether a column holds dates as text, in every row or (an error that will name it) in nearly every one."""
    return is_text(column) and looks_like_dates(column, dates)


def is_days(column: pd.Series) -> bool:
    """Whether a column called date, month or the like holds such as 19580329 or 195803."""
    return str(column.name).lower() in (*TIME_NAMES, *DIGITS_NAMES) and digits_pattern(column) is not None


def is_numbered_time(label: Hashable, column: pd.Series) -> bool:
    """Whether a column of numbers is the time by its name."""
    return str(label).lower() in TIME_NAMES and is_number(column)


def is_stamps(level: pd.Series, dates: DateOptions) -> bool:
    """Whether a level of the index holds stamps of any kind."""
    return is_datetime(level) or types.is_timedelta64_dtype(level.dtype) or is_dates(level, dates)


def find_entity(
    frame: pd.DataFrame, reading: ReadOptions, time: Sequence[Key], used: Sequence[Hashable], variable: Hashable
) -> tuple[Key, ...]:
    """The only column that tells apart the rows that share a time (and a variable); where none do, one whose values fill blocks."""
    stamps = read_stamps(frame, time, reading.dates) if time else None
    keys = [pd.factorize(column_of(frame, variable))[0]] if variable is not None else []
    skip = {*used, *(reading.columns or ())}
    columns = {label: column_of(frame, label) for label in frame.columns if label not in skip}
    if stamps is None or not has_duplicates([stamps.at, *keys]):
        if variable is not None:
            return remaining_column(frame, used) if stamps is None else ()
        block = blocks_of(columns)
        if block is None or not is_entity(block, column_of(frame, block), None if stamps is None else stamps.at):
            return ()
        return (Key(block),)
    for holds in (is_text_id, is_numeric_id):
        found = [
            label
            for label, column in columns.items()
            if holds(column) and not has_duplicates([stamps.at, *keys, pd.factorize(column)[0]])
        ]
        if found:
            return (Key(found[0]),) if len(found) == 1 else ()
    return ()


def remaining_column(frame: pd.DataFrame, used: Sequence[Hashable]) -> tuple[Key, ...]:
    """The column of a long frame that is left over."""
    rest = [label for label in frame.columns if label not in used]
    return (Key(rest[0]),) if len(rest) == 1 else ()


def is_text_id(column: pd.Series) -> bool:
    """Whether a column may name an entity: text or categories, no <0.5 among them, in every row."""
    if types.is_numeric_dtype(column.dtype) or is_datetime(column) or column.isna().any():
        return False
    return spelling_of(column, column.isna().to_numpy(bool)) is None


def has_duplicates(keys: Sequence[NDArray[np.generic]]) -> bool:
    """Whether two rows share all keys (R,)."""
    return bool(pd.DataFrame(dict(enumerate(keys))).duplicated().any())

"""Which columns a model can use, and as what."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from vaehub import UsageError, hints
from vaehub_timeseries.frames.censored import is_sided, kind_of_observed
from vaehub_timeseries.frames.columns import json_value, missing_cells
from vaehub_timeseries.frames.labels import column_label, column_of, find_label, row_label
from vaehub_timeseries.frames.schema import Channel, Form, ReadOptions
from vaehub_timeseries.frames.text_calendars import looks_like_dates, parse_text

MAX_CHANNELS = 10_000  # the covariance of 10,000 columns takes 800 MB
FREE_TEXT = 50  # distinct values, of which over half of the rows have one of their own
NUMBERS = 0.5  # share of a text's distinct values that are numbers, so that the others are mistakes
NUMBER = r"[+-]?(\d{1,3}([., ']\d{3})+|\d+)([.,]\d+)?([eE][+-]?\d+)?\s*%?"  # with thousands, a decimal comma or per cent, too
PADDED = r"0\d+"  # an identifier


def find_channels(frame: pd.DataFrame, form: Form, reading: ReadOptions) -> tuple[list[Channel], list[Hashable]]:
    """(channels, ignored columns) of a frame. Raises UsageError that names the column, and the row where one is to blame."""
    if form.long:
        return long_channels(frame, form, reading), [label for label in frame.columns if label not in (*form.labels, form.value)]
    data = [label for label in frame.columns if label not in form.labels]
    wanted = None if reading.columns is None else {find_label(label, data, "columns") for label in reading.columns}
    channels: list[Channel] = []
    ignored: list[Hashable] = []
    for label in data:
        column = column_of(frame, label)
        missing = missing_cells(column, reading.missing_values)
        if (wanted is None or label not in wanted) and is_calendar(column, missing, reading):
            ignored.append(label)
            warn_of_calendar(missing, label)
        elif (reason := unusable_reason(frame, column, missing, label)) is None:
            channels += column_channels(column, missing, label, wanted is None or label in wanted)
        elif cannot_be_ignored(label, wanted, column, missing):
            raise UsageError(reason)
        else:
            ignored.append(label)
    return checked_count(channels), ignored


def is_calendar(column: pd.Series, missing: NDArray[np.bool_], reading: ReadOptions) -> bool:
    """Whether a column holds stamps, or dates as text, which say when and not how much."""
    if types.is_datetime64_any_dtype(column.dtype) or isinstance(column.dtype, pd.PeriodDtype):
        return True
    if types.is_numeric_dtype(column.dtype) or types.infer_dtype(column[~missing], skipna=True) != "string":
        return False
    text = column[~missing].astype(object)
    return looks_like_dates(text, reading.dates) and parse_text(text, reading.dates) is not None


def warn_of_calendar(missing: NDArray[np.bool_], label: Hashable) -> None:
    """Say of dates that are not the time that their gaps stay."""
    if count := int(missing.sum()):
        warnings.warn(
            f"{column_label(label)} holds dates, which are not imputed: {count:,} of its cells stay empty",
            UserWarning,
            stacklevel=4,
        )


def cannot_be_ignored(label: Hashable, wanted: set[Hashable] | None, column: pd.Series, missing: NDArray[np.bool_]) -> bool:
    """Whether a column that is of no use cannot come back as it is: it was asked for, or has gaps, or is text that no one excluded."""
    if wanted is not None:
        return label in wanted
    return bool(missing.any()) or types.is_object_dtype(column.dtype) or types.is_string_dtype(column.dtype)


def unusable_reason(frame: pd.DataFrame, column: pd.Series, missing: NDArray[np.bool_], label: Hashable) -> str | None:
    """Why no model can use a column, with what to do; None where it can."""
    kind = kind_of_observed(column, missing)
    if kind == "other":
        return mixed_reason(frame, column, missing, label)
    if kind == "category" and not isinstance(column.dtype, pd.CategoricalDtype):
        return text_reason(frame, column[~missing], label)
    return None


def mixed_reason(frame: pd.DataFrame, column: pd.Series, missing: NDArray[np.bool_], label: Hashable) -> str:
    """A column that is neither numbers nor text, or both."""
    cells = column.to_numpy(dtype=object)
    unusable = [int(i) for i in np.flatnonzero(~missing) if not isinstance(cells[i], int | float | np.number)] or [0]
    return (
        f"{row_label(frame, unusable[0])}: {column_label(label)} ({column.dtype}) holds {hints.quoted(cells[unusable[0]])}, neither number "
        "nor category throughout; mend it, drop the column, or name those to impute with columns= (--columns)"
    )


def text_reason(frame: pd.DataFrame, text: pd.Series, label: Hashable) -> str | None:
    """What is wrong with a column of text as categories."""
    values = text.unique()
    if len(values) == 0:
        return f"{column_label(label)} is text and nothing in it is observed; drop the column, or name those to impute with columns= (--columns)"
    if (spelt := numbers_as_text_reason(frame, text, label)) is not None:
        return spelt
    if len(values) > max(FREE_TEXT, len(text) / 2):
        where = f"{row_label(frame, text.index[0])}: {column_label(label)} is free text ({hints.quoted(text.iloc[0])})"
        return f"{where}, {len(values):,} different values in {len(text):,} rows; drop the column, or name those to impute with columns= (--columns)"
    return None


def numbers_as_text_reason(frame: pd.DataFrame, text: pd.Series, label: Hashable) -> str | None:
    """What is wrong where half or more of the distinct values are numbers; None for others, and for identifiers such as 007."""
    values = pd.Series(text.unique()).astype(str)
    values = values[~is_sided(values.str.strip())].reset_index(drop=True)
    stripped = values.str.strip()
    numeric = (stripped.str.fullmatch(NUMBER) | pd.to_numeric(stripped, errors="coerce").notna()).to_numpy(bool)
    if not len(values) or numeric.mean() < NUMBERS or stripped.str.fullmatch(PADDED).any():
        return None
    if numeric.all():
        first = text.iloc[0]
        return (
            f"{row_label(frame, text.index[0])}: {column_label(label)} holds numbers as text ({hints.quoted(first)}); write them as 1234.5 "
            "(in Python: pd.to_numeric), or make them categories with astype('category')"
        )
    others = list(values[~numeric])
    some = ", ".join(map(repr, others[:3])) + (f" and {len(others) - 3:,} more" if len(others) > 3 else "")
    words = ",".join(others[:3])
    at = int(text.index[text.astype(str) == others[0]][0])
    return (
        f"{row_label(frame, at)}: {column_label(label)}: {hints.quoted(others[0])} is no number, as most others are; mend it, "
        f"or if {some} means missing, give missing_values={others[:3]} (--missing-values={words})"
    )


def column_channels(column: pd.Series, missing: NDArray[np.bool_], label: Hashable, target: bool) -> list[Channel]:
    """The channels of a column: one a category, else one."""
    kind = kind_of_observed(column, missing)
    if kind != "category":
        return [Channel(str(label), label, kind, target=target)]
    found = categories(column, missing, label)
    return [Channel(f"{label}={value}", label, kind, value, target) for value in found]


def categories(column: pd.Series, missing: NDArray[np.bool_], label: Hashable) -> list[Hashable]:
    """The categories of a column: of its dtype, else in order of appearance."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        found = [json_value(value) for value in column.dtype.categories if column.isin([value])[~missing].any()]
        found = found or [json_value(value) for value in column.dtype.categories]
    else:
        found = [json_value(value) for value in column[~missing].unique()]
    if not found:
        raise UsageError(f"{column_label(label)} has no categories; drop the column")
    return found


def long_channels(frame: pd.DataFrame, form: Form, reading: ReadOptions) -> list[Channel]:
    """One channel a variable of a long frame."""
    column = column_of(frame, form.value)
    missing = missing_cells(column, reading.missing_values)
    kind = kind_of_observed(column, missing)
    if kind not in ("float", "int"):
        raise UsageError(mixed_reason(frame, column, missing, form.value))
    variable = column_of(frame, form.variable)
    if (missing := variable.isna().to_numpy(bool)).any():
        raise UsageError(
            f"{row_label(frame, int(missing.argmax()))}: no variable in {column_label(form.variable)}; fill it in or drop the row"
        )
    found = list(pd.unique(variable))
    wanted = found if reading.columns is None else [find_label(label, found, "columns") for label in reading.columns]
    return checked_count([Channel(str(label), label, kind, target=label in wanted) for label in found])


def checked_count(channels: Sequence[Channel]) -> list[Channel]:
    """The channels, if there are some and not too many."""
    if not channels:
        raise UsageError("the frame has no column of numbers or categories to impute")
    if len(channels) > MAX_CHANNELS:
        raise UsageError(
            f"{len(channels):,} columns (categories count one each), more than {MAX_CHANNELS:,}: a model of how they go together would not fit "
            "into memory; impute groups of them"
        )
    return list(channels)

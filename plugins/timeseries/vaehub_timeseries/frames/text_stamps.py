"""Stamps that are text, or Python's own objects."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub import UsageError, hints
from vaehub_timeseries.frames import date_formats
from vaehub_timeseries.frames.date_formats import DateOptions
from vaehub_timeseries.frames.labels import column_label, row_label
from vaehub_timeseries.frames.schema import Key
from vaehub_timeseries.frames.stamps import Stamps, nanoseconds
from vaehub_timeseries.frames.text_calendars import parse_text


def from_objects(frame: pd.DataFrame, column: pd.Series, key: Key, dates: DateOptions) -> Stamps:
    """Text, or Python's own dates."""
    if pd.api.types.infer_dtype(column) == "string":
        return from_text(frame, column.astype(object).astype(str), [key], lambda text: [text], dates)
    try:
        index = pd.DatetimeIndex(pd.to_datetime(column, utc=True))
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"{column_label(key.label)}: {hints.quoted(column.iloc[0])} … are not all stamps of one kind; convert them with pd.to_datetime"
        ) from error
    aware = np.array([isinstance(stamp, datetime) and stamp.tzinfo is not None for stamp in column])
    reject_mixed(frame, aware, column, key)
    zone = "UTC" if aware.all() else None
    return Stamps(
        nanoseconds(index, key), "ns", lambda at: [pd.Index(pd.DatetimeIndex(at).tz_localize(zone), dtype=object)], zone
    )


def reject_mixed(frame: pd.DataFrame, aware: NDArray[np.bool_], column: pd.Series, key: Key) -> None:
    """Raise UsageError where some stamps have a time zone and some have none."""
    if aware.any() and not aware.all():
        other = int((aware != aware[0]).argmax())
        raise UsageError(
            f"{row_label(frame, other)}: {column_label(key.label)} mixes stamps with and without a time zone "
            f"({hints.quoted(column.iloc[other])}); give all of them one"
        )


def from_text(
    frame: pd.DataFrame, text: pd.Series, keys: Sequence[Key], split: Callable[[pd.Index], list[pd.Index]], dates: DateOptions
) -> Stamps:
    """Stamps from text in one format."""
    reject_mixed(frame, date_formats.has_offset(text.str.strip()), text, keys[0])
    parsed = parse_text(text, dates)
    if parsed is None:
        bad = first_unreadable(text, dates)
        form = "the format of the others" if dates.format is None else f"the format {dates.format}"
        raise UsageError(
            f"{row_label(frame, bad)}: {column_label(keys[0].label)}: {hints.quoted(text.iloc[bad])} is no stamp in {form}; mend it, "
            "or give date_format= (--date-format), such as %d.%m.%Y"
        )
    if parsed.rival is not None and len(text) > 1 and dates.dayfirst is None:
        warn_of_two_readings(text, parsed.stamps, parsed.rival, keys[0])
    zone = "UTC" if parsed.zone is None and date_formats.has_offset(text.iloc[:1].str.strip()).all() else parsed.zone
    return Stamps(
        nanoseconds(parsed.stamps, keys[0]), "ns", lambda at: split(parsed.write(pd.DatetimeIndex(at).tz_localize("UTC"))), zone
    )


def warn_of_two_readings(text: pd.Series, chosen: pd.DatetimeIndex, rival: pd.DatetimeIndex, key: Key) -> None:
    """Say of dates whose month and day can be exchanged how they are read."""
    at = int((chosen != rival).argmax())
    this, other = (f"{stamps[at]:%Y-%m-%d}" for stamps in (chosen, rival))
    dayfirst = int(re.split(r"\D", text.iloc[at].strip())[0]) == rival[at].day
    warnings.warn(
        f"{column_label(key.label)}: {hints.quoted(text.iloc[at])} is read as {this}; if it is {other}, "
        f"give dayfirst={dayfirst} (--{'no-' * (not dayfirst)}dayfirst)",
        UserWarning,
        stacklevel=2,
    )


def first_unreadable(text: pd.Series, dates: DateOptions) -> int:
    """The first row that is not in the format that fits the most of a sample."""
    sample = text.str.strip().iloc[:10_000]
    formats = date_formats.FORMATS if dates.format is None else (dates.format,)
    tries = [pd.to_datetime(sample, format=fmt, errors="coerce", utc=True).isna() for fmt in formats]
    best = min(tries, key=lambda missing_rows: int(missing_rows.sum()))
    return int(best.to_numpy().argmax())


def from_pair(frame: pd.DataFrame, parts: Sequence[pd.Series], keys: Sequence[Key], dates: DateOptions) -> Stamps:
    """A column of dates and one of times of day."""
    date, time = (part.astype(object).astype(str).str.strip() for part in parts)
    words = date.iloc[0].count(" ") + 1

    def split(text: pd.Index) -> list[pd.Index]:
        entries = [entry.split(" ") for entry in text]
        return [
            pd.Index([" ".join(entry[:words]) for entry in entries]),
            pd.Index([" ".join(entry[words:]) for entry in entries]),
        ]

    return from_text(frame, date + " " + time, keys, split, dates)

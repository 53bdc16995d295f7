"""Stamps written as text: which format, and back to text in the same one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import tzinfo
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub_timeseries.frames.offset_text import offset_writer

YEAR_FIRST = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y-%m")
MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%b %d, %Y", "%B %d, %Y")
DAY_FIRST = ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%d.%m.%y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y")
TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", " %I:%M%p", " %I %p", " %H.%M", " %H.%M.%S")
FORMATS = tuple(date + time for time, date in product(TIMES, YEAR_FIRST + MONTH_FIRST + DAY_FIRST)) + tuple(
    f"%Y-%m-%dT{time[1:]}" for time in TIMES[1:4]
)
DATE_LIKE = re.compile(
    r"\s*(\d{4}-?W\d{2}|\d{4}[-/ ]?Q[1-4]|Q[1-4][-/ ]?\d{4}|"
    r"\d{1,4}[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{1,4}|\d{8}\b|\d{4}-\d{2}\b|[A-Za-z]{3,9} \d{1,2}, \d{4})"
)
OFFSET = re.compile(r"\d{1,2}:\d{2}.*(Z|[+-]\d{2}:?\d{2})$")
ZEROS = tuple(
    map(re.compile, (r"(?!)", r"(?<![\d:.])0(?=\d[/.\- ])", r"(?<![\d:.])0(?=\d[/.\- :])"))
)  # none, of dates, of hours too
TIME_OF_DAY = r"\s*\d{1,2}[:.]\d{2}([:.]\d{2}(\.\d+)?)?(\s*[AaPp][Mm])?\s*"

Text = Callable[[pd.DatetimeIndex], pd.Index]


def is_time_of_day(text: pd.Series) -> bool:
    """Whether every value is such as 18:00:00."""
    return bool(len(text)) and bool(text.astype(str).str.fullmatch(TIME_OF_DAY).all())


def has_offset(text: pd.Series) -> NDArray[np.bool_]:
    """Which stamps carry an offset from UTC, (R,)."""
    return text.str.contains(OFFSET.pattern.replace("(Z", "(?:Z"), regex=True).to_numpy(bool)


class DateOptions(NamedTuple):
    """What the user says of stamps that are text: whether the day comes before the month; their pattern, as in strptime."""

    dayfirst: bool | None = None
    format: str | None = None


class Dates(NamedTuple):
    """Stamps in UTC, the way back to text, the stamps by another format where those are as regular in months, and the zone of the text."""

    stamps: pd.DatetimeIndex
    write: Text
    rival: pd.DatetimeIndex | None = None
    zone: tzinfo | str | None = None


def parse_dates(text: pd.Series, options: DateOptions) -> Dates | None:
    """Text as dates, or None where no format fits every row. Of several that fit, the one that is asked for or the most regular is right."""
    stripped = text.str.strip()
    if options.format is not None:
        stamps = parse_as(stripped, options.format)
        return None if stamps is None else Dates(stamps, writer(options.format, stamps, stripped))
    if has_offset(stripped).all():
        stamps = parse_as(stripped, "ISO8601")
        return None if stamps is None else Dates(stamps, offset_writer(stamps, stripped))
    fits = [(fmt, stamps) for fmt in FORMATS if fits_first_row(stripped, fmt) and (stamps := parse_as(stripped, fmt)) is not None]
    if options.dayfirst is not None:
        wanted = DAY_FIRST if options.dayfirst else MONTH_FIRST
        fits = [fit for fit in fits if fit[0].startswith(wanted)] or fits
    if fits:
        fmt, stamps = max(fits, key=lambda fit: regularity(fit[1]))
        best, in_time = regularity(stamps)
        rivals = [other for _, other in fits if regularity(other)[0] == best and regularity(other)[1] < in_time]
        return Dates(stamps, writer(fmt, stamps, stripped), rivals[0] if rivals else None)
    stamps = parse_as(stripped, "ISO8601")
    return None if stamps is None else Dates(stamps, lambda index: index.strftime("%Y-%m-%d %H:%M:%S.%f"))


def fits_first_row(text: pd.Series, fmt: str) -> bool:
    """Whether the first row is in a format: most are ruled out by it."""
    return parse_as(text.iloc[:1], fmt) is not None


def parse_as(text: pd.Series, fmt: str) -> pd.DatetimeIndex | None:
    """Every row in one format, in UTC, or None."""
    try:
        stamps = pd.DatetimeIndex(pd.to_datetime(text, format=fmt, utc=True))
    except (ValueError, OverflowError):
        return None
    return None if stamps.hasnans else stamps  # pandas reads "" as no stamp


def regularity(stamps: pd.DatetimeIndex) -> tuple[float, float]:
    """Share of the commonest difference, in months of the calendar or in time, and in time alone, which decides between equals.

    3/10/2004 in an hourly series is a month or a day by what comes next, and 01/02/2015 in a monthly one, too.
    """
    distinct = pd.DatetimeIndex(np.unique(stamps))
    in_time = share_of_commonest(np.diff(distinct.asi8))
    same_day = distinct.day.nunique() == 1 and (distinct - distinct.normalize()).nunique() == 1
    in_months = share_of_commonest(np.diff(distinct.year * 12 + distinct.month)) if same_day else 0.0
    return max(in_time, in_months), in_time


def share_of_commonest(steps: NDArray[np.int64]) -> float:
    """How many of some differences are the commonest one, as a share; 1 where there are none."""
    return float(np.unique(steps, return_counts=True)[1].max() / len(steps)) if len(steps) else 1.0


def writer(fmt: str, stamps: pd.DatetimeIndex, text: pd.Series) -> Text:
    """How to write stamps as the text has them: with or without the zeros before one digit."""
    head = text.iloc[:1000].to_numpy(object)
    for zeros in ZEROS:
        write = partial(format_dates, fmt=fmt, zeros=zeros)
        if (write(stamps[:1000]).to_numpy(object) == head).all():
            return write
    return partial(format_dates, fmt=fmt, zeros=ZEROS[0])


def format_dates(stamps: pd.DatetimeIndex, fmt: str, zeros: re.Pattern[str]) -> pd.Index:
    """Stamps as text without the zeros that match."""
    return pd.Index([zeros.sub("", entry) for entry in stamps.strftime(fmt)])

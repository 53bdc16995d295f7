"""Stamps as text with an offset from UTC, written as the others of the table are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from functools import partial
from itertools import product

import pandas as pd

PATTERNS = tuple(date + time for date, time in product(("%Y-%m-%dT", "%Y-%m-%d "), ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f")))
HEAD = 1000  # rows that show how stamps are written


def offset_writer(stamps: pd.DatetimeIndex, text: pd.Series) -> Callable[[pd.DatetimeIndex], pd.Index]:
    """How to write stamps in UTC as the text has them, where all of it has one offset; else as ISO 8601 in UTC.

    >>> text = pd.Series(["2024-03-13T22:00+01:00", "2024-03-13T23:00+01:00"])
    >>> stamps = pd.DatetimeIndex(pd.to_datetime(text, utc=True))
    >>> offset_writer(stamps, text)(stamps + pd.Timedelta("2h")).tolist()
    ['2024-03-14T00:00+01:00', '2024-03-14T01:00+01:00']
    """
    offsets = text.str.extract(r"(Z|[+-]\d{2}:?\d{2})$", expand=False).unique()
    if len(offsets) == 1:
        zone = pd.Timestamp(f"2000-01-01T00:00{offsets[0]}").tz
        for pattern in PATTERNS:
            write = partial(with_offset, pattern=pattern, offset=offsets[0], zone=zone)
            if (write(stamps[:HEAD]).to_numpy(object) == text.iloc[:HEAD].to_numpy(object)).all():
                return write
    return lambda index: pd.Index([stamp.isoformat() for stamp in index])


def with_offset(stamps: pd.DatetimeIndex, pattern: str, offset: str, zone: tzinfo | None) -> pd.Index:
    """Stamps on the clock of an offset, and the offset behind them."""
    return stamps.tz_convert(zone).strftime(pattern) + offset

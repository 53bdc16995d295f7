"""Labels and ids in JSON, with their types: what was a date comes back as a date, not as text and not as a stamp."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import pandas as pd

from vaehub.errors import UsageError
from vaehub.hints import quoted


class Codec(NamedTuple):
    """How values of one type are written in JSON, and read."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def write_stamp(at: pd.Timestamp) -> list[Any]:
    """A stamp as its count, its unit and its time zone: what ISO's text loses."""
    return [int(at.asm8.astype(np.int64)), at.unit, None if at.tz is None else str(at.tz)]


def read_stamp(packed: list[Any]) -> pd.Timestamp:
    """The stamp of `write_stamp`."""
    count, unit, zone = packed
    at = pd.Timestamp(np.datetime64(count, unit))
    return at if zone is None else at.tz_localize("UTC").tz_convert(zone)


def write_duration(length: pd.Timedelta) -> list[Any]:
    """A duration of pandas as its count and its unit."""
    return [int(length.asm8.astype(np.int64)), length.unit]


def read_duration(packed: list[Any]) -> pd.Timedelta:
    """The duration of `write_duration`."""
    count, unit = packed
    return pd.Timedelta(np.timedelta64(count, unit))


def read_iso(text: str) -> pd.Timestamp | date:
    """What models of vaehub 0.1 wrote of stamps and dates alike; a date has no time of day."""
    return pd.Timestamp(text) if "T" in text else date.fromisoformat(text)


PLAIN = (str, int, float, bool, type(None))
CODECS: dict[type, Codec] = {
    tuple: Codec(lambda parts: [pack(part) for part in parts], lambda parts: tuple(unpack(part) for part in parts)),
    UUID: Codec(str, UUID),
    bytes: Codec(bytes.hex, bytes.fromhex),
    Decimal: Codec(str, Decimal),
    date: Codec(date.isoformat, date.fromisoformat),
    time: Codec(time.isoformat, time.fromisoformat),
    datetime: Codec(datetime.isoformat, datetime.fromisoformat),
    timedelta: Codec(lambda d: [d.days, d.seconds, d.microseconds], lambda parts: timedelta(*parts)),
    pd.Timestamp: Codec(write_stamp, read_stamp),
    pd.Timedelta: Codec(write_duration, read_duration),
}
READERS = {kind.__name__: codec.read for kind, codec in CODECS.items()} | {"stamp": read_iso}


def pack(value: Hashable, what: str = "value") -> Any:
    """A label or id as JSON: as it is, or {type: parts}; a scalar of numpy as Python's.

    Arguments:
        value: a text, number, date, stamp, UUID, …, or a tuple of them.
        what: the word for it in messages.

    Raises:
        UsageError: it is of a type that no file can hold.

    >>> pack((7, date(2024, 2, 29)))
    {'tuple': [7, {'date': '2024-02-29'}]}
    """
    value = plain(value) if isinstance(value, np.generic) else value
    if type(value) in PLAIN:
        return value
    if (codec := CODECS.get(type(value))) is None:
        kind = type(value).__name__
        raise UsageError(f"{what} {quoted(value)}: a value of type {kind} cannot be saved; use strings or numbers")
    return {type(value).__name__: codec.write(value)}


def unpack(packed: Any) -> Hashable:
    """What `pack` packed.

    Arguments:
        packed: JSON.

    Raises:
        ValueError: it is damaged; KeyError and TypeError likewise.

    >>> unpack({"tuple": [7, {"date": "2024-02-29"}]})
    (7, datetime.date(2024, 2, 29))
    """
    if type(packed) in PLAIN:
        return packed  # type: ignore[no-any-return]
    ((tag, parts),) = packed.items()
    value: Hashable = READERS[tag](parts)
    return value


def plain(value: np.generic) -> Hashable:
    """A scalar of numpy as Python's or pandas' own."""
    if isinstance(value, np.datetime64):
        return pd.Timestamp(value)
    if isinstance(value, np.timedelta64):
        return pd.Timedelta(value)
    scalar: Hashable = value.item()
    return scalar

"""Ids in JSON and in Arrow, with their types."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api import types

from vaehub.errors import UsageError
from vaehub.hints import reason, shown

if TYPE_CHECKING:
    from vaehub.base import Json


class Codec(NamedTuple):
    """How ids of one type are written in JSON, and read."""

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


PLAIN = (str, int, float, bool)
CODECS: dict[type, Codec] = {
    tuple: Codec(lambda parts: [pack_one(part) for part in parts], lambda parts: tuple(unpack_one(part) for part in parts)),
    UUID: Codec(str, UUID),
    bytes: Codec(bytes.hex, bytes.fromhex),
    Decimal: Codec(str, Decimal),
    date: Codec(date.isoformat, date.fromisoformat),
    datetime: Codec(datetime.isoformat, datetime.fromisoformat),
    pd.Timestamp: Codec(write_stamp, read_stamp),
}
TAGS = {kind.__name__: codec for kind, codec in CODECS.items()}


def pack(values: pd.Index[Any]) -> Json:
    """Ids as {"dtype": …, "values": […]}. Raises UsageError for one of a type that no file can hold."""
    return {"dtype": str(values.dtype), "values": [pack_one(value) for value in values.tolist()]}


def pack_one(value: Any) -> Any:
    """An id as JSON: as it is, or {type: text}."""
    value = value.item() if isinstance(value, np.generic) else value
    if type(value) in PLAIN:
        return value
    if (codec := CODECS.get(type(value))) is None:
        raise UsageError(f"id {shown(value)}: an id of type {type(value).__name__} cannot be saved; use strings or numbers")
    return {type(value).__name__: codec.write(value)}


def unpack(packed: Json) -> pd.Index[Any]:
    """What `pack` packed. Raises UsageError where it is damaged."""
    try:
        values = pd.Index([unpack_one(value) for value in packed["values"]], dtype=object, tupleize_cols=False)
        return values if packed["dtype"] == "object" else values.astype(packed["dtype"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, ArithmeticError) as error:
        raise UsageError(f"the ids in this model are damaged ({reason(error)}); use another copy, or train again") from error


def unpack_one(packed: Any) -> Any:
    """What `pack_one` packed."""
    if not isinstance(packed, dict):
        return packed
    ((tag, text),) = packed.items()
    return TAGS[tag].read(text)


def to_arrow(values: pd.Index[Any]) -> pa.Array:
    """Ids as an Arrow array; those of several types, and those that Arrow has no type for, as text."""
    kinds = {type(value) for value in values} if types.is_object_dtype(values.dtype) else set()
    if len(kinds) <= 1 and not kinds & {tuple, UUID}:
        with suppress(pa.ArrowException, TypeError, OverflowError):  # an infinite decimal, an integer of more than 64 bits
            return pa.array(values.array)
    return pa.array([str(value) for value in values.tolist()], pa.string())

"""Ids in JSON and in Arrow, with their types."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api import types

from vaehub import files

if TYPE_CHECKING:
    from vaehub import Json

WIDEST = 16  # bytes of one id that is no object


def pack(values: pd.Index[Any]) -> Json:
    """Ids as {"dtype": …, "values": […]}. Raises UsageError for one of a type that no file can hold."""
    return {"dtype": str(values.dtype), "values": [files.pack(value, "id") for value in values.tolist()]}


def unpack(packed: Json) -> pd.Index[Any]:
    """What `pack` packed. Raises UsageError where it is damaged."""
    with files.guarded("the ids in this model", "use another copy, or train again"):
        dtype = types.pandas_dtype(files.validated_json(str, packed["dtype"]))
        if isinstance(dtype, np.dtype) and dtype.itemsize > WIDEST:
            raise ValueError(f"dtype {dtype}")
        values = pd.Index(
            [files.unpack(value) for value in files.validated_json(list[Any], packed["values"])],
            dtype=object,
            tupleize_cols=False,
        )
        return values if types.is_object_dtype(dtype) else values.astype(dtype)


def to_arrow(values: pd.Index[Any]) -> pa.Array:
    """Ids as an Arrow array; those of several types, and those that Arrow has no type for, as text."""
    kinds = {type(value) for value in values} if types.is_object_dtype(values.dtype) else set()
    if len(kinds) <= 1 and not kinds & {tuple, UUID}:
        with suppress(pa.ArrowException, TypeError, OverflowError):  # an infinite decimal, an integer of more than 64 bits
            return pa.array(values.array)
    return pa.array([str(value) for value in values.tolist()], pa.string())

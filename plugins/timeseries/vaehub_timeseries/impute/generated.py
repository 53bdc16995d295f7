"""New series as a frame.

Letters of shapes: n series, T steps, C channels, R rows, K channels of a column.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import pandas as pd
from pandas.api.extensions import ExtensionArray

from vaehub_timeseries.frames import Channel, Schema
from vaehub_timeseries.frames.columns import Number
from vaehub_timeseries.impute.experts import Floats


def generated_frame(values: Floats, schema: Schema) -> pd.DataFrame:
    """Series (n, T, C) one below the other, indexed by (series, step); columns in the kinds and, where the form is wide, dtypes of the fit."""
    n, steps, channels = values.shape
    flat = values.reshape(-1, channels)
    places: dict[Hashable, list[int]] = {}
    for number, channel in enumerate(schema.channels):
        places.setdefault(channel.column, []).append(number)
    dtypes = {label: schema.dtypes.get(label, "float64") for label in places}
    cells = [decoded_column(flat[:, at], [schema.channels[i] for i in at], dtypes[label]) for label, at in places.items()]
    index = pd.MultiIndex.from_product([range(n), range(steps)], names=["series", "step"])
    return pd.DataFrame(dict(enumerate(cells)), index=index).set_axis(pd.Index(list(places), tupleize_cols=False), axis=1)


def decoded_column(numbers: Floats, channels: Sequence[Channel], dtype: str) -> ExtensionArray:
    """One column of cells from its channels (R, K)."""
    if channels[0].kind == "category":
        return pd.Series([channels[i].category for i in numbers.argmax(1)], dtype=dtype).array
    like = pd.Series(dtype=dtype)
    return pd.Series(Number(channels[0].kind).decode(like, numbers), dtype=like.dtype).array

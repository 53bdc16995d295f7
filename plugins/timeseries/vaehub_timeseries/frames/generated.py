"""Numbers that no frame was read from as a frame: new series, and windows of a model in the form of the table that it was trained on.

Letters of shapes: n series or B windows, T steps, C channels, R rows, K channels of a column.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from vaehub_timeseries.frames.columns import NumberCodec
from vaehub_timeseries.frames.grid import Floats
from vaehub_timeseries.frames.schema import Channel, Schema

DATE_AND_TIME = ("%Y-%m-%d", "%H:%M:%S")  # where date and time of day are two columns


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
    return pd.Series(NumberCodec(channels[0].kind).decode(like, numbers), dtype=like.dtype).array


def window_table(values: Floats, schema: Schema) -> pd.DataFrame:
    """Windows (B, T, C) in the user's units: each an entity where the table has entities, else one after the other from the year 2000 on."""
    form, cells = schema.form, generated_frame(values, schema)
    entity = np.repeat(np.arange(len(values)), values.shape[1])
    at = np.tile(np.arange(values.shape[1]), len(values)) if form.entity else np.arange(len(cells))
    stamps = time_columns(at, schema)
    keys = [*zip(form.time, stamps, strict=True), *((key, entity) for key in form.entity)]
    columns: dict[Hashable, Any] = {key.label: column for key, column in keys if key.level is None}
    frame = pd.concat([pd.DataFrame(columns), cells.reset_index(drop=True)], axis=1)
    levels = sorted((key.level, column, key.label) for key, column in keys if key.level is not None)
    if levels:
        frame.index = pd.MultiIndex.from_arrays([c for _, c, _ in levels], names=[label for _, _, label in levels])
        frame.index = frame.index.get_level_values(0) if len(levels) == 1 else frame.index
    if not form.long:
        return frame
    long: pd.DataFrame = frame.melt(list(columns), ignore_index=not levels).set_axis(
        [*columns, form.variable, form.value], axis=1
    )
    return long


def time_columns(at: Any, schema: Schema) -> Sequence[Any]:
    """The columns of time of the steps `at` (R,)."""
    if schema.unit != "ns":
        return [at * schema.step] * len(schema.form.time)
    stamps = pd.Timestamp(2000, 1, 1) + pd.to_timedelta(np.rint(at * schema.step).astype(np.int64), "ns")
    return [stamps] if len(schema.form.time) == 1 else [stamps.strftime(pattern) for pattern in DATE_AND_TIME]

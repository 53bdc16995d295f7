"""From a frame to a panel: found out anew, or as a schema says."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from pandas.api import types

from vaehub.errors import UsageError
from vaehub.hints import shown
from vaehub_timeseries.frames.columns import Category, Codec, Number, kind_among, kind_of, missing_cells
from vaehub_timeseries.frames.form import find_form
from vaehub_timeseries.frames.grid import Grid, make_grid
from vaehub_timeseries.frames.labels import column_of, named, row
from vaehub_timeseries.frames.layout import Bools, Coded, Layout, Long, Wide
from vaehub_timeseries.frames.panel import Panel
from vaehub_timeseries.frames.rows import Rows, read_rows, reject_duplicates
from vaehub_timeseries.frames.schema import Channel, Form, Key, Reading, Schema
from vaehub_timeseries.frames.sentinels import warn_of_sentinels
from vaehub_timeseries.frames.step import common_step, differences, parse_step
from vaehub_timeseries.frames.usable import MAX_CHANNELS, find_channels


def understand(frame: pd.DataFrame, reading: Reading) -> Panel:
    """A frame as series. Raises UsageError that names the column and the row of what cannot be read; warns of what looks like a sentinel."""
    check(frame)
    form = find_form(frame, reading)
    rows = read_rows(frame, form)
    channels, ignored = find_channels(frame, form, reading)
    dtypes = {label: str(dtype) for label, dtype in frame.dtypes.items()}
    schema = Schema(reading, form, tuple(channels), rows.stamps.unit, find_step(rows, reading), dtypes, tuple(ignored))
    panel = assemble(frame, schema, rows)
    warn_of_sentinels(panel)
    return panel


def understand_as(frame: pd.DataFrame, schema: Schema) -> Panel:
    """A frame as the series of a schema that was found before. Raises UsageError for a column that is absent, new or of another kind."""
    check(frame)
    form = schema.form
    for key in (*form.time, *form.entity):
        require_key(frame, key)
    if form.long:
        require([form.value, form.variable], frame)
    else:
        require(list(dict.fromkeys(channel.column for channel in schema.channels)), frame)
        reject_new(frame, schema)
    rows = read_rows(frame, form)
    if rows.stamps.unit != schema.unit:
        raise UsageError(f"the times are {UNITS[rows.stamps.unit]}, the model was fitted on {UNITS[schema.unit]}; convert them")
    return assemble(frame, schema, rows)


LONE = {"ns": 86_400 * 10**9, "number": 1}  # the step where no entity has two stamps: a day
UNITS = {"ns": "stamps", "number": "numbers", "row": "places"}


def check(frame: pd.DataFrame) -> None:
    """Raise UsageError for what is no frame of data."""
    if not isinstance(frame, pd.DataFrame):
        raise UsageError(f"{type(frame).__name__} given; a pandas DataFrame is needed")
    if frame.shape[1] > MAX_CHANNELS + 100:
        raise UsageError(
            f"{frame.shape[1]:,} columns, more than {MAX_CHANNELS:,}: a model of how they go together would not fit into memory; "
            "impute groups of them, or use the long form if these are steps of time"
        )
    if not len(frame):
        raise UsageError("the frame is empty: it has no rows")
    if not frame.columns.is_unique:
        raise UsageError(f"{named(frame.columns[frame.columns.duplicated()][0])} is there twice; rename one")


def find_step(rows: Rows, reading: Reading) -> float:
    """The step of the grid: as asked, else the commonest."""
    if rows.stamps.unit == "row":
        return 1
    if reading.step is not None:
        return parse_step(reading.step, rows.stamps.unit)
    order = np.lexsort((rows.stamps.at, rows.entity))
    return common_step(differences(rows.entity[order], rows.stamps.at[order]), LONE[rows.stamps.unit])


def require(labels: Sequence[Hashable], frame: pd.DataFrame) -> None:
    """Raise UsageError for a column that is absent."""
    for label in labels:
        if label not in frame.columns:
            raise UsageError(
                f"{named(label)} is absent, but the model was fitted with it; add it (empty, if nothing of it is observed)"
            )


def require_key(frame: pd.DataFrame, key: Key) -> None:
    """Raise UsageError for a key that is absent."""
    if key.level is None:
        require([key.label], frame)
    elif key.level >= frame.index.nlevels:
        raise UsageError(
            f"the index has {frame.index.nlevels} level(s), the model was fitted with {key.level + 1} or more; set it as for the fit"
        )


def reject_new(frame: pd.DataFrame, schema: Schema) -> None:
    """Raise UsageError for a column that the model has not seen."""
    if new := [label for label in frame.columns if label not in schema.dtypes]:
        raise UsageError(f"{named(new[0])} was not there when the model was fitted; drop it, or fit again")


def assemble(frame: pd.DataFrame, schema: Schema, rows: Rows, future: Bools | None = None) -> Panel:
    """The panel of a frame whose schema is known; of `future` rows nothing is observed and all is written."""
    future = np.zeros(len(frame), bool) if future is None else future
    variable = variables(frame, schema) if schema.form.long else None
    if schema.reading.aggregate is None:
        reject_duplicates(frame, rows, schema.form, variable)
    grid = make_grid(rows.entity, rows.stamps.at, schema.step, len(schema.channels))
    layout: Layout = wide(frame, schema, grid, future) if variable is None else long(frame, schema, grid, variable, future)
    return Panel(frame, schema, rows, grid, layout)


def variables(frame: pd.DataFrame, schema: Schema) -> np.ndarray:
    """The channel of each row of a long frame (R,). Raises UsageError for a variable that the model has not seen."""
    column = column_of(frame, schema.form.variable)
    codes, seen = pd.factorize(column)
    place = pd.Index([channel.column for channel in schema.channels], dtype=object).get_indexer(pd.Index(seen, dtype=object))
    out = np.append(place, -1)[codes]
    if (bad := out < 0).any():
        at = int(bad.argmax())
        raise UsageError(
            f"{row(frame, at)}: {named(schema.form.variable)}: {shown(column.iloc[at])} is no variable that the model was fitted with; drop such rows"
        )
    return out


def wide(frame: pd.DataFrame, schema: Schema, grid: Grid, future: Bools) -> Wide:
    """The layout of a frame with one column a variable."""
    columns, start = [], 0
    for group in grouped(schema.channels):
        channels = slice(start, start + len(group))
        columns.append(coded(frame, schema, group, channels, future))
        start += len(group)
    return Wide(frame, grid, columns)


def grouped(channels: Sequence[Channel]) -> list[list[Channel]]:
    """The channels of each column."""
    groups: dict[Hashable, list[Channel]] = {}
    for channel in channels:
        groups.setdefault(channel.column, []).append(channel)
    return list(groups.values())


def coded(frame: pd.DataFrame, schema: Schema, group: Sequence[Channel], channels: slice, future: Bools) -> Coded:
    """One column of the wide form."""
    first = group[0]
    column = column_of(frame, first.column)
    gone = missing_cells(column, schema.reading.missing_values)
    codec = codec_of(column, gone, group)
    values, missing = codec.encode(column, gone | future)
    return Coded(
        first.column,
        channels,
        codec,
        values,
        missing if first.target else missing & future,
        first.target and first.kind != "category",
    )


def codec_of(column: pd.Series, missing: Bools, group: Sequence[Channel]) -> Codec:
    """How a column at hand is coded. Raises UsageError where it is of another kind than it was."""
    first, kind = group[0], kind_among(column, missing)
    if missing.all():
        kind = "category" if first.kind == "category" else kind
    if (kind == "category") != (first.kind == "category") or kind == "other":
        raise UsageError(
            f"{named(first.column)} is {kind} ({column.dtype}), but the model was fitted with {first.kind}; convert it"
        )
    if kind == "category":
        return Category(first.column, [channel.category for channel in group])
    return Number(first.kind if missing.all() and types.is_object_dtype(column.dtype) else kind)


def long(frame: pd.DataFrame, schema: Schema, grid: Grid, channel: np.ndarray, future: Bools) -> Long:
    """The layout of a frame with one row a cell."""
    form: Form = schema.form
    column = column_of(frame, form.value)
    gone = missing_cells(column, schema.reading.missing_values)
    if (kind := kind_of(column)) not in ("float", "int"):
        raise UsageError(f"{named(form.value)} is {kind} ({column.dtype}), but the model was fitted with numbers; convert it")
    codec = Number(kind)
    values, missing = codec.encode(column, gone | future)
    target = np.array([entry.target for entry in schema.channels])[channel]
    return Long(frame, grid, form.value, codec, channel, values[:, 0], missing & (target | future), target, len(schema.channels))

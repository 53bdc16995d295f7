"""From a frame to a panel: found out anew, or as a schema says."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd
from pandas.api import types

from vaehub import UsageError, hints
from vaehub_timeseries.frames.censored import CensoredCodec, kind_of_observed, spelling_of
from vaehub_timeseries.frames.channels import MAX_CHANNELS, find_channels
from vaehub_timeseries.frames.columns import HUGE, CategoryCodec, ColumnCodec, Limits, NumberCodec, missing_cells
from vaehub_timeseries.frames.form import find_form
from vaehub_timeseries.frames.grid import Floats, Grid, make_grid
from vaehub_timeseries.frames.labels import column_label, column_of, row_label
from vaehub_timeseries.frames.layout import Bools, CodedColumn, Layout, Long, Wide
from vaehub_timeseries.frames.panel import Panel
from vaehub_timeseries.frames.regular import RegularFrame, with_left_out_rows
from vaehub_timeseries.frames.rows import Rows, read_rows, reject_duplicates
from vaehub_timeseries.frames.schema import Channel, Form, Key, ReadOptions, Schema
from vaehub_timeseries.frames.sentinels import warn_of_sentinels
from vaehub_timeseries.frames.step import common_step, differences, parse_step


def to_panel(frame: pd.DataFrame, reading: ReadOptions) -> Panel:
    """A frame as series; warns of what looks like a sentinel.

    Arguments:
        frame: In wide or long form.
        reading: How to read it.

    Returns:
        The series of every entity on a regular grid, and the way back to the frame.

    Raises:
        UsageError: something cannot be read; the message names the column and the row.

    >>> frame = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=3, freq="h"), "a": [1.0, np.nan, 3.0]})
    >>> panel = to_panel(frame, ReadOptions())
    >>> [series.values.tolist() for series in panel.series]
    [[[1.0], [nan], [3.0]]]
    >>> panel.fill([np.array([[0.0], [2.0], [0.0]])])["a"].tolist()
    [1.0, 2.0, 3.0]
    """
    check_frame(frame)
    form = find_form(frame, reading)
    rows = read_rows(frame, form, reading.dates)
    channels, ignored = find_channels(frame, form, reading)
    textual = {c.column for c in channels if c.kind != "category"}  # numbers with <0.5 among them, too
    dtypes = {
        label: "float64" if label in textual and types.is_string_dtype(dtype) else str(dtype)
        for label, dtype in frame.dtypes.items()
    }
    schema = Schema(reading, form, tuple(channels), rows.stamps.unit, find_step(rows, reading), dtypes, tuple(ignored))
    regular = on_regular_grid(frame, schema, rows)
    panel = assemble_panel(
        regular.frame, replace(schema, step=find_step(regular.rows, reading)), regular.rows, regular.added, regular.known
    )
    warn_of_sentinels(panel)
    return panel


def to_panel_as(frame: pd.DataFrame, schema: Schema) -> Panel:
    """A frame as the series of a schema that was found before.

    Arguments:
        frame: With the columns of the frame that the schema was found from.
        schema: Of a panel that `to_panel` made.

    Returns:
        The panel, whose channels and step are the schema's.

    Raises:
        UsageError: a column is absent, new or of another kind.

    >>> schema = to_panel(pd.DataFrame({"a": [1.0, 2.0]}), ReadOptions()).schema
    >>> to_panel_as(pd.DataFrame({"a": [3.0]}), schema).series[0].values.tolist()
    [[3.0]]
    """
    check_frame(frame)
    form = schema.form
    for key in (*form.time, *form.entity):
        require_key(frame, key)
    if form.long:
        require_columns([form.value, form.variable], frame)
    else:
        require_columns(list(dict.fromkeys(channel.column for channel in schema.channels)), frame)
        reject_new_columns(frame, schema)
    rows = read_rows(frame, form, schema.reading.dates)
    if rows.stamps.unit != schema.unit:
        raise UsageError(f"the times are {UNITS[rows.stamps.unit]}, the model was fitted on {UNITS[schema.unit]}; convert them")
    regular = on_regular_grid(frame, schema, rows)
    return assemble_panel(regular.frame, schema, regular.rows, regular.added, regular.known)


STEP_OF_ONE_ROW = {"ns": 86_400 * 10**9, "number": 1}  # the step where no entity has two stamps: a day
UNITS = {"ns": "stamps", "number": "numbers", "row": "places"}


def on_regular_grid(frame: pd.DataFrame, schema: Schema, rows: Rows) -> RegularFrame:
    """The frame with the rows of the grid of `freq` that were left out; as it is where none is asked for."""
    if schema.reading.freq is None:
        return RegularFrame(frame, rows, np.zeros(len(frame), bool))
    variable = variable_codes(frame, schema) if schema.form.long else None
    if schema.reading.aggregate is None:
        reject_duplicates(frame, rows, schema.form, variable)
    return with_left_out_rows(frame, schema, rows, schema.reading.freq, variable)


def check_frame(frame: pd.DataFrame) -> None:
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
        raise UsageError(f"{column_label(frame.columns[frame.columns.duplicated()][0])} is there twice; rename one")


def find_step(rows: Rows, reading: ReadOptions) -> float:
    """The step of the grid: as asked, else the commonest."""
    if rows.stamps.unit == "row":
        if reading.step is not None:
            raise UsageError(
                f"step={reading.step!r}: the rows have no stamps; name the column of the time, time= (--time), or leave it out"
            )
        return 1
    if reading.step is not None:
        return parse_step(reading.step, rows.stamps.unit)
    order = np.lexsort((rows.stamps.at, rows.entity))
    return common_step(differences(rows.entity[order], rows.stamps.at[order]), STEP_OF_ONE_ROW[rows.stamps.unit])


def require_columns(labels: Sequence[Hashable], frame: pd.DataFrame) -> None:
    """Raise UsageError for a column that is absent."""
    for label in labels:
        if label not in frame.columns:
            raise UsageError(
                f"{column_label(label)} is absent, but the model was fitted with it; add it (empty, if nothing of it is observed)"
            )


def require_key(frame: pd.DataFrame, key: Key) -> None:
    """Raise UsageError for a key that is absent."""
    if key.level is None:
        require_columns([key.label], frame)
    elif key.level >= frame.index.nlevels:
        raise UsageError(
            f"the index has {frame.index.nlevels} level(s), the model was fitted with {key.level + 1} or more; set it as for the fit"
        )


def reject_new_columns(frame: pd.DataFrame, schema: Schema) -> None:
    """Raise UsageError for a column that the model has not seen."""
    if new := [label for label in frame.columns if label not in schema.dtypes]:
        raise UsageError(f"{column_label(new[0])} was not there when the model was fitted; drop it, or fit again")


def assemble_panel(
    frame: pd.DataFrame,
    schema: Schema,
    rows: Rows,
    future: Bools | None = None,
    known: Mapping[Hashable, Bools] = MappingProxyType({}),
) -> Panel:
    """The panel of a frame with a schema; of `future` rows nothing is observed, but for what is `known` of a column, and all else is written."""
    future = np.zeros(len(frame), bool) if future is None else future
    variable = variable_codes(frame, schema) if schema.form.long else None
    if schema.reading.aggregate is None:
        reject_duplicates(frame, rows, schema.form, variable)
    grid = make_grid(rows.entity, rows.stamps.at, schema.step, len(schema.channels))
    layout: Layout = (
        wide_layout(frame, schema, grid, future, known)
        if variable is None
        else long_layout(frame, schema, grid, variable, future)
    )
    return Panel(frame, schema, rows, grid, layout, future)


def variable_codes(frame: pd.DataFrame, schema: Schema) -> np.ndarray:
    """The channel of each row of a long frame (R,). Raises UsageError for a variable that the model has not seen."""
    column = column_of(frame, schema.form.variable)
    codes, seen = pd.factorize(column)
    place = pd.Index([channel.column for channel in schema.channels], dtype=object).get_indexer(pd.Index(seen, dtype=object))
    out = np.append(place, -1)[codes]
    if (bad := out < 0).any():
        at = int(bad.argmax())
        raise UsageError(
            f"{row_label(frame, at)}: {column_label(schema.form.variable)}: {hints.quoted(column.iloc[at])} "
            "is no variable that the model was fitted with; drop such rows"
        )
    return out


def wide_layout(frame: pd.DataFrame, schema: Schema, grid: Grid, future: Bools, known: Mapping[Hashable, Bools]) -> Wide:
    """The layout of a frame with one column a variable."""
    columns, start = [], 0
    for group in channels_by_column(schema.channels):
        channels = slice(start, start + len(group))
        columns.append(coded_column(frame, schema, group, channels, future & ~known.get(group[0].column, np.False_)))
        start += len(group)
    return Wide(frame, grid, columns, added=future)


def channels_by_column(channels: Sequence[Channel]) -> list[list[Channel]]:
    """The channels of each column."""
    groups: dict[Hashable, list[Channel]] = {}
    for channel in channels:
        groups.setdefault(channel.column, []).append(channel)
    return list(groups.values())


def coded_column(frame: pd.DataFrame, schema: Schema, group: Sequence[Channel], channels: slice, future: Bools) -> CodedColumn:
    """One column of the wide form."""
    first = group[0]
    column = column_of(frame, first.column)
    missing = missing_cells(column, schema.reading.missing_values)
    codec = codec_for(column, missing, group)
    values, missing, limits = codec.encode(column, missing | future)
    if first.kind != "category":
        warn_of_huge(values[:, 0], missing, limits, first.column)
    return CodedColumn(
        first.column,
        channels,
        codec,
        values,
        missing if first.target else missing & future,
        first.target and first.kind != "category",
        limits,
        target=first.target,
        missing=missing,
    )


def warn_of_huge(values: Floats, missing: Bools, limits: Limits | None, label: Hashable) -> None:
    """Say of numbers (R,) that are there, but are not used because their squares would overflow."""
    sided = False if limits is None else np.isfinite(limits.lower) | np.isfinite(limits.upper)
    if count := int((np.isnan(values) & ~missing & ~sided).sum()):
        warnings.warn(
            f"{column_label(label)}: {count:,} of its values are beyond {HUGE:g} and not used; divide the column",
            UserWarning,
            stacklevel=2,
        )


def codec_for(column: pd.Series, missing: Bools, group: Sequence[Channel]) -> ColumnCodec:
    """How a column at hand is coded. Raises UsageError where it is of another kind than it was."""
    first, kind = group[0], kind_of_observed(column, missing)
    if missing.all():
        kind = "category" if first.kind == "category" else kind
    if (kind == "category") != (first.kind == "category") or kind == "other":
        raise UsageError(
            f"{column_label(first.column)} is {kind} ({column.dtype}), but the model was fitted with {first.kind}; convert it"
        )
    if kind == "category":
        return CategoryCodec(first.column, [channel.category for channel in group])
    if first.kind == "float" and (spelling := spelling_of(column, missing)) is not None:
        return CensoredCodec(spelling)
    return NumberCodec(first.kind if missing.all() and types.is_object_dtype(column.dtype) else kind)


def long_layout(frame: pd.DataFrame, schema: Schema, grid: Grid, channel: np.ndarray, future: Bools) -> Long:
    """The layout of a frame with one row a cell."""
    form: Form = schema.form
    column = column_of(frame, form.value)
    missing = missing_cells(column, schema.reading.missing_values)
    if (kind := kind_of_observed(column, missing)) not in ("float", "int"):
        raise UsageError(
            f"{column_label(form.value)} is {kind} ({column.dtype}), but the model was fitted with numbers; convert it"
        )
    spelling = spelling_of(column, missing)
    codec: ColumnCodec = NumberCodec(kind) if spelling is None else CensoredCodec(spelling)
    values, missing, limits = codec.encode(column, missing | future)
    warn_of_huge(values[:, 0], missing, limits, form.value)
    target = np.array([entry.target for entry in schema.channels])[channel]
    write = missing & (target | future)
    sizes = values[:, 0], write, target, len(schema.channels)
    return Long(frame, grid, form.value, codec, channel, *sizes, limits, missing=missing, added=future)

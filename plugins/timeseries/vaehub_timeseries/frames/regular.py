"""A frame with the rows of a regular grid that were left out of it.

Letters of shapes: R rows of the frame, A rows that are added.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import infer_dtype, is_integer_dtype
from pandas.tseries.frequencies import to_offset

from vaehub import UsageError
from vaehub_timeseries.frames.grid import MAX_CELLS
from vaehub_timeseries.frames.labels import column_of, place_of, row_label
from vaehub_timeseries.frames.layout import Bools, is_gapless
from vaehub_timeseries.frames.rows import Rows, entity_text, time_text
from vaehub_timeseries.frames.schema import Form, Key, Schema
from vaehub_timeseries.frames.stamps import Numbers, Stamps, in_utc
from vaehub_timeseries.frames.step import parse_step

Ints = NDArray[np.int64]
HOUR = 3_600 * 10**9  # ns: no calendar of pandas that is not a fixed length of time is finer


class RegularFrame(NamedTuple):
    """A frame, who and when its rows are, which of them the user's frame did not have (R,), and per column what of these is known (R,)."""

    frame: pd.DataFrame
    rows: Rows
    added: Bools
    known: Mapping[Hashable, Bools] = MappingProxyType({})


class AddedRows(NamedTuple):
    """New rows (A,): the row of the frame that each follows in its series, and when it is."""

    anchor: Ints
    at: Numbers


def with_left_out_rows(frame: pd.DataFrame, schema: Schema, rows: Rows, freq: str, variable: Ints | None) -> RegularFrame:
    """The frame with a row for every stamp of the grid from the first to the last of each entity (the long form: for each of its variables).

    Cells of new rows are missing; where the dtype cannot hold that, they are copies that `added` says to ignore. Text and what else is no
    number is copied where it is the same in the whole of every series, such as the name of a place.

    Arguments:
        frame: In wide or long form.
        schema: Its columns.
        rows: Its entities and stamps.
        freq: Of pandas, such as "h"; a number where the times are numbers.
        variable: The long form: of every row (R,).

    Raises:
        UsageError: there are no stamps, `freq` is no frequency, a row does not lie on its grid, or there would be too many rows.
    """
    grids = [entity_grid(frame, schema.form, rows, freq, entity) for entity in range(len(rows.names))]
    check_count(sum(map(len, grids)) * frame.shape[1], freq)
    new = left_out(rows, grids, np.zeros(len(frame), np.int64) if variable is None else variable)
    if not len(new.at):
        return RegularFrame(frame, rows, np.zeros(len(frame), bool))
    same = properties(frame, schema, rows, variable)
    below = blank_rows(frame, [*schema.form.labels, *same], new)
    written = dict(zip(schema.form.time, rows.stamps.write(new.at), strict=True))
    below = with_stamps(below, frame, written)
    order = order_of(rows, new)
    out = pd.concat([frame, below]).iloc[order]
    out.index = joined_index(frame, below, written, order)
    entity, at = np.append(rows.entity, rows.entity[new.anchor])[order], np.append(rows.stamps.at, new.at)[order]
    regular = replace(rows, entity=entity, stamps=replace(rows.stamps, at=at))
    added = order >= len(frame)
    return RegularFrame(out, regular, added, dict.fromkeys(same, added))


def entity_grid(frame: pd.DataFrame, form: Form, rows: Rows, freq: str, entity: int) -> Numbers:
    """The stamps of the grid of one entity, all of its rows among them. Raises UsageError."""
    members = np.flatnonzero(rows.entity == entity)
    own = rows.stamps.at[members]
    grid = grid_between(rows.stamps, own.min(), own.max(), freq)
    if (off := ~np.isin(own, grid)).any():
        at = int(members[off.argmax()])
        raise UsageError(
            f"{row_label(frame, at)}: {time_text(frame, form, at)}{entity_text(rows, form, at)} is not on the grid of freq={freq!r} that begins "
            "with the first stamp; round the stamps, or give another frequency (--freq)"
        )
    return grid


def grid_between(stamps: Stamps, first: int, last: int, freq: str) -> Numbers:
    """The stamps of a frequency from the first to the last, on the wall clock where it is one of the calendar. Raises UsageError."""
    if stamps.unit == "row":
        raise UsageError(
            f"freq={freq!r}: the rows have no stamps to put others between; name the column of the time, time= (--time)"
        )
    if stamps.unit == "number":
        return evenly(first, last, parse_step(freq, "number"), freq)
    ends = np.array([first, last])
    if isinstance(periods := stamps.write(ends)[0], pd.PeriodIndex):
        return in_utc(pd.period_range(periods[0], periods[1], freq=checked_period(freq, periods)).to_timestamp())
    offset = offset_of(freq)
    if isinstance(offset, pd.offsets.Tick) and not isinstance(offset, pd.offsets.Day):
        return evenly(first, last, offset.nanos, freq)
    check_count((last - first) / HOUR, freq)
    wall = stamps.local(ends).tz_localize(None)
    days = pd.date_range(wall[0], wall[1], freq=offset)
    if stamps.zone is None:
        return in_utc(days)
    return in_utc(days.tz_localize(stamps.zone, ambiguous=np.ones(len(days), bool), nonexistent="shift_forward"))


def offset_of(freq: str) -> pd.offsets.BaseOffset:
    """The frequency as pandas' own. Raises UsageError."""
    try:
        offset = to_offset(freq)
    except ValueError:
        offset = None
    if offset is None or offset.n < 1:
        raise UsageError(f"freq={freq!r}: give a frequency of pandas such as 'h', '15min', 'D' or 'MS' (--freq=h)")
    return offset


def checked_period(freq: str, periods: pd.PeriodIndex) -> str:
    """The frequency of periods, which is the only one whose rows can be left out. Raises UsageError for another."""
    try:
        same = bool(pd.PeriodDtype(freq) == periods.dtype)
    except ValueError:
        same = False
    if not same:
        raise UsageError(f"freq={freq!r}: the time is in periods of {periods.freqstr!r}; give that (--freq={periods.freqstr})")
    return periods.freqstr


def evenly(first: int, last: int, step: float, freq: str) -> Numbers:
    """Numbers with the same distance."""
    check_count((last - first) / step, freq)
    count = int(np.floor((last - first) / step + 1e-9)) + 1
    return np.asarray(first + np.arange(count) * (int(step) if float(step).is_integer() else step))


def check_count(cells: float, freq: str) -> None:
    """Raise UsageError for more cells than fit into memory."""
    if cells > MAX_CELLS:
        raise UsageError(
            f"freq={freq!r}: the table would have up to {cells:,.0f} cells, more than {MAX_CELLS:,}; give a longer one"
        )


def left_out(rows: Rows, grids: Sequence[Numbers], variable: Ints) -> AddedRows:
    """What is on the grid of its entity and has no row, series by series."""
    order = np.lexsort((rows.stamps.at, variable, rows.entity))
    entity, code, at = rows.entity[order], variable[order], rows.stamps.at[order]
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(entity) != 0) | (np.diff(code) != 0)]))
    anchors, stamps = [], []
    for start, stop in zip(starts, [*starts[1:], len(order)], strict=True):
        own = at[start:stop]
        absent = np.setdiff1d(grids[entity[start]], own)
        anchors.append(order[start + np.maximum(np.searchsorted(own, absent) - 1, 0)])
        stamps.append(absent)
    return AddedRows(np.concatenate(anchors), np.concatenate(stamps))


def properties(frame: pd.DataFrame, schema: Schema, rows: Rows, variable: Ints | None) -> frozenset[Hashable]:
    """The columns of text or categories that are the same in all rows of each series."""
    columns = [label for label in frame.columns if label not in schema.form.labels and is_text(column_of(frame, label))]
    series = [rows.entity, *([] if variable is None else [variable])]
    return frozenset(label for label in columns if (column_of(frame, label).groupby(series).nunique(dropna=False) <= 1).all())


def is_text(column: pd.Series) -> bool:
    """Whether a column holds text or categories, and nothing else."""
    return isinstance(column.dtype, pd.CategoricalDtype) or infer_dtype(column, skipna=True) == "string"


def blank_rows(frame: pd.DataFrame, kept: Sequence[Hashable], new: AddedRows) -> pd.DataFrame:
    """Copies of the rows that new ones follow, without what is not known of the new ones."""
    below = frame.iloc[new.anchor]
    for place, label in enumerate(frame.columns):
        column = below.iloc[:, place]
        if label not in kept and not is_gapless(column):
            below.isetitem(place, column.mask(np.ones(len(below), bool)).array)
    return below


def with_stamps(below: pd.DataFrame, frame: pd.DataFrame, written: Mapping[Key, pd.Index]) -> pd.DataFrame:
    """New rows with their stamps in the columns that hold them, in the dtype of each."""
    for key, index in written.items():
        if key.level is None:
            place = place_of(frame, key.label)
            below.isetitem(place, index.astype(frame.iloc[:, place].dtype).array)
    return below


def joined_index(frame: pd.DataFrame, below: pd.DataFrame, written: Mapping[Key, pd.Index], order: Ints) -> pd.Index:
    """The index of the frame and the new rows in order: by the stamps where it holds them, counted anew where it counts, else with copies."""
    index, levels = frame.index, {key.level: stamps for key, stamps in written.items() if key.level is not None}
    if not levels and is_integer_dtype(index.dtype):
        return pd.RangeIndex(len(order), name=index.name)
    if index.nlevels > 1:
        parts = [levels.get(level, below.index.get_level_values(level)) for level in range(index.nlevels)]
        tail: pd.Index = pd.MultiIndex.from_arrays(parts, names=index.names)
    else:
        tail = levels[0].astype(index.dtype).rename(index.name) if levels else below.index
    return index.append(tail)[order]


def order_of(rows: Rows, new: AddedRows) -> Ints:
    """Rows of the frame and new ones, numbered on, in order of time where the frame is, either way; else each new row beside the one before it."""
    at, steps = np.append(rows.stamps.at, new.at), np.diff(rows.stamps.at)
    if (steps >= 0).all():
        return np.argsort(at, kind="stable")
    if (steps <= 0).all():
        return np.argsort(-at, kind="stable")
    within = steps[np.diff(rows.entity) == 0]
    sign = -1 if len(within) and (within < 0).mean() > 0.5 else 1
    anchor = np.append(np.arange(len(rows.entity)), new.anchor)
    return np.lexsort((sign * at, anchor))

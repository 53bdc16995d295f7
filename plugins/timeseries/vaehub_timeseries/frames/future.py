"""The future as a gap: rows below the frame's own, in which nothing is observed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub import UsageError
from vaehub_timeseries.frames.ahead import with_given
from vaehub_timeseries.frames.labels import place_of
from vaehub_timeseries.frames.panel import Panel
from vaehub_timeseries.frames.rows import last_rows, read_rows
from vaehub_timeseries.frames.schema import Key
from vaehub_timeseries.frames.stamps import Numbers, Stamps, in_utc
from vaehub_timeseries.frames.to_panel import assemble_panel, variable_codes

Rule: TypeAlias = Callable[[int], pd.tseries.offsets.BaseOffset]

DAY = 86_400 * 10**9  # ns; on the wall clock it may have 23 or 25 hours
HEAD = 100  # how many of the last stamps say how they go on
WEEKS = 10  # stamps without a weekend that make weekdays a rule


def extend(panel: Panel, steps: int, given: pd.DataFrame | None = None) -> Panel:
    """The future as a gap: the panel with rows after the end of each entity (the long form: of each of its variables).

    Arguments:
        panel: Of a frame.
        steps: How many rows for each.
        given: What is known of rows ahead: their keys and some columns.

    Returns:
        A panel whose `fill` puts the new rows below the frame's own.

    Raises:
        UsageError: steps < 1, `given` does not fit the frame, or the next stamps are beyond what the column can hold.

    >>> from vaehub_timeseries.frames.schema import ReadOptions
    >>> from vaehub_timeseries.frames.to_panel import to_panel
    >>> frame = pd.DataFrame({"a": [1.0, 2.0, 3.0]}, index=pd.date_range("2024-01-31", periods=3, freq="ME"))
    >>> extend(to_panel(frame, ReadOptions()), 1).frame.index[-1].isoformat()
    '2024-04-30T00:00:00'
    """
    if steps < 1:
        raise UsageError(f"steps={steps}: give 1 or more")
    frame = with_future(panel, steps)
    ahead = np.arange(len(frame)) >= len(panel.frame)
    future = np.concatenate([panel.added, ahead[len(panel.frame) :]])
    rows = read_rows(frame, panel.schema.form, panel.schema.reading.dates)
    known: Mapping[Hashable, NDArray[np.bool_]] = {}
    if given is not None:
        frame, known = with_given(frame, panel.schema, rows, ahead, given)
    return assemble_panel(frame, panel.schema, rows, future, known)


def with_future(panel: Panel, steps: int) -> pd.DataFrame:
    """The frame with copies of each entity's last row below it, their stamps continued."""
    frame, form = panel.frame, panel.schema.form
    groups = [panel.rows.entity, *([variable_codes(frame, panel.schema)] if form.long else [])]
    last = np.repeat(last_rows(groups, panel.rows.stamps.at), steps)
    below = frame.iloc[last]
    ends = last_rows([panel.rows.entity], panel.rows.stamps.at)
    ahead = np.stack([next_stamps(panel, entity, steps) for entity in range(len(ends))])
    at = ahead[panel.rows.entity[last], np.tile(np.arange(steps), len(last) // steps)]
    written = dict(zip(form.time, panel.rows.stamps.write(at), strict=True))
    below = with_columns(below, {key.label: index for key, index in written.items() if key.level is None})
    out = pd.concat([frame, below])
    out.index = joined_index(frame, below, written)
    return out


def with_columns(frame: pd.DataFrame, columns: dict[Hashable, pd.Index]) -> pd.DataFrame:
    """The frame with some columns replaced, each in its dtype."""
    out = frame.copy()
    for label, index in columns.items():
        out.isetitem(place_of(out, label), index.astype(frame[label].dtype).array)
    return out


def joined_index(frame: pd.DataFrame, below: pd.DataFrame, written: dict[Key, pd.Index]) -> pd.Index:
    """The index continued: by the stamps where it holds them, by counting where it counts, else by the last label of the entity."""
    index, levels = frame.index, {key.level: stamps for key, stamps in written.items() if key.level is not None}
    if index.nlevels > 1:
        tail: pd.Index = pd.MultiIndex.from_arrays(
            [levels.get(level, below.index.get_level_values(level)) for level in range(index.nlevels)], names=index.names
        )
        return index.append(tail)
    if levels:
        return index.append(levels[0].astype(index.dtype).rename(index.name))
    if isinstance(index, pd.RangeIndex):
        return pd.RangeIndex(index.start, index.stop + index.step * len(below), index.step, name=index.name)
    if index.nlevels == 1 and pd.api.types.is_integer_dtype(index.dtype) and index.is_unique:
        ahead = np.arange(1, len(below) + 1) + int(index.max())
        return index.append(pd.Index(ahead, dtype=index.dtype, name=index.name))
    return index.append(below.index)


def next_stamps(panel: Panel, entity: int, steps: int) -> Numbers:
    """The next stamps of an entity (steps,): by the rule of the calendar where the wall clock follows one, else by the step of the grid."""
    stamps = panel.rows.stamps
    return stamps_ahead(stamps, np.unique(stamps.at[panel.members(entity)]), panel.schema.step, steps)


def stamps_ahead(stamps: Stamps, at: Numbers, step: float, steps: int) -> Numbers:
    """The stamps (steps,) after some that are sorted."""
    ahead = regular_stamps(at[-1:], step, steps)
    steady = (np.diff(at[-HEAD:]) == step).all() and not (stamps.zone is not None and step % DAY == 0)
    if stamps.unit != "ns" or len(at) < 3 or steady:
        return ahead
    ruled = calendar_stamps(stamps, at[-HEAD:], steps)
    return ahead if ruled is None else ruled


def regular_stamps(last: Numbers, step: float, steps: int) -> Numbers:
    """The numbers after the last, of its kind: whole ones at least 1 apart."""
    counts = np.arange(1, steps + 1)
    ahead: Numbers = step * counts if last.dtype.kind == "f" else np.rint(max(step, 1) * counts).astype(np.int64)
    return last + ahead


def calendar_stamps(stamps: Stamps, at: Numbers, steps: int) -> Numbers | None:
    """The next stamps of a series that follows the calendar on its wall clock; None where it follows none."""
    local = stamps.local(at)
    rule = calendar_rule(local)
    return None if rule is None else in_utc(pd.DatetimeIndex([local[-1] + rule(count) for count in range(1, steps + 1)]))


def calendar_rule(local: pd.DatetimeIndex) -> Rule | None:
    """What lies `count` steps ahead: months by their end or by the same day, halves of months, weekdays, or days; None for anything else.

    >>> rule = calendar_rule(pd.DatetimeIndex(["2024-04-30", "2024-05-31", "2024-06-28"]))  # last weekdays, as stock exchanges have them
    >>> (pd.Timestamp("2024-06-28") + rule(2)).isoformat()
    '2024-08-30T00:00:00'
    """
    wall = local.tz_localize(None)
    days = pd.DatetimeIndex(
        wall.normalize().to_numpy()
    )  # without a frequency: in business months `is_month_end` is that of weekdays
    if (wall - days).nunique() > 1:
        return None
    months = np.diff(np.asarray(days.year * 12 + days.month))
    every = commonest(months)
    if (months > 0).all():
        if days.is_month_end.all():
            return lambda count: pd.offsets.MonthEnd(every * count)
        if days.day.nunique() == 1:
            return lambda count: pd.DateOffset(months=every * count)
        if all(map(pd.offsets.BMonthEnd().is_on_offset, days)):
            return lambda count: pd.offsets.BMonthEnd(every * count)
        if all(map(pd.offsets.BMonthBegin().is_on_offset, days)):
            return lambda count: pd.offsets.BMonthBegin(every * count)
    for half in (pd.offsets.SemiMonthEnd, pd.offsets.SemiMonthBegin):
        if all(before + half() == after for before, after in pairwise(days)):
            return half
    between = commonest(np.diff(days.to_numpy()) // np.timedelta64(1, "D"))
    if between == 1 and len(days) >= WEEKS and (days.day_of_week < 5).all():
        return pd.offsets.BusinessDay
    return lambda count: pd.DateOffset(days=between * count)


def commonest(whole: NDArray[np.int64]) -> int:
    """The most frequent of some whole numbers, the least of several."""
    values, counts = np.unique(whole, return_counts=True)
    return int(values[counts.argmax()])

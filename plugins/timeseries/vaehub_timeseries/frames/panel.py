"""A frame as the series that a model sees, and back."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub_timeseries.frames.columns import Limits
from vaehub_timeseries.frames.gap_limits import GapLimits, Timeline
from vaehub_timeseries.frames.grid import Floats, Grid
from vaehub_timeseries.frames.layout import Bools, Layout
from vaehub_timeseries.frames.rows import Rows
from vaehub_timeseries.frames.schema import Form, Schema


@final
@dataclass(frozen=True, eq=False)
class Series:
    """One stretch of an entity on a regular grid: values (T, C) in the user's units, NaN where nothing is observed.

    An entity is several series where it has a hole too long to bridge. start: the first stamp; step: of the grid (ns, or the frame's own numbers).
    """

    entity: Hashable
    values: NDArray[np.float64]
    start: float
    step: float
    unit: str
    zoned: bool = False

    @cached_property
    def index(self) -> pd.Index:
        """Stamps (T,): in UTC where the frame has a time zone; numbers where its time is numbers."""
        whole: bool = float(self.start).is_integer() and float(self.step).is_integer()
        if self.unit == "ns":
            ticks = int(self.start) + np.rint(np.arange(len(self.values)) * self.step).astype(np.int64)
            return pd.DatetimeIndex(ticks, tz="UTC" if self.zoned else None)
        if whole:
            return pd.RangeIndex(int(self.start), int(self.start + self.step * len(self.values)), int(self.step))
        numbers: pd.Index = pd.Index(self.start + np.arange(len(self.values)) * self.step)
        return numbers


@final
class Panel:
    """A frame as series on a regular grid, and the way back from them. added (R,): rows that the user's frame did not have."""

    def __init__(self, frame: pd.DataFrame, schema: Schema, rows: Rows, grid: Grid, layout: Layout, added: Bools) -> None:
        self.frame, self.schema, self.rows, self.grid, self.layout, self.added = frame, schema, rows, grid, layout, added

    @cached_property
    def flat(self) -> Floats:
        """The values of all series, one below the other (G, C)."""
        return self.layout.values()

    @cached_property
    def series(self) -> list[Series]:
        """The series of all entities, one after the other; an entity's in order of time."""
        grid, stamps = self.grid, self.rows.stamps
        parts = np.split(self.flat, grid.bounds[1:-1])
        origin = zip(grid.owner.tolist(), grid.start.tolist(), parts, strict=True)
        zoned = stamps.zone is not None
        return [Series(self.rows.names[who], part, start, grid.step, stamps.unit, zoned) for who, start, part in origin]

    @cached_property
    def reading_times(self) -> list[Floats] | None:
        """When the readings of each step of each series (T,) were taken, in steps from its beginning; None where all lie on the grid."""
        grid = self.grid
        if not grid.part.any():
            return None
        times = grid.average(grid.nearest, grid.low + grid.part, grid.size)
        times = np.where(np.isnan(times), np.arange(grid.size), times)
        return [part - start for part, start in zip(np.split(times, grid.bounds[1:-1]), grid.bounds[:-1].tolist(), strict=True)]

    @cached_property
    def censored(self) -> list[Limits] | None:
        """Between which numbers the cells of each series (T, C) lie by readings such as <0.5 and >100, which are NaN in its values; -inf and
        inf for all other cells. None where the frame has no such reading."""
        limits = self.layout.limits()
        if limits is None:
            return None
        seen = ~np.isnan(self.flat)
        limits.lower[seen], limits.upper[seen] = -np.inf, np.inf
        cuts = self.grid.bounds[1:-1]
        return [Limits(lower, upper) for lower, upper in zip(*(np.split(side, cuts) for side in limits), strict=True)]

    def fill(self, filled: Sequence[Floats]) -> pd.DataFrame:
        """The user's frame with its missing cells from `filled`, one (T, C) a series; all else comes back bit for bit."""
        return self.layout.fill(self._flat(filled))

    def spread(self, numbers: Sequence[Floats]) -> pd.DataFrame:
        """`numbers`, one (T, C) a series, at every number of the frame: its rows and index, its columns (the long form: its one column)."""
        return self.layout.spread(self._flat(numbers))

    @cached_property
    def timeline(self) -> Timeline:
        """The rows in the order of series and time."""
        return Timeline(self.rows, self.schema.step, self.layout.variable)

    def leaving_gaps(self, limits: GapLimits) -> Panel:
        """The same panel, but `fill` leaves some gaps as they are, and `spread` gives NaN there."""
        if limits.fills_all:
            return self
        layout = self.layout.leaving_gaps(limits, self.timeline)
        return Panel(self.frame, self.schema, self.rows, self.grid, layout, self.added)

    def keys(self) -> pd.DataFrame:
        """The columns that say what a row is: time, entity and, in the long form, variable."""
        form: Form = self.schema.form
        return self.frame.loc[:, [label in form.labels for label in self.frame.columns]].copy()

    def members(self, entity: int) -> NDArray[np.intp]:
        """The rows of an entity, by its code."""
        first, last = np.searchsorted(self.rows.entity[self._by_entity], [entity, entity + 1])
        return self._by_entity[first:last]

    @cached_property
    def _by_entity(self) -> NDArray[np.intp]:
        return np.argsort(self.rows.entity, kind="stable")

    def _flat(self, parts: Sequence[Floats]) -> Floats:
        shapes = [(int(length), len(self.schema.channels)) for length in np.diff(self.grid.bounds)]
        if [part.shape for part in parts] != shapes:
            raise ValueError(
                f"{len(parts)} arrays for {len(shapes)} series, each (T, {len(self.schema.channels)}) as the series themselves"
            )
        return np.concatenate(parts)

"""Cells of the frame and cells of the grid: there and back, in the wide and in the long form."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub_timeseries.frames.columns import ColumnCodec, Limits
from vaehub_timeseries.frames.gap_limits import GapLimits, Timeline
from vaehub_timeseries.frames.grid import Floats, Grid, Ints
from vaehub_timeseries.frames.labels import column_label, column_of, place_of

Bools = NDArray[np.bool_]


class TargetCells(NamedTuple):
    """A column to impute: its missing cells (R,), which of them are not filled (R,), and the channel of every cell (R,)."""

    label: Hashable
    missing: Bools
    left: Bools
    channel: Ints


class Layout(ABC):
    """Where the cells of a frame with R rows lie on a grid of G rows and C channels."""

    @abstractmethod
    def values(self) -> Floats:
        """The grid (G, C), NaN where nothing is observed."""

    @abstractmethod
    def limits(self) -> Limits | None:
        """Between which numbers the cells of the grid (G, C) lie by readings such as <0.5; None where there are none."""

    @abstractmethod
    def fill(self, flat: Floats) -> pd.DataFrame:
        """The frame with its missing cells from the grid (G, C)."""

    @abstractmethod
    def spread(self, flat: Floats) -> pd.DataFrame:
        """The grid (G, C) at every number of the frame that is to be imputed; NaN where a gap is not filled."""

    @property
    @abstractmethod
    def variable(self) -> Ints | None:
        """The long form: the variable of every row (R,)."""

    @abstractmethod
    def targets(self) -> list[TargetCells]:
        """The columns to impute."""

    @abstractmethod
    def leaving_gaps(self, limits: GapLimits, timeline: Timeline) -> Layout:
        """The same, but some gaps are not filled."""


@dataclass(frozen=True)
class CodedColumn:
    """A column of the wide form: its channels, their values (R, K), the cells to write (R,) and those that are missing (R,)."""

    label: Hashable
    channels: slice
    codec: ColumnCodec
    values: Floats
    write: Bools
    spreads: bool
    limits: Limits | None = None
    target: bool = field(kw_only=True)
    missing: Bools = field(kw_only=True)


@final
@dataclass(frozen=True)
class Wide(Layout):
    """One column a variable. added (R,): rows that the user's frame did not have."""

    frame: pd.DataFrame
    grid: Grid
    columns: Sequence[CodedColumn]
    added: Bools = field(kw_only=True)

    def values(self) -> Floats:
        """Channel by channel, the mean where several readings share a row of the grid."""
        near = self.grid.nearest
        parts = [self.grid.average(near, values, self.grid.size) for coded in self.columns for values in coded.values.T]
        return np.stack(parts, axis=1)

    def limits(self) -> Limits | None:
        """Column by column."""
        if all(coded.limits is None for coded in self.columns):
            return None
        lower, upper = unlimited((self.grid.size, self.columns[-1].channels.stop))
        for coded in (coded for coded in self.columns if coded.limits is not None):
            tighten(Limits(lower[:, coded.channels.start], upper[:, coded.channels.start]), self.grid.nearest, coded.limits)
        return Limits(lower, upper)

    def fill(self, flat: Floats) -> pd.DataFrame:
        """Column by column; those without a gap are left alone."""
        changed = [coded for coded in self.columns if coded.write.any() or (coded.missing & self.added).any()]
        return with_columns(self.frame, {place_of(self.frame, coded.label): self._written(coded, flat) for coded in changed})

    def _written(self, coded: CodedColumn, flat: Floats) -> pd.Series:
        column = emptied(column_of(self.frame, coded.label), self.added & coded.missing & ~coded.write)
        numbers = self.grid.read(flat[:, coded.channels], np.flatnonzero(coded.write))
        return with_cells(column, coded.write, coded.codec.decode(column, checked_finite(numbers, coded.label)))

    def spread(self, flat: Floats) -> pd.DataFrame:
        """Columns of numbers only: a category has no quantiles."""
        every = np.arange(len(self.frame))
        shown = [coded for coded in self.columns if coded.spreads]
        channels = [coded.channels.start for coded in shown]
        numbers = self.grid.read(flat[:, channels], every)
        for place, coded in enumerate(shown):
            numbers[coded.missing & ~coded.write, place] = np.nan
        return pd.DataFrame(numbers, index=self.frame.index, columns=label_index(self.frame, [coded.label for coded in shown]))

    @property
    def variable(self) -> Ints | None:
        """Each column is a variable."""
        return None

    def targets(self) -> list[TargetCells]:
        """Column by column; a category is told by its first channel."""
        return [
            TargetCells(c.label, c.missing, c.missing & ~c.write, np.full(len(c.missing), c.channels.start))
            for c in self.columns
            if c.target
        ]

    def leaving_gaps(self, limits: GapLimits, timeline: Timeline) -> Layout:
        """Column by column."""
        columns = [replace(c, write=c.write & ~limits.leaves(timeline.gaps(c.missing))) for c in self.columns]
        return replace(self, columns=columns)


@final
@dataclass(frozen=True)
class Long(Layout):
    """One row a cell. channel (R,): the variable of each row; cells (R,): its value; write (R,): the rows to write; shown (R,): those to spread.

    missing (R,): rows without a value; added (R,): rows that the user's frame did not have; sided: limits (R,).
    """

    frame: pd.DataFrame
    grid: Grid
    label: Hashable
    codec: ColumnCodec
    channel: Ints
    cells: Floats
    write: Bools
    shown: Bools
    count: int
    sided: Limits | None = None
    missing: Bools = field(kw_only=True)
    added: Bools = field(kw_only=True)

    def values(self) -> Floats:
        """Every cell of the grid at once."""
        where = self.grid.nearest * self.count + self.channel
        return self.grid.average(where, self.cells, self.grid.size * self.count).reshape(-1, self.count)

    def limits(self) -> Limits | None:
        """Every cell of the grid at once."""
        if self.sided is None:
            return None
        found = unlimited((self.grid.size * self.count,))
        tighten(found, self.grid.nearest * self.count + self.channel, self.sided)
        return Limits(found.lower.reshape(-1, self.count), found.upper.reshape(-1, self.count))

    def fill(self, flat: Floats) -> pd.DataFrame:
        """The one column of values."""
        at = np.flatnonzero(self.write)
        numbers = checked_finite(self.grid.read(flat, at, self.channel[at]), self.label)
        column = emptied(column_of(self.frame, self.label), self.added & self.missing & ~self.write)
        cells = self.codec.decode(column, numbers[:, None])
        return with_columns(self.frame, {place_of(self.frame, self.label): with_cells(column, self.write, cells)})

    def spread(self, flat: Floats) -> pd.DataFrame:
        """One column; NaN in the rows of variables that are not to be imputed."""
        numbers = self.grid.read(flat, np.arange(len(self.frame)), self.channel)
        there = self.shown & ~(self.missing & ~self.write)
        return pd.DataFrame({self.label: np.where(there, numbers, np.nan)}, index=self.frame.index)

    @property
    def variable(self) -> Ints | None:
        """As the rows say."""
        return self.channel

    def targets(self) -> list[TargetCells]:
        """The one column of values."""
        return [TargetCells(self.label, self.missing, self.missing & ~self.write, self.channel)]

    def leaving_gaps(self, limits: GapLimits, timeline: Timeline) -> Layout:
        """Variable by variable."""
        return replace(self, write=self.write & ~limits.leaves(timeline.gaps(self.missing)))


def unlimited(shape: tuple[int, ...]) -> Limits:
    """Limits that say nothing."""
    return Limits(np.full(shape, -np.inf), np.full(shape, np.inf))


def tighten(limits: Limits, where: Ints, found: Limits | None) -> None:
    """Put the limits of readings (R,) at their places, the tightest of several."""
    if found is not None:
        np.maximum.at(limits.lower, where, found.lower)
        np.minimum.at(limits.upper, where, found.upper)


def label_index(frame: pd.DataFrame, chosen: Sequence[Hashable]) -> pd.Index:
    """Some of the columns, as an index of the frame's own kind."""
    return frame.columns[[place_of(frame, label) for label in chosen]]


def checked_finite(numbers: Floats, label: Hashable) -> Floats:
    """The numbers, which must be there. Raises ValueError."""
    if not np.isfinite(numbers).all():
        raise ValueError(f"{column_label(label)}: what is filled in must be finite")
    return numbers


def with_cells(column: pd.Series, where: Bools, cells: Any) -> pd.Series:
    """The column with some cells replaced; the others keep their bits."""
    sparse = isinstance(column.dtype, pd.SparseDtype)
    array = np.array(column) if sparse else column.array.copy()
    array[where] = cells
    return pd.Series(array, dtype=column.dtype, copy=False)


def emptied(column: pd.Series, where: Bools) -> pd.Series:
    """The column with some cells missing; whole numbers and booleans that cannot be so become pandas' nullable ones."""
    return column.convert_dtypes().mask(where) if where.any() and is_gapless(column) else column


def is_gapless(column: pd.Series) -> bool:
    """Whether the dtype cannot hold a missing cell: numpy's whole numbers and booleans."""
    return isinstance(column.dtype, np.dtype) and column.dtype.kind in "iub"


def with_columns(frame: pd.DataFrame, columns: dict[int, pd.Series]) -> pd.DataFrame:
    """A copy of the frame with some columns, by their place, replaced: at once, as one by one takes long where there are thousands."""
    rows = pd.RangeIndex(len(frame))
    parts = {place: columns.get(place, series) for place, (_, series) in enumerate(frame.set_axis(rows).items())}
    out = pd.DataFrame(parts, index=rows).set_axis(frame.index)
    out.columns, out.attrs = frame.columns, frame.attrs
    return out

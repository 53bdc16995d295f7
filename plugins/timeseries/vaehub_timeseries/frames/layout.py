"""Cells of the frame and cells of the grid: there and back, in the wide and in the long form."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub_timeseries.frames.columns import ColumnCodec, Limits
from vaehub_timeseries.frames.grid import Floats, Grid, Ints
from vaehub_timeseries.frames.labels import column_label, column_of, place_of

Bools = NDArray[np.bool_]


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
        """The grid (G, C) at every number of the frame that is to be imputed."""


@dataclass(frozen=True)
class CodedColumn:
    """A column of the wide form: its channels, their values (R, K) and the cells to write (R,)."""

    label: Hashable
    channels: slice
    codec: ColumnCodec
    values: Floats
    write: Bools
    spreads: bool
    limits: Limits | None = None


@final
@dataclass(frozen=True)
class Wide(Layout):
    """One column a variable."""

    frame: pd.DataFrame
    grid: Grid
    columns: Sequence[CodedColumn]

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
        columns = {place_of(self.frame, coded.label): self._written(coded, flat) for coded in self.columns if coded.write.any()}
        return with_columns(self.frame, columns)

    def _written(self, coded: CodedColumn, flat: Floats) -> pd.Series:
        column = column_of(self.frame, coded.label)
        numbers = self.grid.read(flat[:, coded.channels], np.flatnonzero(coded.write))
        return with_cells(column, coded.write, coded.codec.decode(column, checked_finite(numbers, coded.label)))

    def spread(self, flat: Floats) -> pd.DataFrame:
        """Columns of numbers only: a category has no quantiles."""
        every = np.arange(len(self.frame))
        shown = [coded for coded in self.columns if coded.spreads]
        channels = [coded.channels.start for coded in shown]
        numbers = self.grid.read(flat[:, channels], every)
        return pd.DataFrame(numbers, index=self.frame.index, columns=label_index(self.frame, [coded.label for coded in shown]))


@final
@dataclass(frozen=True)
class Long(Layout):
    """One row a cell. channel (R,): the variable of each row; cells (R,): its value; write (R,): the rows to write; shown (R,): those to spread;
    sided: limits (R,)."""

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
        column = column_of(self.frame, self.label)
        cells = self.codec.decode(column, numbers[:, None])
        return with_columns(self.frame, {place_of(self.frame, self.label): with_cells(column, self.write, cells)})

    def spread(self, flat: Floats) -> pd.DataFrame:
        """One column; NaN in the rows of variables that are not to be imputed."""
        numbers = self.grid.read(flat, np.arange(len(self.frame)), self.channel)
        return pd.DataFrame({self.label: np.where(self.shown, numbers, np.nan)}, index=self.frame.index)


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


def with_columns(frame: pd.DataFrame, columns: dict[int, pd.Series]) -> pd.DataFrame:
    """A copy of the frame with some columns, by their place, replaced: at once, as one by one takes long where there are thousands."""
    rows = pd.RangeIndex(len(frame))
    parts = {place: columns.get(place, series) for place, (_, series) in enumerate(frame.set_axis(rows).items())}
    out = pd.DataFrame(parts, index=rows).set_axis(frame.index)
    out.columns, out.attrs = frame.columns, frame.attrs
    return out

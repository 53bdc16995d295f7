"""A regular grid under readings at any time: where each lies on it, to it and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaehub import UsageError
from vaehub_timeseries.frames.stamps import Numbers

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

HOLES = (10_000, 1_000, 100, 10)  # steps without a reading that a series may span: the widest with a grid that is not too long
ROOM = 20  # rows of the grid per reading
MAX_CELLS = 250_000_000  # of the grid: 2 GB
REGULAR = 0.9  # share of the differences that are whole steps, so that every reading is put on the grid


@dataclass(frozen=True)
class Grid:
    """R readings on S series that lie one after the other in G rows.

    low (R,): the row at or before a reading; part (R,): how far on its way to the next, in [0, 1);
    bounds (S + 1,): where the series begin; start (S,): their first stamps; owner (S,): their entities.
    """

    low: Ints
    part: Floats
    bounds: Ints
    start: Numbers
    owner: Ints
    step: float

    @property
    def size(self) -> int:
        """G."""
        return int(self.bounds[-1])

    @property
    def nearest(self) -> Ints:
        """The row that a reading counts for, (R,)."""
        return self.low + (self.part >= 0.5)

    def average(self, cells: Ints, values: Floats, size: int) -> Floats:
        """The mean of the values in each of `size` cells, NaN where there is none; a lone value as it is."""
        seen = ~np.isnan(values)
        cells, values = cells[seen], values[seen]
        count = np.bincount(cells, minlength=size)
        out = np.full(size, np.nan)
        out[cells] = values
        many = count > 1
        if many.any():
            out[many] = np.bincount(cells, weights=values, minlength=size)[many] / count[many]
        return out

    def read(self, flat: Floats, at: NDArray[np.intp], channel: NDArray[np.intp] | slice = slice(None)) -> Floats:
        """Rows (G, C), or a channel of each, at some readings: on a line between two rows of the grid."""
        low, part = self.low[at], self.part[at]
        out: Floats = flat[low, channel]
        between = np.flatnonzero(part)
        if len(between):
            weight = part[between].reshape(-1, *[1] * (out.ndim - 1))
            after = flat[low[between] + 1, channel if isinstance(channel, slice) else channel[between]]
            out[between] = (1 - weight) * out[between] + weight * after
        return out


def make_grid(entity: Ints, at: Numbers, step: float, channels: int) -> Grid:
    """The grid of readings (R,) in any order. Raises UsageError where it would not fit into memory."""
    order = np.lexsort((at, entity))
    owner, stamps = entity[order], at[order]
    same = np.diff(owner) == 0
    ratio = np.where(same, np.diff(stamps) / step, 0.0)
    ratio = snapped_to_steps(ratio)
    cut = ~same | (ratio > widest_hole(ratio, len(at)))
    first = np.flatnonzero(np.concatenate([[True], cut]))
    place = positions(ratio, cut, first)
    lengths = np.ceil(np.maximum.reduceat(place, first)).astype(np.int64) + 1
    if (cells := int(lengths.sum()) * channels) > MAX_CELLS:
        raise UsageError(
            f"a grid of {int(lengths.sum()):,} rows x {channels:,} columns, more than {MAX_CELLS:,} cells ({cells:,}); set a wider step= (--step)"
        )
    bounds = np.concatenate([[0], lengths.cumsum()])
    series = np.concatenate([[0], cut.cumsum()])
    low, part = np.empty(len(at), np.int64), np.empty(len(at))
    low[order] = bounds[series] + np.floor(place).astype(np.int64)
    part[order] = place - np.floor(place)
    return Grid(low, part, bounds, stamps[first], owner[first], step)


def snapped_to_steps(ratio: Floats) -> Floats:
    """Differences in steps, made whole where nearly all are: jitter, months and a change of clocks leave no trace."""
    between = ratio[ratio > 0]
    near = np.abs(between - np.rint(between)) < 0.12
    return np.rint(ratio) if len(between) and near.mean() >= REGULAR else ratio


def widest_hole(ratio: Floats, readings: int) -> int:
    """The longest time without a reading that does not end a series."""
    most = ROOM * readings + HOLES[0]
    return next((hole for hole in HOLES if ratio[ratio <= hole].sum() <= most), HOLES[-1])


def positions(ratio: Floats, cut: NDArray[np.bool_], first: Ints) -> Floats:
    """Steps since the first reading of the series, (R,)."""
    total = np.concatenate([[0.0], np.where(cut, 0.0, ratio).cumsum()])
    lengths = np.diff(np.append(first, len(total)))
    place: Floats = total - np.repeat(total[first], lengths)
    snapped = np.rint(place)
    return np.where(np.abs(place - snapped) < 1e-6, snapped, place)

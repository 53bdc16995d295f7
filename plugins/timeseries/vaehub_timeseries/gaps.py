"""Gaps as runs of steps in a channel: found in a mask, measured, and laid elsewhere in time.

Letters of shapes: T steps, C channels, G gaps.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Mask: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]


def gap_lengths(missing: Mask) -> Integers:
    """The length of the gap that each missing cell lies in: steps of its channel in a row (T, C), 0 where nothing is missing.

    >>> gap_lengths(np.array([[True], [True], [False], [True]])).tolist()
    [[2], [2], [0], [1]]
    """
    lengths = np.zeros(missing.shape, dtype=np.int64)
    gaps = Gaps.of(missing)
    lengths.T[missing.T] = np.repeat(gaps.length, gaps.length)
    return lengths


class Gaps(NamedTuple):
    """Runs of missing cells: first step, channel, length, each (G,)."""

    start: Integers
    channel: Integers
    length: Integers

    @staticmethod
    def of(missing: Mask) -> Gaps:
        """All gaps of a mask (T, C), by channel, then by time."""
        edges = np.diff(missing.T.astype(np.int8), axis=1, prepend=0, append=0)
        channel, start = np.nonzero(edges == 1)
        return Gaps(start, channel, np.nonzero(edges == -1)[1] - start)

    def capped(self, most: Integers) -> Gaps:
        """No longer than most[channel]; gaps of length 0 are left out."""
        length = np.minimum(self.length, most[self.channel])
        return Gaps(*(column[length > 0] for column in (self.start, self.channel, length)))

    def placed(self, together: Integers, chosen: Integers, place: Floats, steps: int) -> PlacedGaps:
        """The gaps of the events `chosen`, each event moved as a whole to `place` in 0..1 of where it fits."""
        order = np.argsort(together, kind="stable")
        size = np.bincount(together)
        longest = np.zeros(len(size), dtype=np.int64)
        np.maximum.at(longest, together, self.length)
        start = (place * (steps - longest[chosen] + 1)).astype(np.int64)
        event = np.repeat(np.arange(len(chosen)), size[chosen])
        nth = np.arange(len(event)) - np.repeat(np.cumsum(size[chosen]) - size[chosen], size[chosen])
        source = order[(np.cumsum(size) - size)[chosen][event] + nth]
        return PlacedGaps(event, Gaps(start[event], self.channel[source], self.length[source]))


class PlacedGaps(NamedTuple):
    """Gaps in their new places, sorted by the event (G,) that each belongs to."""

    event: Integers
    gaps: Gaps

    def mask(self, events: int, shape: tuple[int, ...]) -> Mask:
        """The mask (T, C) of the first so many events."""
        start, channel, length = (column[: np.searchsorted(self.event, events)] for column in self.gaps)
        steps, channels = shape
        cells = (steps + 1) * channels
        opened = np.bincount(start * channels + channel, minlength=cells)
        closed = np.bincount((start + length) * channels + channel, minlength=cells)
        covered: Mask = (opened - closed).reshape(steps + 1, channels).cumsum(0)[:-1] > 0
        return covered

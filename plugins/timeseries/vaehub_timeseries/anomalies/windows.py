"""Statistics of the standardised residuals of a stretch of steps, and where the stretches lie.

Letters of shapes: T steps, M channels, K windows of one channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vaehub_timeseries.impute.anomalies import left_out_scores
from vaehub_timeseries.impute.blend import CalibratedBlend
from vaehub_timeseries.impute.experts import Floats, Integers, Mask
from vaehub_timeseries.impute.fitted import Fitted
from vaehub_timeseries.impute.scaled import ScaledSeries

OVERLAP = 2  # windows start every half length
OBSERVED = 0.5  # share of a window's cells that must be observed
CLIP = 3.0  # |z| of a cell in these statistics, so that one spike is not taken for a stretch (Huber, 1964, doi:10.1214/aoms/1177703732)


class Windows(NamedTuple):
    """Windows of one channel, each (K,): series, first step, and of z in each: mean, slope times half the length, and mean squares.

    square: about zero; rest: about the fitted line; odd: whether half of the window is odd already.
    """

    series: Integers
    start: Integers
    mean: Floats
    slope: Floats
    square: Floats
    rest: Floats
    odd: Mask

    @classmethod
    def joined(cls, parts: Sequence[Windows]) -> Windows:
        """Those of several, one after the other."""
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def offsets(length: int) -> list[int]:
    """How many steps before the series its first window begins."""
    return [k * length // OVERLAP for k in range(OVERLAP)]


def block_scores(
    fitted: Fitted, data: ScaledSeries, blend: CalibratedBlend, odd: Sequence[Mask], length: int, offset: int, together: bool
) -> list[Floats]:
    """z of every observed cell (T, M) when its block of `length` steps is left out: in all channels, or in one channel of three."""
    count = 2 if together else 3
    rounds = []
    for values in data.series:
        block = (np.arange(len(values)) + offset) // length
        turn = np.zeros(values.shape[1], dtype=np.int64) if together else np.arange(values.shape[1])
        rounds.append(np.asarray((block[:, None] + turn) % count))
    return left_out_scores(fitted, data, blend, rounds, count, odd)


def cut_windows(
    scores: Sequence[Floats], odd: Sequence[Mask], channel: int, length: int, offset: int, margin: int = 0
) -> Windows:
    """The windows of `length` steps of one channel, side by side in every series, those `margin` steps or more from its ends.

    scores: z (T, M) of every series, NaN where not observed.
    """
    return Windows.joined(
        [
            windows_of(z[:, channel], cells[:, channel], number, length, offset, margin)
            for number, (z, cells) in enumerate(zip(scores, odd, strict=True))
        ]
    )


def windows_of(z: Floats, odd: Mask, number: int, length: int, offset: int, margin: int) -> Windows:
    """The windows of one channel (T,) of the series of this number."""
    steps, seen = np.arange(len(z)) + offset, ~np.isnan(z)
    x: Floats = np.nan_to_num(z).clip(-CLIP, CLIP)
    block, position = steps // length, np.asarray((steps % length - (length - 1) / 2) / (length / 2), dtype=np.float64)
    count = (len(z) + offset - 1) // length + 1

    def total(numbers: Floats) -> Floats:
        return np.asarray(np.bincount(block, numbers * seen, count), dtype=np.float64)

    n, start = total(np.ones(len(z))), np.arange(count) * length - offset
    keep = (n >= OBSERVED * length) & (start >= margin) & (start + length <= len(z) - margin)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, centre, square = total(x) / n, total(position) / n, total(x**2) / n
        spread = total(position**2) / n - centre**2
        slope = (total(x * position) / n - mean * centre) / spread
        rest = np.maximum(square - mean**2 - slope**2 * spread, 0.0)
        half = total(odd.astype(np.float64)) >= n / 2
    whose = np.full(int(keep.sum()), number)
    return Windows(whose, start[keep], mean[keep], slope[keep], square[keep], rest[keep], half[keep])

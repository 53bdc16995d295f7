"""Statistics of the standardised residuals of a stretch of steps, and where the stretches lie.

Letters of shapes: T steps, M channels, K windows of one channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaehub_timeseries.impute.anomalies import left_out_scores
from vaehub_timeseries.impute.blend import CalibratedBlend
from vaehub_timeseries.impute.experts import Floats, Integers, Mask
from vaehub_timeseries.impute.fitted import Fitted
from vaehub_timeseries.impute.scaled import ScaledSeries

OBSERVED = 0.5  # share of a window's cells that must be observed
SMALL = 1e-6  # of a mean square


@dataclass(frozen=True)
class Windows:
    """Windows of one channel: series (K,), first step (K,), and of the residuals in each: mean, slope (times half the length), mean square.

    `rest` is the mean square about the fitted line; `odd` (K,): windows of which half is odd already.
    """

    length: int
    series: Integers
    start: Integers
    mean: Floats
    slope: Floats
    square: Floats
    rest: Floats
    odd: Mask

    def take(self, chosen: Mask) -> Windows:
        """Some of the windows."""
        return Windows(self.length, *(getattr(self, name)[chosen] for name in ("series", "start", "mean", "slope", "square", "rest", "odd")))


def block_scores(
    fitted: Fitted, data: ScaledSeries, blend: CalibratedBlend, odd: Sequence[Mask], length: int, offset: int, together: bool
) -> list[Floats]:
    """z of every observed cell (T, M) when all of its block of `length` steps is left out: of all channels together, or of one at a time."""
    count = 2 if together and length >= 48 else 3
    rounds = []
    for values in data.series:
        block = (np.arange(len(values)) + offset) // length
        shift = np.zeros(values.shape[1], dtype=np.int64) if together else np.arange(values.shape[1])
        rounds.append(np.asarray((block[:, None] + shift) % count))
    return left_out_scores(fitted, data, blend, rounds, count, odd)


def cut_windows(scores: Sequence[Floats], odd: Sequence[Mask], channel: int, length: int, offset: int) -> Windows:
    """The windows of `length` steps of one channel, side by side, the first cut short by `offset`."""
    parts = []
    for number, (z, o) in enumerate(zip(scores, odd, strict=True)):
        steps = len(z)
        block = (np.arange(steps) + offset) // length
        x, seen = np.nan_to_num(z[:, channel]), ~np.isnan(z[:, channel])
        position = ((np.arange(steps) + offset) % length - (length - 1) / 2) / (length / 2)
        count = int(block[-1]) + 1 if steps else 0

        def total(numbers: Floats, block: Integers = block, count: int = count) -> Floats:
            return np.asarray(np.bincount(block, numbers, count), dtype=np.float64)

        n = total(seen.astype(float))
        with np.errstate(invalid="ignore", divide="ignore"):
            mean, centre = total(x) / n, total(position * seen) / n
            spread = total(position**2 * seen) - n * centre**2
            slope = (total(x * position * seen) - n * mean * centre) / spread
            square = total(x**2) / n
            rest = square - mean**2 - slope**2 * spread / n
            share = total((o[:, channel] & seen).astype(float)) / n
        keep = n >= OBSERVED * length
        start = np.arange(count) * length - offset
        columns = (np.full(count, number), start, mean, slope, square, np.maximum(rest, 0.0), share >= 0.5)
        parts.append([np.asarray(column)[keep] for column in columns])
    return Windows(length, *(np.concatenate(column) for column in zip(*parts, strict=True)))

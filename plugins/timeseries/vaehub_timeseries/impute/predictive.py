"""The predictive distribution of the series of one frame: point estimates, quantiles and joint draws, in the user's units.

Letters of shapes: T steps, C channels of the frame, M of them modelled, n draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr

from vaehub_timeseries.impute.blend import CalibratedBlend
from vaehub_timeseries.impute.constraints import Constraint, project
from vaehub_timeseries.impute.experts import SMALLEST, Expert, Floats, Integers, Mask, Prediction
from vaehub_timeseries.impute.scaled import ScaledSeries

FURTHEST = 8.0  # sd of a draw: beyond it the normal distribution function is 0 or 1
MEDIAN = 0.5


@dataclass(frozen=True)
class Predictive:
    """The blended prediction (T, M) of every series, the most weighted expert and its own, the groups of cells, and the blend."""

    data: ScaledSeries
    drawing_expert: Expert
    drawing_predictions: Sequence[Prediction]
    predictions: Sequence[Prediction]
    groups: Sequence[Integers]
    blend: CalibratedBlend
    absent: Mask  # (M,) nothing observed in this frame
    constraints: Sequence[Constraint] = ()

    def quantile(self, level: float) -> list[Floats]:
        """The calibrated quantile of every cell (T, C); observed cells are the values."""
        return self.data.unscaled(self._quantile(level))

    def point(self) -> list[Floats]:
        """The estimate of every cell (T, C) with the least absolute error: the median, moved onto the constraints."""
        return self._constrained(self.quantile(MEDIAN))

    @cached_property
    def centre(self) -> list[Floats]:
        """The median of every cell (T, M), in scaled units, no farther than the bounds that data pile up at."""
        low, high = self.data.ends
        return [median.clip(low, high) for median in self._quantile(MEDIAN)]

    @cached_property
    def deviation(self) -> list[Floats]:
        """Half the width of the central 68 % interval of every cell (T, M), in scaled units."""
        tails = ndtr(np.array([-1.0, 1.0]))
        width = np.diff(self.blend.table(tails, self.absent), axis=1)[:, 0] / 2
        return [b.sd * width[g] for b, g in zip(self.predictions, self.groups, strict=True)]

    def _quantile(self, level: float) -> list[Floats]:
        table = self.blend.table(np.array([level]), self.absent)[:, 0]
        out = [b.mean + b.sd * table[g] for b, g in zip(self.predictions, self.groups, strict=True)]
        for values, limit in zip(out, self.data.limits, strict=bool(self.data.limits)):
            values[limit.cut] = limit.quantiles(np.full(limit.cut.sum(), level))
        return out

    def draws(self, n: int, seed: int) -> list[list[Floats]]:
        """n times every series (T, C): joint draws of the most weighted expert, moved onto the calibrated quantiles cell by cell."""
        drawn = self.drawing_expert.draw(self.data.series, n, seed)
        levels = [_levels(d, b) for d, b in zip(drawn, self.drawing_predictions, strict=True)]
        rng = np.random.default_rng(seed)
        for level, limit in zip(levels, self.data.limits, strict=bool(self.data.limits)):
            level[:, limit.cut] = rng.random((n, int(limit.cut.sum())))
        parts = [[self._calibrated(i, level[k]) for i, level in enumerate(levels)] for k in range(n)]
        return [self._constrained(self.data.unscaled(part)) for part in parts]

    def _constrained(self, series: list[Floats]) -> list[Floats]:
        """Series (T, C) in the user's units, moved onto the constraints in units of the predictive sd."""
        if not self.constraints:
            return series
        lower, upper = self.data.scaler.bounds
        moved = zip(series, self.data.raw, self._sd, strict=True)
        return [project(x, ~np.isnan(raw), sd, self.constraints, lower, upper) for x, raw, sd in moved]

    @cached_property
    def _sd(self) -> list[Floats]:
        """Half the width of the central 68 % interval of every cell (T, C) in the user's units, and a little more than 0."""
        low, high = (self.quantile(float(level)) for level in ndtr(np.array([-1.0, 1.0])))
        return [np.maximum((b - a) / 2, SMALLEST * self.data.scaler.spread) for a, b in zip(low, high, strict=True)]

    def _calibrated(self, number: int, levels: Floats) -> Floats:
        """The calibrated quantiles of one series at a level (T, M) for every cell."""
        prediction, group = self.predictions[number], self.groups[number]
        values = prediction.mean + prediction.sd * self.blend.quantiles_at(levels, group, self.absent)
        if self.data.limits:
            limit = self.data.limits[number]
            values[limit.cut] = limit.quantiles(levels[limit.cut])
        return values


def _levels(drawn: Floats, prediction: Prediction) -> Floats:
    """Which quantile of its own cell each draw (n, T, M) is."""
    sd = np.where(prediction.sd > 0, prediction.sd, 1.0)
    return np.asarray(ndtr(((drawn - prediction.mean) / sd).clip(-FURTHEST, FURTHEST)))

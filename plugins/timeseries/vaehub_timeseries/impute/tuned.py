"""What rehearsal taught: how much to believe each expert, and what errors to expect.

Letters of shapes: T steps, C channels, B bins of gap lengths, K experts, Q levels, n rehearsed cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from vaehub_timeseries.impute.conformal import Calibration, scores
from vaehub_timeseries.impute.experts import Belief, Floats, Integers, Mask, blend
from vaehub_timeseries.impute.gate import losses, weights
from vaehub_timeseries.impute.rehearsal import Rehearsed

BLOCKS = 8  # of the data, every other one of which tests what the rest taught
LINEAR = 0  # the number of the expert that the imputer is never worse than


@dataclass(frozen=True)
class Tuned:
    """Weights of the experts (C * B, K), the calibration, and the channels (C,) whose estimate is linear interpolation as it is."""

    weights: Floats
    calibration: Calibration
    plain: Mask

    @classmethod
    def of(cls, rehearsed: Rehearsed, channels: int) -> Tuned:
        """From rehearsed cells. Where linear interpolation has the smaller error on cells that were not learnt from, it is kept."""
        free = cls.learnt(rehearsed, channels, np.zeros(channels, dtype=bool))
        judged = Judged.of(rehearsed, channels)
        return cls.learnt(rehearsed, channels, judged.worse) if judged.worse.any() else free

    @classmethod
    def learnt(cls, rehearsed: Rehearsed, channels: int, plain: Mask) -> Tuned:
        """As the cells say, but linear interpolation in the `plain` channels (C,)."""
        experts = len(rehearsed.means)
        best = weights(losses(rehearsed, channels), experts)
        best[plain] = np.eye(experts)[LINEAR]
        flat = best.reshape(-1, experts)
        mean, sd = blend(rehearsed.means, rehearsed.sds, flat[rehearsed.group].T)
        pool = scores(rehearsed.group, (rehearsed.truth - mean) / sd, rehearsed.weight, channels)
        return cls(flat, Calibration.of(pool), plain)

    def blend(self, beliefs: Sequence[Belief], group: Integers, missing: Mask) -> Belief:
        """The experts' beliefs about a series (T, C) as one, by the group of every cell."""
        means, sds = np.stack([b.mean for b in beliefs]), np.stack([b.sd for b in beliefs])
        mean, sd = blend(means, sds, np.moveaxis(self.weights[group], -1, 0))
        return Belief(np.where(missing, mean, means[0]), np.where(missing, sd, 0.0))

    def table(self, levels: Floats, absent: Mask) -> Floats:
        """Standardised quantiles (C * B, Q). Of channels (C,) with nothing observed those of a Gaussian."""
        table = self.calibration.quantiles(levels)
        median = self.calibration.quantiles(np.array([0.5]))
        table[self.plain] -= median[self.plain]
        table[absent] = norm.ppf(levels)
        return table.reshape(-1, len(levels))

    def at(self, levels: Floats, group: Integers, absent: Mask) -> Floats:
        """The standardised quantile at a level of its own for every cell of a series (T, C)."""
        out = self.calibration.at(levels, group)
        median = self.calibration.quantiles(np.array([0.5]))[..., 0]
        out = out - (median * self.plain[:, None]).reshape(-1)[group]
        return np.where(absent, norm.ppf(levels), out)

    def predict(self, cells: Rehearsed) -> tuple[Floats, Floats]:
        """Point estimates (n,) of hidden cells, and the level (n,) that each truth turned out to be."""
        mean, sd = blend(cells.means, cells.sds, self.weights[cells.group].T)
        absent = np.zeros(len(self.plain), dtype=bool)
        level = self.calibration.levels((cells.truth - mean) / sd, cells.group)
        return mean + sd * self.table(np.array([0.5]), absent)[cells.group, 0], level


@dataclass(frozen=True)
class Judged:
    """Rehearsed cells by the part of the data that they were not learnt from: error (n,) and level (n,) of each; `worse` (C,) than linear."""

    cells: Rehearsed
    error: Floats
    level: Floats
    worse: Mask

    @classmethod
    def of(cls, cells: Rehearsed, channels: int) -> Judged:
        """Every other block of the data is predicted by what the rest taught."""
        half = (cells.place * BLOCKS).astype(np.int64) % 2 == 1
        error, level = np.zeros(len(half)), np.full(len(half), 0.5)
        for part in (half, ~half):
            if part.any():
                tuned = Tuned.learnt(cells.take(~part), channels, np.zeros(channels, dtype=bool))
                estimate, level[part] = tuned.predict(cells.take(part))
                error[part] = np.abs(estimate - cells.truth[part])
        linear = np.abs(cells.means[LINEAR] - cells.truth)
        gained = np.bincount(cells.channel, linear - error, channels)
        return cls(cells, np.where(gained[cells.channel] < 0, linear, error), level, gained < 0)

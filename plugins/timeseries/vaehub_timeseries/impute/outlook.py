"""What is believed of the series of one frame: point estimates, quantiles and joint draws, in the user's units.

Letters of shapes: T steps, C channels of the frame, M of them known to the model, n draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr

from vaehub_timeseries.impute.experts import Belief, Expert, Floats, Integers, Mask
from vaehub_timeseries.impute.scaled import Scaled
from vaehub_timeseries.impute.tuned import Tuned

FURTHEST = 8.0  # sd of a draw: beyond it the normal distribution function is 0 or 1
MEDIAN = 0.5


@dataclass(frozen=True)
class Outlook:
    """The blended belief (T, M) about every series, the best expert and its own, the groups of cells, and what rehearsal taught."""

    data: Scaled
    best: Expert
    own: Sequence[Belief]
    beliefs: Sequence[Belief]
    groups: Sequence[Integers]
    tuned: Tuned
    absent: Mask  # (M,) nothing observed in this frame

    def quantile(self, level: float) -> list[Floats]:
        """The calibrated quantile of every cell (T, C); observed cells are the values."""
        return self.data.unscaled(self._quantile(level))

    def point(self) -> list[Floats]:
        """The estimate of every cell (T, C) with the least absolute error: the median."""
        return self.quantile(MEDIAN)

    @cached_property
    def centre(self) -> list[Floats]:
        """The same (T, M) in scaled units."""
        return self._quantile(MEDIAN)

    @cached_property
    def deviation(self) -> list[Floats]:
        """Half the width of the central 68 % interval of every cell (T, M), in scaled units."""
        tails = ndtr(np.array([-1.0, 1.0]))
        width = np.diff(self.tuned.table(tails, self.absent), axis=1)[:, 0] / 2
        return [b.sd * width[g] for b, g in zip(self.beliefs, self.groups, strict=True)]

    def _quantile(self, level: float) -> list[Floats]:
        table = self.tuned.table(np.array([level]), self.absent)[:, 0]
        return [b.mean + b.sd * table[g] for b, g in zip(self.beliefs, self.groups, strict=True)]

    def draws(self, n: int, seed: int) -> list[list[Floats]]:
        """n times every series (T, C): joint draws of the best expert, moved onto the calibrated quantiles cell by cell."""
        drawn = self.best.draw(self.data.series, n, seed)
        levels = [_levels(d, b) for d, b in zip(drawn, self.own, strict=True)]
        return [self.data.unscaled([self._moved(i, level[k]) for i, level in enumerate(levels)]) for k in range(n)]

    def _moved(self, number: int, levels: Floats) -> Floats:
        """The calibrated quantiles of one series at a level (T, M) for every cell."""
        belief, group = self.beliefs[number], self.groups[number]
        return belief.mean + belief.sd * self.tuned.at(levels, group, self.absent)


def _levels(drawn: Floats, belief: Belief) -> Floats:
    """Which quantile of its own cell each draw (n, T, M) is."""
    sd = np.where(belief.sd > 0, belief.sd, 1.0)
    return np.asarray(ndtr(((drawn - belief.mean) / sd).clip(-FURTHEST, FURTHEST)))

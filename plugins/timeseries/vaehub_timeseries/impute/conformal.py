"""Split-conformal calibration: from what experts claim to what their errors were.

Scores (x - m) / s of held-out cells give a distribution of standardised errors F per channel and gap length; the calibrated quantile of a
cell is m + s F⁻¹(q). F is the empirical distribution, drawn towards the coarser group's, at the top towards a Student t whose tails reach
beyond the data: with few scores the intervals are wide, not wrong. F need not be symmetric or have median 0. It is kept as its values on a
fixed grid, linear in between, so that pooling is addition, quantiles never cross, and the CRPS is a closed form.
"A tutorial on conformal prediction" (Shafer & Vovk, 2008), arXiv:0706.3188; CRPS: Gneiting & Raftery (2007), doi:10.1198/016214506000001437.
Letters of shapes: C channels, B bins of gap lengths, G grid points, Q levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from vaehub_timeseries.impute.experts import Floats, Integers
from vaehub_timeseries.impute.groups import EDGES, GroupSums

FURTHEST, POINTS = 300.0, 501  # of the grid of scores, even in asinh: fine about 0, coarse far out
GRID: Floats = np.sinh(np.linspace(-np.arcsinh(8 * FURTHEST), np.arcsinh(8 * FURTHEST), POINTS)) / 8
FREEDOM, PRIOR_TRUST = 4.0, 10.0  # of the Student t, and how many scores it is worth
TAILS = np.array([0.1, 0.9])
WIDTH = float(np.diff(student.ppf(TAILS, FREEDOM))[0])


def score_sums(group: Integers, standardised: Floats, weight: Floats, channels: int) -> GroupSums:
    """How many scores (n,) are below each grid point, by group; one between two points counts in part at both, half of it as below them.

    So equal scores, as of a channel that stands still, become a narrow symmetric peak about them.
    """
    upper = np.searchsorted(GRID, standardised).clip(1, POINTS - 1)
    share = ((standardised - GRID[upper - 1]) / (GRID[upper] - GRID[upper - 1])).clip(0, 1)
    size = channels * len(EDGES) * POINTS
    counts = np.bincount(group * POINTS + upper, weight * share, size)
    counts += np.bincount(group * POINTS + upper - 1, weight * (1 - share), size)
    counts = counts.reshape(channels, len(EDGES), POINTS)
    return GroupSums(counts.cumsum(-1) - counts / 2, counts.sum(-1))


def tail_scale(pool: GroupSums) -> float:
    """The scale of the Student t: twice what the scores show, 1, which experts claim, where there are none."""
    count = pool.count.sum()
    shown = np.diff(np.interp(TAILS, pool.total.sum((0, 1)) / max(count, 1.0), GRID))[0] / WIDTH
    return float(max((2 * count * shown + PRIOR_TRUST) / (count + PRIOR_TRUST), 0.1)) if count else 1.0


@dataclass(frozen=True)
class Calibration:
    """The distribution of standardised errors of every group: cdf (C, B, G) on the grid, from 0 to 1."""

    cdf: Floats

    @classmethod
    def of(cls, pool: GroupSums) -> Calibration:
        """From pooled scores."""
        cdf = pool.means(student.cdf(GRID / tail_scale(pool), FREEDOM), PRIOR_TRUST)
        cdf[..., 0], cdf[..., -1] = 0.0, 1.0
        return cls(cdf)

    def quantiles(self, levels: Floats) -> Floats:
        """Standardised quantiles (C, B, Q) at levels in 0..1."""
        flat = self.cdf.reshape(-1, POINTS)
        return np.array([np.interp(levels, row, GRID) for row in flat]).reshape(*self.cdf.shape[:2], len(levels))

    def quantiles_at(self, levels: Floats, group: Integers) -> Floats:
        """The standardised quantile at a level of its own for every cell (…), by its group."""
        out, flat = np.empty(levels.shape), self.cdf.reshape(-1, POINTS)
        for g in np.unique(group):
            chosen = group == g
            out[chosen] = np.interp(levels[chosen], flat[g], GRID)
        return out

    def levels(self, standardised: Floats, group: Integers) -> Floats:
        """F(z) of standardised truths (n,), the level that each turned out to be."""
        out, flat = np.empty(standardised.shape), self.cdf.reshape(-1, POINTS)
        for g in np.unique(group):
            chosen = group == g
            out[chosen] = np.interp(standardised[chosen], GRID, flat[g])
        return out

    def crps(self, standardised: Floats, group: Integers) -> Floats:
        """Continuous ranked probability score (n,) of standardised truths, ∫ (F(t) - 1[t ≥ z])² dt, in units of the sd."""
        flat, width = self.cdf.reshape(-1, POINTS), np.diff(GRID)
        below = np.pad((width * _mean_square(flat[:, :-1], flat[:, 1:])).cumsum(1), ((0, 0), (1, 0)))
        above = np.pad((width * _mean_square(1 - flat[:, :-1], 1 - flat[:, 1:])).cumsum(1), ((0, 0), (1, 0)))
        z = standardised.clip(GRID[0], GRID[-1])
        k = np.searchsorted(GRID, z).clip(1, POINTS - 1) - 1
        low, share = flat[group, k], (z - GRID[k]) / width[k]
        here = low + share * (flat[group, k + 1] - low)
        under = below[group, k] + share * width[k] * _mean_square(low, here)
        over = above[group, -1] - above[group, k] - share * width[k] * _mean_square(1 - low, 1 - here)
        crps: Floats = under + over + np.abs(standardised - z)
        return crps


def _mean_square(a: Floats, b: Floats) -> Floats:
    """Mean of the square of a line from a to b."""
    return (a * a + a * b + b * b) / 3

"""Cells of which only a limit is known: each stands in as the mean of what the other cells say, cut off at its limit.

E[u | low <= u <= high] of u ~ N(m, s²), with m and s given the cells that are not cut off: an E-step of the tobit model, "Estimation of
Relationships for Limited Dependent Variables" (Tobin, 1958), doi:10.2307/1907382. Letters of shapes: T steps, M channels, in scaled units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, final

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from vaehub_timeseries.impute.experts import Expert, Floats, Mask, Prediction

Predictor: TypeAlias = Callable[[Sequence[Floats]], list[Prediction]]
DEEPEST = 6.0  # standard deviations of a channel that a cell may lie beyond its limit
NEAR = 1e-9  # rounding, in scaled units


def truncated_mean(mean: Floats, sd: Floats, low: Floats, high: Floats) -> Floats:
    """The mean of N(mean, sd²) between two limits, either of which may be infinite.

    >>> round(float(truncated_mean(np.zeros(1), np.ones(1), np.full(1, -np.inf), np.zeros(1))[0]), 4)
    -0.7979
    """
    a, b = (low - mean) / sd, (high - mean) / sd
    with np.errstate(invalid="ignore", divide="ignore", over="ignore", under="ignore"):
        flip = a + b > 0  # the tail is worked out on the left side, where its logarithm is exact
        a, b = np.where(flip, -b, a), np.where(flip, -a, b)
        top = log_ndtr(b)
        mass = top + np.log1p(-np.exp(log_ndtr(a) - top))
        density = np.exp(-0.5 * b**2 - mass) - np.exp(-0.5 * a**2 - mass)
        shift = -density / np.sqrt(2 * np.pi)
    shift = np.where(np.isfinite(shift), shift, b).clip(a, b)
    return np.asarray((mean + sd * np.where(flip, -shift, shift)).clip(low, high))


def marginal_stand_ins(series: Sequence[Floats], low: Floats, high: Floats) -> list[Floats]:
    """A first guess before any model: every cell at a limit (M,) gets the mean of the tail of the normal distribution through the rest."""
    cells = np.concatenate(list(series))
    out = [values.copy() for values in series]
    for c in np.flatnonzero(np.isfinite(low) | np.isfinite(high)):
        seen = np.sort(cells[~np.isnan(cells[:, c]), c])
        if not len(seen):
            continue
        below, above = np.mean(seen <= low[c] + NEAR), np.mean(seen >= high[c] - NEAR)
        shares = np.array([below + 0.1 * (1 - above - below), below + 0.7 * (1 - above - below)])
        points = np.quantile(seen, shares)
        size = max(float(np.diff(points)[0] / np.diff(ndtri(shares))[0]), 1e-6)
        middle = float(points[1] - size * ndtri(shares[1]))
        least = truncated_mean(np.array([middle]), np.array([size]), np.array([-np.inf]), low[[c]])[0] if below else low[c]
        most = truncated_mean(np.array([middle]), np.array([size]), high[[c]], np.array([np.inf]))[0] if above else high[c]
        for values in out:
            values[values[:, c] <= low[c] + NEAR, c] = max(least, low[c] - DEEPEST)
            values[values[:, c] >= high[c] - NEAR, c] = min(most, high[c] + DEEPEST)
    return out


@final
class Censoring:
    """The E-step for series whose cells at the bounds low, high (M,) are known only to be there or beyond."""

    def __init__(self, predictor: Predictor, low: Floats, high: Floats) -> None:
        self.predictor, self.low, self.high = predictor, low, high
        self._last: tuple[Sequence[Floats], list[Floats]] = ((), [])  # the experts ask for the same series one after the other

    def at_bounds(self, values: Floats) -> Mask:
        """Observed cells (T, M) at a bound."""
        return np.asarray((values <= self.low + NEAR) | (values >= self.high - NEAR))

    def completed(self, series: Sequence[Floats]) -> list[Floats]:
        """Series (T, M) with a stand-in for every cell at a bound."""
        asked, _ = self._last
        if len(asked) != len(series) or any(a is not b for a, b in zip(asked, series, strict=True)):
            self._last = (list(series), self._completed(series))
        return self._last[1]

    def _completed(self, series: Sequence[Floats]) -> list[Floats]:
        cut = [self.at_bounds(values) for values in series]
        if not any(c.any() for c in cut):
            return list(series)
        low = [np.where(values >= self.high - NEAR, self.high, -np.inf) for values in series]
        high = [np.where(values <= self.low + NEAR, self.low, np.inf) for values in series]
        return stand_ins(self.predictor, series, cut, low, high)


def stand_ins(
    predictor: Predictor, series: Sequence[Floats], cut: Sequence[Mask], low: Sequence[Floats], high: Sequence[Floats]
) -> list[Floats]:
    """Series with the `cut` cells (T, M) as their truncated means between their limits (T, M), given all the other cells."""
    rest = [np.where(c, np.nan, values) for c, values in zip(cut, series, strict=True)]
    out = []
    for values, c, a, b, prediction in zip(series, cut, low, high, predictor(rest), strict=True):
        guess = values.copy()
        deepest = np.where(np.isinf(a[c]), b[c] - DEEPEST, a[c]), np.where(np.isinf(b[c]), a[c] + DEEPEST, b[c])
        guess[c] = truncated_mean(prediction.mean[c], prediction.sd[c], a[c], b[c]).clip(*deepest)
        out.append(guess)
    return out


@final
class CensoredExpert:
    """An expert that sees cells at a bound as what they probably would be, were they not cut off there."""

    def __init__(self, expert: Expert, censoring: Censoring) -> None:
        self.expert, self.censoring = expert, censoring

    @property
    def name(self) -> str:
        """That of the expert within."""
        return self.expert.name

    def predict(self, series: Sequence[Floats]) -> list[Prediction]:
        """The prediction of every series (T, M); observed cells come back as they are."""
        pairs = zip(series, self.expert.predict(self.censoring.completed(series)), strict=True)
        return [Prediction(np.where(np.isnan(x), b.mean, x), b.sd) for x, b in pairs]

    def draw(self, series: Sequence[Floats], n: int, seed: int) -> list[Floats]:
        """n joint draws (n, T, M) of every series."""
        drawn = self.expert.draw(self.censoring.completed(series), n, seed)
        return [np.where(np.isnan(x), draws, x) for x, draws in zip(series, drawn, strict=True)]


@dataclass(frozen=True)
class CensoredCells:
    """Cells of one series of which only limits were read: low and high (T, M) in scaled units, infinite on an open side and elsewhere.

    mean, sd (T, M): what the other cells say of them, once that is known.
    """

    cut: Mask
    low: Floats
    high: Floats
    mean: Floats
    sd: Floats

    @classmethod
    def of(cls, low: Floats, high: Floats) -> CensoredCells:
        """Limits (T, M), -inf and inf where there are none."""
        return cls(np.isfinite(low) | np.isfinite(high), low, high, np.zeros(low.shape), np.ones(low.shape))

    @property
    def nearest(self) -> Floats:
        """A finite limit (T, M) of every cell that is cut."""
        return np.where(np.isfinite(self.high), self.high, self.low)

    def given(self, prediction: Prediction) -> CensoredCells:
        """The same with what the other cells say."""
        return replace(self, mean=prediction.mean, sd=prediction.sd)

    @property
    def stand_in(self) -> Floats:
        """E[u | low <= u <= high] of the cells that are cut, one after the other."""
        return truncated_mean(self.mean[self.cut], self.sd[self.cut], self.low[self.cut], self.high[self.cut])

    def quantiles(self, level: Floats) -> Floats:
        """The quantiles of the cells that are cut at these levels, one for each."""
        mean, sd, low, high = (part[self.cut] for part in (self.mean, self.sd, self.low, self.high))
        below, above = ndtr((low - mean) / sd), ndtr((high - mean) / sd)
        inside = mean + sd * ndtri((below + level * (above - below)).clip(1e-300, 1 - 1e-16))
        return np.asarray(np.where(above - below > 1e-12, inside, self.stand_in).clip(low, high))


def with_stand_ins(
    predictor: Predictor, series: Sequence[Floats], limits: Sequence[CensoredCells]
) -> tuple[list[Floats], list[CensoredCells]]:
    """Series (T, M) with the truncated mean in every cell that is cut, and their limits with what the others say of them."""
    rest = [np.where(limit.cut, np.nan, values) for values, limit in zip(series, limits, strict=True)]
    informed = [limit.given(prediction) for limit, prediction in zip(limits, predictor(rest), strict=True)]
    for values, limit in zip(rest, informed, strict=True):
        values[limit.cut] = limit.stand_in
    return rest, informed

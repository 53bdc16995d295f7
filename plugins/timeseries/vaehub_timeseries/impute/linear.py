"""The simplest expert: linear interpolation, which is the mean of a random walk's bridge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, final

import numpy as np
from pydantic import FiniteFloat

from vaehub import files
from vaehub_timeseries.impute.experts import SMALLEST, Floats, Integers, Mask, Prediction, with_observed
from vaehub_timeseries.scale import Scaler


@final
class LinearExpert:
    """Linear interpolation in time, the nearest value at the ends, with `causal` the last value; sd of a random walk's bridge.

    The lines are straight in the user's units: `scaler` leads there where the scale of the series is another than a line.
    At distances l and r from the observed steps around it, the bridge of a walk with step variance s² has variance s² l r / (l + r),
    outside them s² l. No variance exceeds its channel's; a channel with nothing observed has mean 0 and that variance.
    """

    name = "linear"

    def __init__(self, step: Floats, spread: Floats, causal: bool = False, scaler: Scaler | None = None) -> None:
        self.step, self.spread, self.causal = step, spread, causal
        self.scaler = None if scaler is None or scaler.marginals is None else scaler

    @classmethod
    def fit(cls, series: Sequence[Floats], causal: bool = False, scaler: Scaler | None = None) -> LinearExpert:
        """Step variance of a walk through neighbouring observed cells and second moment, per channel (C,)."""
        steps = _mean_of([_squared_steps(values) for values in series])
        return cls(steps, _mean_of([values**2 for values in series]), causal, scaler)

    def predict(self, series: Sequence[Floats]) -> list[Prediction]:
        """The prediction of every series (T, C)."""
        return [self._predict_one(values) for values in series]

    def _predict_one(self, values: Floats) -> Prediction:
        neighbours = Neighbours.of(values, self.causal)
        return with_observed(values, self._interpolated(values, neighbours), np.sqrt(neighbours.variance(self.step, self.spread)))

    def _interpolated(self, values: Floats, neighbours: Neighbours) -> Floats:
        """Straight lines in the user's units; 0, the mean, where nothing is observed."""
        if self.scaler is None or self.scaler.marginals is None:
            return neighbours.interpolate(values)
        lines = self.scaler.scale(neighbours.interpolate(self.scaler.unscale(values)))
        changed = self.scaler.marginals.changed & ~neighbours.isolated
        return np.where(changed, lines, neighbours.interpolate(values))

    def draw(self, series: Sequence[Floats], n: int, seed: int) -> list[Floats]:
        """n draws (n, T, C) of every series: bridges of random walks about the interpolation."""
        rng = np.random.default_rng(seed)
        return [self._draw(values, n, rng) for values in series]

    def _draw(self, values: Floats, n: int, rng: np.random.Generator) -> Floats:
        """A walk less its own interpolation between the observed steps is a bridge; where nothing is observed it is a level."""
        neighbours, prediction = Neighbours.of(values, self.causal), self._predict_one(values)
        walk = rng.standard_normal((n, *values.shape)).cumsum(1)
        level = np.broadcast_to(rng.standard_normal((n, 1, values.shape[1])), walk.shape)
        bridge = walk - neighbours.interpolate(walk)
        length = neighbours.variance(np.ones_like(self.step), np.full_like(self.spread, np.inf))
        unit = np.where(neighbours.isolated, level, bridge / np.sqrt(np.where(length > 0, length, 1.0)))
        return np.where(np.isnan(values), prediction.mean + prediction.sd * unit, values)

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as JSON."""
        return {"step": self.step.tolist(), "spread": self.spread.tolist(), "causal": self.causal}

    @classmethod
    def restore(cls, state: dict[str, Any], scaler: Scaler | None = None) -> LinearExpert:
        """The expert whose `state` this is."""
        step, spread = (np.array(files.validated_json(list[FiniteFloat], state[name]), np.float64) for name in ("step", "spread"))
        return cls(step, spread, files.validated_json(bool, state["causal"]), scaler)


class Neighbours(NamedTuple):
    """The observed steps before and after every cell (T, C); -1 and T where there is none."""

    before: Integers
    after: Integers

    @classmethod
    def of(cls, values: Floats, causal: bool) -> Neighbours:
        """Where the cells of `values` (T, C) are observed; nothing is after a cell where only the past may be used."""
        steps = len(values)
        time, observed = np.arange(steps)[:, None], ~np.isnan(values)
        before = np.maximum.accumulate(np.where(observed, time, -1), axis=0)
        after = np.minimum.accumulate(np.where(observed, time, steps)[::-1], axis=0)[::-1]
        return cls(before, np.where(observed, time, steps) if causal else after)

    @property
    def isolated(self) -> Mask:
        """Cells with nothing observed on either side."""
        return np.asarray((self.before < 0) & (self.after >= len(self.after)))

    @property
    def distances(self) -> tuple[Floats, Floats]:
        """Steps to the observed cells before and after, inf where there is none."""
        time, steps = np.arange(len(self.before))[:, None], len(self.before)
        left = np.where(self.before >= 0, time - self.before, np.inf)
        return left, np.where(self.after < steps, self.after - time, np.inf)

    def interpolate(self, path: Floats) -> Floats:
        """`path` (…, T, C) at the observed steps, straight lines between them, constant outside, 0 where there are none."""
        ahead = (None,) * (path.ndim - 2)
        first = np.take_along_axis(path, np.maximum(self.before, 0)[ahead], -2)
        second = np.take_along_axis(path, np.minimum(self.after, len(self.after) - 1)[ahead], -2)
        left, right = self.distances
        with np.errstate(invalid="ignore"):
            share = np.where(np.isinf(right), 0.0, np.where(np.isinf(left), 1.0, left / np.maximum(left + right, 1)))
        return np.where(self.isolated, 0.0, np.where(share < 1, first, 0) * (1 - share) + np.where(share > 0, second, 0) * share)

    def variance(self, step: Floats, spread: Floats) -> Floats:
        """Of a bridge with this step variance (C,), at most `spread` (C,)."""
        left, right = self.distances
        with np.errstate(divide="ignore"):
            bridge = 1.0 / (1.0 / left + 1.0 / right)
        return np.minimum(step * bridge, spread)


def _squared_steps(values: Floats) -> Floats:
    """(x_t - x_s)² / (t - s) of every observed cell and the one observed before it (T, C), NaN elsewhere."""
    shifted = np.vstack([np.full((1, values.shape[1]), np.nan), values[:-1]])[: len(values)]
    before = Neighbours.of(shifted, causal=True).before
    time = np.arange(len(values))[:, None]
    change = values - np.take_along_axis(shifted, np.maximum(before, 0), 0)
    return np.where(before >= 0, change**2 / (time - before + 1), np.nan)


def _mean_of(squares: Sequence[Floats]) -> Floats:
    """Mean per channel over all series, NaN left out; 1 where there is none, never 0."""
    total = np.sum([np.nansum(s, axis=0) for s in squares], axis=0)
    count = np.sum([(~np.isnan(s)).sum(0) for s in squares], axis=0)
    return np.maximum(np.where(count > 0, total / np.maximum(count, 1), 1.0), SMALLEST)

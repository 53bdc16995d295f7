"""The structural expert: trend, rhythms and a stationary Gaussian process of the rest.

x_t = trend + Σ season + rest. Trend and seasons are estimated one after the other from what the ones before leave, each season at a step
from all periods but its own (`Season.leave_period_out`); so the rest has one law at observed and missing cells, and the process that is
fitted to it knows the error of the estimates too. Letters of shapes: T steps, C channels, n draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from pydantic import FiniteFloat

from vaehub import files
from vaehub_timeseries.impute.experts import Floats, Prediction, with_observed
from vaehub_timeseries.model.em import Autocovariance, fit_autocovariance
from vaehub_timeseries.model.gaussian import CLIP, GaussianExpert, clipped
from vaehub_timeseries.model.season import MEMORIES, RESOLUTION, Season
from vaehub_timeseries.model.trend import Trend

NOISES = (0.0003, 0.003, 0.03, 0.1, 0.3, 1.0, 3.0)  # white noise, as a share of the variance of the rest's process


@dataclass(frozen=True)
class Structure:
    """Trend and rhythms of a table. typical (C,): variance of the estimated rhythms at an observed cell, which the rest's process holds."""

    trend: Trend
    seasons: tuple[Season, ...]
    typical: Floats

    @classmethod
    def fit(cls, series: Sequence[Floats], periods: Sequence[float]) -> Structure | None:
        """The trend, for every period what recurs for good, then what changes; None where no channel has any of them."""
        trend = Trend.fit(series, max(periods, default=1.0))
        rest = [
            values.clip(-CLIP, CLIP) - trend.of(values)[0] if trend.span.any() else values.clip(-CLIP, CLIP) for values in series
        ]
        seasons: list[Season] = []
        variances = [np.zeros_like(values) for values in series]
        for period, width, memories in parts_to_try(periods):
            long = [values for values in rest if len(values) >= 2 * period]
            season = Season.fit(long or rest, period, width, memories)
            if season.signal.any():
                seasons.append(season)
                found = [season.leave_period_out(values) for values in rest]
                rest = [values - mean for values, (mean, _) in zip(rest, found, strict=True)]
                variances = [v + more for v, (_, more) in zip(variances, found, strict=True)]
        if not seasons and not trend.span.any():
            return None
        seen = [~np.isnan(values) for values in series]
        count = np.maximum(np.sum([s.sum(0) for s in seen], axis=0), 1)
        return cls(
            trend,
            tuple(seasons),
            np.sum([np.where(s, v, 0.0).sum(0) for s, v in zip(seen, variances, strict=True)], axis=0) / count,
        )

    @property
    def periods(self) -> tuple[float, ...]:
        """Of the rhythms, in steps."""
        return tuple(sorted({season.period for season in self.seasons}))

    def to_json(self) -> dict[str, Any]:
        """All numbers as lists."""
        seasons = [season.to_json() for season in self.seasons]
        return {"trend": self.trend.span.tolist(), "seasons": seasons, "typical": self.typical.tolist()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Structure:
        """What `to_json` gave. Raises ValueError, KeyError or TypeError where it is damaged."""
        trend, typical = (np.array(files.validated_json(list[FiniteFloat], value[name])) for name in ("trend", "typical"))
        return cls(Trend(trend), tuple(Season.from_json(season) for season in value["seasons"]), typical)

    def of(self, values: Floats, causal: bool) -> tuple[Floats, Floats]:
        """Mean (T, C) of trend and rhythms, and the variance (T, C) that they have beyond the typical one. A trend needs the whole series."""
        trend, beyond = (np.zeros_like(values), np.zeros_like(values)) if causal else self.trend.of(values)
        mean, variance = trend, np.zeros_like(values)
        rest = values.clip(-CLIP + np.minimum(trend, 0), CLIP + np.maximum(trend, 0)) - trend
        for season in self.seasons:
            part, more = season.leave_period_out(rest, causal)
            mean, variance, rest = mean + part, variance + more, rest - part
        return mean, np.maximum(variance - self.typical, 0.0) + beyond


def parts_to_try(periods: Sequence[float]) -> list[tuple[float, int, tuple[float, ...]]]:
    """Period, width of a phase and memories: what recurs for good, the level of whole periods, and what changes from period to period."""
    widths = [int(np.ceil(period / RESOLUTION)) for period in periods]
    for_good = [(period, width, (1.0,)) for period, width in zip(periods, widths, strict=True)]
    level = [(period, int(np.ceil(period)), MEMORIES) for period in periods[:1]]
    changing = [(period, width, MEMORIES) for period, width in zip(periods, widths, strict=True)]
    return [*for_good, *level, *changing]


@final
class StructuralExpert:
    """E[x | seen], sd[x | seen] and joint draws of a structure and the process (`base`) of what it leaves."""

    name = "structural"

    def __init__(self, structure: Structure, base: GaussianExpert) -> None:
        self.structure, self.base = structure, base
        self._last: tuple[Sequence[Floats], list[Parts]] = (
            (),
            [],
        )  # estimates and draws of the same frame are asked for one after the other

    def predict(self, series: Sequence[Floats]) -> list[Prediction]:
        """The prediction of every series (T, C)."""
        return [parts.whole for parts in self._parts(series)]

    def draw(self, series: Sequence[Floats], n: int, seed: int) -> list[Floats]:
        """n joint draws (n, T, C) of every series: those of the rest, wider where trend and rhythms are less sure."""
        found = self._parts(series)
        drawn = self.base.draw([parts.rest for parts in found], n, seed)
        return [np.where(np.isnan(values), p.widened(d), values) for values, p, d in zip(series, found, drawn, strict=True)]

    def _parts(self, series: Sequence[Floats]) -> list[Parts]:
        """Trend and rhythms of every series, and the predictions of what they leave."""
        asked, _ = self._last
        if len(asked) != len(series) or any(a is not b for a, b in zip(asked, series, strict=True)):
            estimated = [self.structure.of(values, self.base.causal) for values in series]
            rest = [values - mean for values, (mean, _) in zip(series, estimated, strict=True)]
            left = self.base.predict(rest)
            found = [
                Parts(r, p, with_observed(values, mean + p.mean, np.sqrt(p.sd**2 + variance)))
                for values, r, p, (mean, variance) in zip(series, rest, left, estimated, strict=True)
            ]
            self._last = (list(series), found)
        return self._last[1]


@dataclass(frozen=True)
class Parts:
    """What trend and rhythms leave of a series (T, C), its prediction, and the prediction of the series as a whole."""

    rest: Floats
    left: Prediction
    whole: Prediction

    def widened(self, drawn: Floats) -> Floats:
        """Draws (n, T, C) of the rest as draws of the series."""
        ratio = self.whole.sd / np.where(self.left.sd > 0, self.left.sd, 1.0)
        return np.asarray(self.whole.mean + (drawn - self.left.mean) * ratio)


def fit_rest(structure: Structure, series: Sequence[Floats], steps: int, seed: int, causal: bool) -> Autocovariance:
    """The process of what a structure leaves of series: often little but noise, of which more may be white than in the series themselves."""
    rest = [values - structure.of(values, causal)[0] for values in series]
    process = fit_autocovariance([clipped(np.ascontiguousarray(values)) for values in rest], steps, seed, NOISES)
    kept = 1.0 / (1.0 + process.noise / process.gamma[0].diagonal().clamp(min=1e-12))  # so that no variance grows with the noise
    gamma = process.gamma * kept.sqrt() * kept.sqrt().unsqueeze(1)
    return Autocovariance(process.mean, gamma, process.noise * kept)

"""A trend: a line, or a curve whose slope changes slowly, that goes on where the data end.

The curve minimises Σ (x_t - m_t)² + λ Σ (m_t - 2 m_{t-1} + m_{t-2})² over the observed cells, the mean of a local linear trend whose slope
is a random walk ("Postwar U.S. Business Cycles" (Hodrick & Prescott, 1997), doi:10.2307/2953682), by one banded system. Whether a channel
has a trend is decided by forecasts from earlier origins. Letters of shapes: T steps, C channels, S spans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solveh_banded

from vaehub_timeseries.impute.experts import Floats

LINE = 1.0  # the span of a straight line, as a share of the series; shorter ones are curves
SPANS = (LINE, 0.5, 0.25)
ORIGINS, AHEAD = 8, 0.2  # of the forecasts that decide, and how far they go, as a share of what lies before them
SHORTEST = 40  # steps of a series that can show a trend
BETTER = 0.8  # of the error of a level that stays: a trend must be below
SERIES_AT_MOST = 50
POINTS = 400  # of a curve: a longer series is averaged over so many stretches


@dataclass(frozen=True)
class Trend:
    """Per channel the span (C,) as a share of a series, 0 where there is no trend."""

    span: Floats

    @classmethod
    def fit(cls, series: Sequence[Floats], period: float) -> Trend:
        """The span with the least error of forecasts, where it is far below that of a level; `period`: of the longest rhythm, 1 for none."""
        channels = series[0].shape[1]
        long = [values for values in series if len(values) >= max(SHORTEST, 2 * period)][:SERIES_AT_MOST]
        if not long:
            return cls(np.zeros(channels))
        errors = np.sum([forecast_errors(values, max(8, round(period))) for values in long], axis=0)
        best = errors[1:].argmin(0)
        trending = errors[1:].min(0) < BETTER * errors[0]
        return cls(np.where(trending, np.array(SPANS)[best], 0.0))

    def of(self, values: Floats) -> tuple[Floats, Floats]:
        """The trend of a series and its variance (T, C); 0 in channels without one and in series too short to show one."""
        mean, variance = np.zeros_like(values), np.zeros_like(values)
        for c in np.flatnonzero(self.span):
            if (~np.isnan(values[:, c])).sum() >= SHORTEST // 2:
                mean[:, c] = curve(values[:, c], self.span[c])
                variance[:, c] = variance_of_line(values[:, c], mean[:, c], self.span[c])
        return mean, variance


def curve(x: Floats, span: float) -> Floats:
    """The trend (T,) of a channel (T,) with NaN where missing, straight beyond its ends."""
    steps, seen = len(x), ~np.isnan(x)
    time = np.arange(steps) - np.flatnonzero(seen).mean()
    slope = (time[seen] * x[seen]).sum() / max((time[seen] ** 2).sum(), 1.0)
    line: Floats = x[seen].mean() + slope * time
    if span >= LINE or seen.sum() < 3:
        return line
    width = int(np.ceil(steps / POINTS))
    block = np.arange(steps) // width
    count = np.bincount(block, seen)
    extent = float(np.ptp(np.flatnonzero(count))) + 1
    means = np.bincount(block, np.where(seen, x - line, 0.0)) / np.maximum(count, 1)
    if len(count) < 3:
        return line
    bands = np.zeros((3, len(count)))
    bands[0], bands[1, 1:], bands[2, 2:] = _squared_differences(len(count))
    system = (span * extent / (2 * np.pi)) ** 4 * bands[::-1]
    system[2] += count / width
    smooth = solveh_banded(system, means * count / width)
    place = (np.arange(steps) + 0.5) / width - 0.5
    low = place.astype(np.int64).clip(0, len(count) - 2)
    rest: Floats = smooth[low] + (place - low) * (smooth[low + 1] - smooth[low])
    return line + rest


def _squared_differences(steps: int) -> tuple[Floats, Floats, Floats]:
    """The diagonals of DᵀD, D the second differences."""
    main, first, second = np.zeros(steps), np.zeros(steps - 1), np.ones(steps - 2)
    main[:-2] += 1
    main[1:-1] += 4
    main[2:] += 1
    first[:-1] -= 2
    first[1:] -= 2
    return main, first, second


def variance_of_line(x: Floats, mean: Floats, span: float) -> Floats:
    """Of a line through the residuals of a span about every step (T,): v / n (1 + 12 (d / n)²), d from the middle of the nearest n steps.

    v is the variance of residuals times the steps that they stay alike.
    """
    steps, seen = len(x), np.flatnonzero(~np.isnan(x))
    rest = (x - mean)[seen]
    n = max(3.0, min(span * steps, float(seen[-1] - seen[0] + 1)))
    neighbours = float((rest[1:] * rest[:-1]).mean() / max((rest**2).mean(), 1e-12))
    alike = (1 + min(max(neighbours, 0.0), 0.95)) / (1 - min(max(neighbours, 0.0), 0.95))
    time = np.arange(steps)
    middle = time.clip(seen[0] + n / 2, max(seen[-1] - n / 2, seen[0] + n / 2))
    out: Floats = (rest**2).mean() * alike / n * (1 + 12 * ((time - middle) / n) ** 2)
    return out


def forecast_errors(values: Floats, level_steps: int) -> Floats:
    """Sums of absolute errors (1 + S, C) of a level that stays, and of a trend of each span with the level of what is left of it."""
    steps, channels = values.shape
    out = np.zeros((1 + len(SPANS), channels))
    for origin in np.linspace(steps // 2, int(steps / (1 + AHEAD)), ORIGINS).astype(int):
        ahead = min(int(AHEAD * origin) + 1, steps - origin)
        past, future = values[:origin], values[origin : origin + ahead]
        for c in range(channels):
            x = past[:, c]
            if (~np.isnan(x)).sum() < SHORTEST // 4:
                continue
            whole = np.append(x, np.full(ahead, np.nan))
            for i, trend in enumerate([np.zeros(len(whole)), *(curve(whole, span) for span in SPANS)]):
                rest = (whole - trend)[max(0, origin - level_steps) : origin]
                level = np.nanmean(rest) if (~np.isnan(rest)).any() else 0.0
                out[i, c] += np.nansum(np.abs(trend[origin:] + level - future[:, c]))
    return out

"""A rhythm: what recurs at the same phase of every period, estimated exactly under any mask.

The values of one phase, one a period, are a signal that decays across periods and noise: s_{k+1} = φ s_k + η, x_k = s_k + ε, with
var s = τ² and var ε = R. A Kalman filter and smoother run across the periods, for all phases and channels at once, so that the cost
is proportional to the length of the series. "Time Series Analysis by State Space Methods" (Durbin & Koopman, 2012),
doi:10.1093/acprof:oso/9780199641178.001.0001. Letters of shapes: T steps, C channels, K periods, B phases, G points of a grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import FiniteFloat

from vaehub import files
from vaehub_timeseries.impute.experts import Floats

SIGNALS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # τ² / R
MEMORIES = (0.98, 0.95, 0.9, 0.8, 0.6, 0.3)  # φ of a rhythm that changes
PERIODS_AT_MOST = 400  # that decide on τ² and φ: more would not change them
WORTH = 3.0  # gain in the logarithm of the likelihood below which a channel has no rhythm
RESOLUTION = 200  # phases of a period at most: those of longer periods are averaged over neighbouring steps


@dataclass(frozen=True)
class Season:
    """One rhythm: its period and the steps of a phase, and per channel (C,) signal τ² / R (0 where there is none), memory φ and noise R."""

    period: float
    width: int
    signal: Floats
    memory: Floats
    noise: Floats

    @classmethod
    def fit(cls, series: list[Floats], period: float, width: int, memories: tuple[float, ...]) -> Season:
        """By the likelihood of series (T_i, C), each of them on its own, over the grid of signals and these memories."""
        grid = np.array([(signal, memory) for memory in memories for signal in SIGNALS])
        folded = [Phases.of(values, period, width).values[:PERIODS_AT_MOST] for values in series]
        score, noise = log_likelihood(folded, *grid.T)
        nothing, variance = log_likelihood(folded, np.zeros(1), np.ones(1))
        best = score.argmax(0)
        found, channels = score.max(0) > nothing[0] + WORTH, np.arange(score.shape[1])
        signal = np.where(found, grid[best, 0], 0.0)
        return cls(period, width, signal, grid[best, 1], np.where(found, noise[best, channels], variance[0]))

    def to_json(self) -> dict[str, Any]:
        """All numbers as lists."""
        return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(self).items()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Season:
        """What `to_json` gave. Raises ValueError or KeyError where it is damaged."""
        period, width = files.validated_json(float, value["period"]), files.validated_json(int, value["width"])
        numbers = (np.array(files.validated_json(list[FiniteFloat], value[name])) for name in ("signal", "memory", "noise"))
        return cls(period, width, *numbers)

    def leave_period_out(self, values: Floats, causal: bool = False) -> tuple[Floats, Floats]:
        """Mean and variance (T, C) of the rhythm at every step, given all periods but the step's own; with `causal` the earlier ones.

        So an observed cell says nothing of its own season, and what is left of it, x - mean, has one law, be the cell observed or not.
        """
        phases = Phases.of(values, self.period, self.width)
        filtered = Filtered.of(phases.values, self.signal, self.memory)
        mean, variance = filtered.predicted if causal else filtered.leave_one_out()
        return phases.at_steps(mean), phases.at_steps(variance) * self.noise


@dataclass(frozen=True)
class Phases:
    """Series as periods and phases: values (K, B, C), the mean over a phase, NaN where nothing of it is observed; where every step lies."""

    values: Floats
    place: Floats  # (T,) in phases from the beginning, whole numbers at the middle of a phase

    @classmethod
    def of(cls, values: Floats, period: float, width: int) -> Phases:
        """Fold a series (T, C). The period need not be a whole number of steps."""
        bins = max(1, int(np.ceil(period / width)))
        time = np.arange(len(values))
        number = (time // period).astype(np.int64)
        phase = np.floor(time - number * period) / width
        flat = number * bins + phase.astype(np.int64)
        channels = values.shape[1]
        size, observed = (int(number[-1]) + 1) * bins * channels, ~np.isnan(values)
        cell = (flat[:, None] * channels + np.arange(channels)).ravel()
        count = np.bincount(cell, observed.ravel(), size)
        total = np.bincount(cell, np.where(observed, values, 0.0).ravel(), size)
        means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        middle = 0.5 - 0.5 / width
        return cls(means.reshape(-1, bins, values.shape[1]), number * bins + phase - middle)

    def at_steps(self, numbers: Floats) -> Floats:
        """Numbers (K, B, C) of phases at every step (T, C), on straight lines between the middles of phases."""
        flat = numbers.reshape(-1, numbers.shape[2])
        low = np.floor(self.place + 1e-9).astype(np.int64)
        share = (self.place - low).clip(0, 1)[:, None]
        first, second = (flat[index.clip(0, len(flat) - 1)] for index in (low, low + 1))
        out: Floats = np.where(share > 0, first * (1 - share) + second * share, first)
        return out


@dataclass(frozen=True)
class Filtered:
    """What a Kalman filter across periods leaves at every phase: predictions (…, K, B, C) from earlier periods, errors and gains; R = 1."""

    observed: Floats
    mean: Floats
    variance: Floats
    error: Floats  # x - prediction, 0 where nothing is observed
    memory: Floats

    @classmethod
    def of(cls, values: Floats, signal: Floats, memory: Floats) -> Filtered:
        """Filter values (K, B, C); signal and memory (…, C) may have axes in front, of a grid."""
        signal, memory = signal[..., None, :], memory[..., None, :]
        shape = np.broadcast_shapes(signal.shape, values.shape[1:])
        mean, variance, error = (np.empty((len(values), *shape)) for _ in range(3))
        a, p = np.zeros(shape), np.broadcast_to(signal, shape).copy()
        seen = ~np.isnan(values)
        for k, x in enumerate(values):
            v = np.where(seen[k], x - a, 0.0)
            mean[k], variance[k], error[k] = a, p, v
            weight = np.where(seen[k], p / (p + 1.0), 0.0)
            a = memory * (a + weight * v)
            p = memory**2 * p * (1.0 - weight) + signal * (1.0 - memory**2)
        return cls(seen, mean, variance, error, memory)

    @property
    def predicted(self) -> tuple[Floats, Floats]:
        """Mean and variance from earlier periods alone."""
        return self.mean, self.variance

    def leave_one_out(self) -> tuple[Floats, Floats]:
        """Mean and variance from all periods but each one itself, by the backward recursion of the smoother.

        With u = v/F - K r and D = 1/F + K² N the value given all others has mean x - u/D and variance 1/D: "A cross-validation filter for
        time series models" (de Jong, 1988), doi:10.1093/biomet/75.3.594. The recursion is of the gain p / F within a period.
        """
        mean, variance = np.empty_like(self.mean), np.empty_like(self.variance)
        r, n = np.zeros_like(self.mean[0]), np.zeros_like(self.mean[0])
        for k in range(len(self.mean) - 1, -1, -1):
            p, seen = self.variance[k], self.observed[k]
            r, n, precision = self.memory * r, self.memory**2 * n, 1.0 / (p + 1.0)
            u, d = self.error[k] * precision - p * precision * r, precision + (p * precision) ** 2 * n
            mean[k] = self.mean[k] + np.where(seen, self.error[k] - u / d, p * r)
            variance[k] = np.where(seen, 1.0 / d - 1.0, p - p * p * n)
            r = np.where(seen, self.error[k] * precision + precision * r, r)
            n = np.where(seen, precision + precision**2 * n, n)
        return mean, variance.clip(0.0)


def log_likelihood(folded: list[Floats], signal: Floats, memory: Floats) -> tuple[Floats, Floats]:
    """Of folded series (K, B, C) at every point of a grid (G,), the noise R at its best: both (G, C)."""
    channels = folded[0].shape[2]
    count, squares, logs = np.zeros((1, channels)), np.zeros((len(signal), channels)), np.zeros((len(signal), channels))
    for values in folded:
        out = Filtered.of(values, np.repeat(signal[:, None], channels, 1), np.repeat(memory[:, None], channels, 1))
        scale = np.where(out.observed[:, None], out.variance + 1.0, 1.0)
        count += out.observed.sum((0, 1))
        squares += (out.error**2 / scale).sum((0, 2))
        logs += np.log(scale).sum((0, 2))
    noise = np.maximum(squares / np.maximum(count, 1), 1e-12)
    score: Floats = -0.5 * (logs + count * np.log(noise))
    return score, noise

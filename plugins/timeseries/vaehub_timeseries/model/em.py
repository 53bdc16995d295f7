"""Autocovariances of series with gaps by expectation-maximisation, stopped where held-out cells say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vaehub import jobs
from vaehub_timeseries.impute.linear import Neighbours
from vaehub_timeseries.masks import transplant
from vaehub_timeseries.model.autocovariance import lag_moments, window_covariance
from vaehub_timeseries.model.conditional import JointGaussian, conditional_mean, regression
from vaehub_timeseries.model.threads import one_thread

STEPS_AT_MOST = 30_000  # of all series together: more would not make the covariances better
WORK_AT_MOST = 1e13  # windows x (cells of a window)^3: fewer steps where a window is large
WORK_OF_START = 1e12  # the same for a part that is learnt from first, where there is more
DRAWS = 16  # of a window where all is missing, that its conditional covariance is estimated from; fewer where less is
DRAW_WORK_AT_MOST = 5e9  # windows x draws x (cells of a window)^2: fewer draws where that is more
HELD_OUT = 0.05  # of the observed cells
ITERATIONS = 20
GAIN = 0.001  # relative fall of the held-out error that is worth another iteration
START_NOISE = 0.001
NOISES = (0.0003, 0.001, 0.003, 0.01)  # variance at lag 0 that neighbours say nothing about, as a share of a channel's variance
TAPERS = (1e9, 16.0, 8.0, 4.0, 2.0, 1.0)  # lengths, in windows, of the triangle that lags are weighed with


@dataclass(frozen=True)
class Autocovariance:
    """A stationary Gaussian process in discrete time: mean (C,), lags gamma (T, C, C) = cov(x_t, x_{t+k}), white noise (C,)."""

    mean: Tensor
    gamma: Tensor
    noise: Tensor

    def joint(self, steps: int, level: float = 0.0) -> JointGaussian:
        """The Gaussian of a window of `steps`; `level` is the variance, as a share of a channel's own, by which its level may drift."""
        gamma = self.gamma[:steps]
        drift = torch.diag(level * self.gamma[0].diagonal())
        covariance = window_covariance(gamma + drift) + torch.diag(self.noise.repeat(steps))
        return JointGaussian.of(self.mean.repeat(steps), covariance)

    def shortened(self, steps: int) -> Autocovariance:
        """The process of its first lags alone, which costs less: what is asked of a window grows with the cube of its cells."""
        return Autocovariance(self.mean, self.gamma[:steps], self.noise)


@one_thread()
def fit_autocovariance(
    series: Sequence[Tensor],
    steps: int,
    seed: int = 0,
    noises: Sequence[float] = NOISES,
    start: Autocovariance | None = None,
) -> Autocovariance:
    """The lags 0 … steps - 1 of series (T_i, C) with NaN where unobserved, by EM over windows of `steps`, stopped by held-out cells.

    E-step: conditional means of every window, averaged where windows overlap, and joint draws about them. M-step: the lags of the completed
    series plus those of the draws' distances from their means, which are those of the conditional covariances but for chance, made positive
    definite by the mildest taper. Pooling all windows (stationarity) and averaging overlaps is what it differs in from exact maximum
    likelihood, "Maximum Likelihood from Incomplete Data via the EM Algorithm" (Dempster, Laird & Rubin, 1977),
    doi:10.1111/j.2517-6161.1977.tb01600.x: fewer numbers to learn, and errors smaller on real series. Draws in place of covariances are
    "A Monte Carlo Implementation of the EM Algorithm and the Poor Man's Data Augmentation Algorithms" (Wei & Tanner, 1990),
    doi:10.1080/01621459.1990.10474930; the same noise in every iteration lets it converge.

    Arguments:
        series: (T_i, C) each, in scaled units.
        steps: T, the number of lags and the length of a window.
        seed: Of the cells that are held out.
        noises: Shares of white noise, of which the held-out cells choose one.
        start: What is known of nearly the same series, to begin with in place of the lags of the interpolated ones.

    Returns:
        The process, in float64.

    >>> x = torch.randn(200, 1, generator=torch.Generator().manual_seed(0))
    >>> process = fit_autocovariance([x], steps=3)
    >>> process.gamma.shape, bool(process.gamma[0] > process.gamma[1].abs())
    (torch.Size([3, 1, 1]), True)
    """
    truth = subsampled(series, steps)
    hidden = cells_to_hide(truth, seed)
    given = [torch.where(h, torch.nan, x) for x, h in zip(truth, hidden, strict=True)]
    cut = Cover.of(given, steps)
    noise = draw_noise(cut, seed)
    processes = [start or initial_process(given, steps)]
    part = subsampled(truth, steps, WORK_OF_START)
    if start is None and len(part) < len(truth):
        processes.append(fit_autocovariance(part, steps, seed, noises))
    best, error = with_least_error(processes, cut, truth, hidden), float("inf")
    current = best
    with jobs.stage("learning covariances") as bar:
        for _ in range(ITERATIONS):
            completed, spread = e_step(cut, current, noise)
            reached = absolute_error(completed, truth, hidden)
            if reached < error:
                best = current
            if reached > error * (1 - GAIN):
                break
            error, current = min(error, reached), m_step(completed, spread, steps)
            bar.update(note=f"error on hidden cells {error:.3f}")
    variance = best.gamma[0].diagonal().clamp(min=1e-6)
    choices = [Autocovariance(best.mean, best.gamma, noise * variance) for noise in noises]
    return with_least_error(choices, cut, truth, hidden)


def subsampled(series: Sequence[Tensor], steps: int, work: float = WORK_AT_MOST) -> list[Tensor]:
    """Enough of the series in float64: every n-th piece of 32 windows where there are more steps than need be or than `work` allows."""
    pieces = [piece for x in series for piece in x.double().split(32 * steps)]
    allowed = min(STEPS_AT_MOST, work * steps / 2 / (steps * series[0].shape[1]) ** 3)
    keep = max(1, round(len(pieces) * min(1.0, allowed / max(1, sum(map(len, pieces))))))
    chosen = np.linspace(0, len(pieces) - 1, keep).round().astype(int)
    return [pieces[i] for i in chosen]


def cells_to_hide(series: Sequence[Tensor], seed: int) -> list[Tensor]:
    """Observed cells to hide, in the manner of the data's own gaps: bool (T_i, C)."""
    rng = np.random.default_rng(seed)
    return [torch.from_numpy(transplant((~x.isnan()).numpy(), HELD_OUT, rng)) for x in series]


@dataclass(frozen=True)
class Cover:
    """Windows (N, T, C) that cover series, half over each other, short series padded with NaN; and where each begins."""

    values: Tensor
    places: list[tuple[int, int]]  # (series, first step)
    lengths: list[int]

    @classmethod
    def of(cls, series: Sequence[Tensor], steps: int) -> Cover:
        """Cut the series."""
        places = [(i, start) for i, x in enumerate(series) for start in starts(len(x), steps)]
        cut = [series[i][start : start + steps] for i, start in places]
        padded = [torch.nn.functional.pad(w, (0, 0, 0, steps - len(w)), value=torch.nan) for w in cut]
        return cls(torch.stack(padded), places, [len(x) for x in series])

    def joined(self, windows: Tensor) -> list[Tensor]:
        """Series from windows (N, T, C), averaged where they overlap."""
        totals = [windows.new_zeros(n, windows.shape[2]) for n in self.lengths]
        counts = [windows.new_zeros(n, 1) for n in self.lengths]
        for (i, start), window in zip(self.places, windows, strict=True):
            end = min(start + len(window), self.lengths[i])
            totals[i][start:end] += window[: end - start]
            counts[i][start:end] += 1
        return [total / count for total, count in zip(totals, counts, strict=True)]


def starts(length: int, steps: int) -> list[int]:
    """First steps of windows that cover a series, half over each other, the last one flush with its end."""
    last = max(0, length - steps)
    return [*range(0, last, max(1, steps // 2)), last]


def initial_process(series: Sequence[Tensor], steps: int) -> Autocovariance:
    """The lags of the linearly interpolated series."""
    return m_step([interpolated(x) for x in series], None, steps)


def interpolated(x: Tensor) -> Tensor:
    """A series (T, C) with its gaps filled linearly, 0 where a channel has nothing."""
    values = x.numpy()
    return torch.from_numpy(Neighbours.of(values, causal=False).interpolate(values))


def draw_noise(cut: Cover, seed: int) -> Tensor:
    """Standard normal numbers (N, R, P) for R draws of every window."""
    n, cells = len(cut.values), cut.values[0].numel()
    wanted = round(DRAWS * cut.values.isnan().double().mean().item())
    each = max(1, min(wanted, int(DRAW_WORK_AT_MOST / (n * cells**2))))
    return torch.randn(n, each, cells, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def e_step(cut: Cover, current: Autocovariance, noise: Tensor, level: float = 0.0) -> tuple[list[Tensor], Tensor]:
    """The series completed by their conditional means, and the mean lags (T, C, C) of conditional covariances, by draws.

    A draw y of the process less its own regression on the observed cells is a draw of x less E[x | observed], whatever x is there:
    J. Hoffman & Ribak, "Constrained Realizations of Gaussian Fields" (1991), doi:10.1086/186160.
    """
    n, steps, channels = cut.values.shape
    x, joint = cut.values.flatten(1), current.joint(steps, level)
    y = torch.cat([(x - joint.mean).unsqueeze(1), noise @ joint.root.T], 1)
    expected = regression(y, ~x.isnan(), joint)
    residual = (y - expected)[:, 1:].reshape(-1, steps, channels)
    return cut.joined((joint.mean + expected[:, 0]).view(n, steps, channels)), lag_moments(residual, steps)


def m_step(completed: Sequence[Tensor], spread: Tensor | None, steps: int) -> Autocovariance:
    """Mean and lags of completed series, with the mean lags `spread` (T, C, C) of the conditional covariances of windows."""
    mean = torch.cat(list(completed)).mean(0)
    gamma = lag_moments([x - mean for x in completed], steps)
    if spread is not None:
        gamma = gamma + spread
    return Autocovariance(mean, made_positive(gamma), START_NOISE * gamma[0].diagonal().clamp(min=1e-6))


def made_positive(gamma: Tensor) -> Tensor:
    """Lags whose window covariance is positive definite: the mildest taper that makes them so."""
    steps = len(gamma)
    k = torch.arange(steps, dtype=gamma.dtype).view(-1, 1, 1)
    ridge = 0.1 * START_NOISE * torch.diag(gamma[0].diagonal().clamp(min=1e-6).repeat(steps))
    for taper in TAPERS:
        tapered = gamma * (1 - k / (taper * steps))
        if not torch.linalg.cholesky_ex(window_covariance(tapered) + ridge).info.item():
            return tapered
    return gamma * (k == 0)


def absolute_error(completed: Sequence[Tensor], truth: Sequence[Tensor], hidden: Sequence[Tensor]) -> float:
    """Mean absolute error on the hidden cells; 0 where there are none."""
    errors = torch.cat([(c - x).abs()[h] for c, x, h in zip(completed, truth, hidden, strict=True)])
    return errors.mean().item() if len(errors) else 0.0


def with_least_error(
    choices: Sequence[Autocovariance], cut: Cover, truth: Sequence[Tensor], hidden: Sequence[Tensor]
) -> Autocovariance:
    """That of several processes which serves held-out cells best."""
    n, steps, channels = cut.values.shape
    flat = cut.values.flatten(1)

    def error(choice: Autocovariance) -> float:
        means = conditional_mean(flat, choice.joint(steps)).view(n, steps, channels)
        return absolute_error(cut.joined(means), truth, hidden)

    return choices[0] if len(choices) == 1 else min(choices, key=error)

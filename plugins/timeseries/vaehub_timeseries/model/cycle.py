"""A process whose mean and covariances depend on the phase of a period: a stationary process of whole periods.

A series folded at its period is a series of vectors, one a period: P steps of C channels are one step of P C channels. The lags of that
series hold the covariance of every phase with every other, so that what serves a stationary process, exact under any mask, serves one
whose variance, memory and relations between columns change over the day: "Cyclostationarity: Half a century of research" (Gardner,
Napolitano & Paura, 2006), doi:10.1016/j.sigpro.2005.06.016. Letters of shapes: T steps, C channels, P phases, K periods, S series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vaehub_timeseries.impute.experts import Floats
from vaehub_timeseries.model.chain import extended, with_noise
from vaehub_timeseries.model.conditional import JointGaussian
from vaehub_timeseries.model.em import Autocovariance, Cover, draw_noise, e_step, m_step, made_positive
from vaehub_timeseries.model.gaussian import clipped
from vaehub_timeseries.model.threads import one_thread

CELLS_AT_MOST = 1_000  # of the periods of a window: what is asked of it grows with their cube
PERIODS_AT_MOST = 1_000  # that are learnt from
LEAST_SHARE = 0.25  # of what is learnt by phase beside the stationary process, below which there is too little data
JUDGES, WINDOWS, CELLS_ENOUGH = 16, 4, 250  # series that decide on phases, windows of one, and cells of a window
LEVEL = 1.0  # variance of a window's level, as a share of a channel's, which says nothing about its phase


@dataclass(frozen=True)
class Cycle:
    """What is learnt by phase: the mean (P C,) and lags gamma (K, P C, P C) of folded series, from so many `periods`."""

    period: int
    mean: Tensor
    gamma: Tensor
    periods: float

    @property
    def share(self) -> float:
        """Its weight beside a stationary process that is worth as many periods as a period has cells."""
        return self.periods / (self.periods + len(self.mean))

    def joined(self, other: Cycle) -> Cycle:
        """Both, by the periods that each is of."""
        total = self.periods + other.periods
        share = self.periods / total
        mean, gamma = (share * a + (1 - share) * b for a, b in ((self.mean, other.mean), (self.gamma, other.gamma)))
        return Cycle(self.period, mean, gamma, total)

    def process(self, stationary: Autocovariance, level: float = 0.0) -> Autocovariance:
        """The process of whole periods, drawn towards a stationary one whose level may drift as in `Autocovariance.joint`."""
        count = len(self.gamma)
        drift = torch.diag(level * stationary.gamma[0].diagonal()).expand(count * self.period, -1, -1)
        whole = extended(with_noise(stationary, 0.0), count * self.period)
        whole = torch.cat([stationary.gamma[:1], whole[1 : count * self.period]])
        lags = (1 - self.share) * lags_of_periods(whole, self.period, count) + self.share * self.gamma
        mean = (1 - self.share) * stationary.mean.repeat(self.period) + self.share * self.mean
        gamma = made_positive(lags) + lags_of_periods(drift, self.period, count)
        return Autocovariance(mean, gamma, stationary.noise.repeat(self.period))

    @classmethod
    def empty(cls, period: int, channels: int, count: int) -> Cycle:
        """Nothing is learnt yet."""
        cells = period * channels
        return cls(period, torch.zeros(cells).double(), torch.zeros(count, cells, cells).double(), 0.0)


@one_thread()
def fit_cycle(stationary: Autocovariance, series: Sequence[Floats], periods: Sequence[float], level: float) -> Cycle | None:
    """What series (T_i, C) say by the phase of the shortest of the `periods` that is a whole number of steps; None where that is too little.

    Phases are counted from the beginning of the longest series.
    """
    steps, channels = stationary.gamma.shape[:2]
    period = next((round(p) for p in periods if p == round(p)), 0)
    count = max(2, -(-steps // period)) if period else 0
    if not period or count * period * channels > CELLS_AT_MOST:
        return None
    given, nothing = [clipped(x) for x in series], Cycle.empty(period, channels, count)
    longest = max(given, key=len)
    first = learnt([longest], [0], nothing, stationary, level)
    cycle = learnt(given, phases_of(given, first, stationary), nothing, stationary, level) if len(given) > 1 else first
    return cycle if cycle.share >= LEAST_SHARE else None


def learnt(series: Sequence[Tensor], phases: Sequence[int], cycle: Cycle, stationary: Autocovariance, level: float) -> Cycle:
    """The mean and lags by phase of series (T_i, C) by a step of expectation-maximisation from a cycle.

    A phase borrows half of its moments from the two beside it.
    """
    process, period = cycle.process(stationary, level), cycle.period
    whole = [folded(x, period, phase) for x, phase in zip(series, phases, strict=True)]
    cut = Cover.of(evenly(whole, len(process.gamma)), len(process.gamma))
    completed, spread = e_step(cut, process, draw_noise(cut, seed=0))
    new = m_step([part for x in completed for part in with_neighbours(x, period)], spread, len(process.gamma))
    return Cycle(period, new.mean, new.gamma, float(sum(map(len, whole))))


def evenly(series: Sequence[Tensor], steps: int) -> list[Tensor]:
    """Series (K_i, P C), or pieces of them that lie evenly where there is more than need be."""
    pieces = [piece for x in series for piece in x.split(8 * steps)]
    keep = max(1, round(len(pieces) * min(1.0, PERIODS_AT_MOST / sum(map(len, pieces)))))
    return list(series) if keep == len(pieces) else [pieces[i] for i in np.linspace(0, len(pieces) - 1, keep).round().astype(int)]


def with_neighbours(x: Tensor, period: int) -> list[Tensor]:
    """A folded series (K, P C) twice, and moved by a step forwards and back."""
    if len(x) == 1:
        return [x, x]
    flat = x.reshape(len(x) * period, -1)
    return [x, x, *(flat[start : start + len(flat) - period].reshape(len(x) - 1, -1) for start in (1, period - 1))]


def phases_of(series: Sequence[Tensor], cycle: Cycle, stationary: Autocovariance) -> list[int]:
    """The phase that each series (T_i, C) begins with, by its likelihood; one for all, unless it pays to say which.

    That is the shorter description: "Modeling by shortest data description" (Rissanen, 1978), doi:10.1016/0005-1098(78)90005-5. A few series
    decide whether one phase is enough.
    """
    process = cycle.process(stationary, LEVEL)
    joint, steps = process.joint(len(process.gamma)), (len(process.gamma) - 1) * cycle.period

    def surprise(x: Tensor) -> Tensor:
        """- log p(x) (P,) by the phase that x begins with."""
        starts = np.linspace(0, max(0, len(x) - steps) // cycle.period, WINDOWS).astype(int) * cycle.period
        return torch.stack(
            [surprise_of_window(x[start : start + steps], joint, cycle.period) for start in np.unique(starts)]
        ).sum(0)

    some = torch.stack([surprise(series[i]) for i in np.unique(np.linspace(0, len(series) - 1, JUDGES).astype(int))])
    together = some.sum(0)
    if together.min() <= some.min(1).values.sum() + len(some) * np.log(cycle.period):
        return [int(together.argmin())] * len(series)
    return [int(surprise(x).argmin()) for x in series]


def surprise_of_window(x: Tensor, joint: JointGaussian, period: int) -> Tensor:
    """- log p(x) (P,), but for a constant, of a window (T, C) by the phase that it begins with; of CELLS_ENOUGH of its cells at most."""
    flat = x.flatten()
    seen = (~flat.isnan()).nonzero().flatten()
    seen = seen[:: max(1, -(-len(seen) // CELLS_ENOUGH))]
    place = seen + x.shape[1] * torch.arange(period).unsqueeze(1)
    root = torch.linalg.cholesky(joint.covariance[place.unsqueeze(2), place.unsqueeze(1)])
    z = torch.linalg.solve_triangular(root, (flat[seen] - joint.mean[place]).unsqueeze(2), upper=False)
    surprise: Tensor = z.square().sum((1, 2)) / 2 + root.diagonal(dim1=1, dim2=2).log().sum(1)
    return surprise


def folded(x: Tensor, period: int, phase: int) -> Tensor:
    """A series (T, C) that begins at `phase` as whole periods (K, P C), NaN before its beginning and after its end.

    >>> folded(torch.tensor([[1.0], [2.0], [3.0]]), period=2, phase=1).tolist()
    [[nan, 1.0], [2.0, 3.0]]
    """
    short = -(phase + len(x)) % period
    return torch.nn.functional.pad(x, (0, 0, phase, short), value=torch.nan).reshape(-1, period * x.shape[1])


def unfolded(x: Floats, period: int, phase: int, steps: int) -> Floats:
    """The series (…, T, C) of `steps` whose whole periods (…, K, P C) these are."""
    flat = x.reshape(*x.shape[:-2], x.shape[-2] * period, x.shape[-1] // period)
    return flat[..., phase : phase + steps, :]


def lags_of_periods(gamma: Tensor, period: int, count: int) -> Tensor:
    """Lags (K, P C, P C) of the folded series of a stationary process with lags (T, C, C), 0 beyond them."""
    steps, channels = gamma.shape[:2]
    both = torch.cat([gamma.flip(0)[:-1].mT, gamma, gamma.new_zeros(1, channels, channels)])  # lags -(T-1) … T-1, and beyond
    p = torch.arange(period)
    lag = torch.arange(count).view(-1, 1, 1) * period + p - p.view(-1, 1)
    place = torch.where(lag.abs() < steps, lag + steps - 1, len(both) - 1)
    return both[place].permute(0, 1, 3, 2, 4).reshape(count, period * channels, -1)

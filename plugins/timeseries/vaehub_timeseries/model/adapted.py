"""The closed-form expert of the series at hand: the process of the fit, taken a step of expectation-maximisation towards them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from vaehub_timeseries.impute.experts import Floats, Prediction
from vaehub_timeseries.model.em import Autocovariance, Cover, draw_noise, e_step, m_step, subsampled
from vaehub_timeseries.model.gaussian import GaussianExpert, clipped
from vaehub_timeseries.model.threads import one_thread

WINDOWS = 6.0  # for every channel: with so many windows at hand, they and the fit weigh the same


@final
class AdaptedExpert:
    """A closed-form expert whose mean and lags are averages of those of the fit and those of the series that it is asked about.

    The more there is at hand, the less the level of a window drifts beside the mean: by the square of the weight of the fit.
    """

    name = "adapted"

    def __init__(self, base: GaussianExpert) -> None:
        self.base = base
        self.steps, self.causal = base.steps, base.causal
        self._last: tuple[Sequence[Floats], GaussianExpert] = ((), base)

    def predict(self, series: Sequence[Floats]) -> list[Prediction]:
        """The prediction of every series (T, C)."""
        return self.expert(series).predict(series)

    def draw(self, series: Sequence[Floats], n: int, seed: int) -> list[Floats]:
        """n joint draws (n, T, C) of every series."""
        return self.expert(series).draw(series, n, seed)

    def expert(self, series: Sequence[Floats]) -> GaussianExpert:
        """The expert of these series."""
        asked, expert = self._last
        if len(asked) != len(series) or any(a is not b for a, b in zip(asked, series, strict=True)):
            process, share = adapted(self.base.process, series, self.base.level)
            expert = GaussianExpert(self.name, process, share**2 * self.base.level)
            self._last = (list(series), expert)
        return expert


@one_thread()
def adapted(process: Autocovariance, series: Sequence[Floats], level: float) -> tuple[Autocovariance, float]:
    """a process + (1 - a) M-step of its E-step on series (T_i, C), and a = WINDOWS C / (WINDOWS C + n) for n windows at hand.

    `level` may drift in the E-step. The same as a step of "Maximum a Posteriori Estimation for Multivariate Gaussian Mixture Observations of
    Markov Chains" (Gauvain & Lee, 1994), doi:10.1109/89.279278, whose prior is the process.
    """
    steps, channels = process.gamma.shape[:2]
    chosen = subsampled([clipped(x) for x in series], steps)
    cut = Cover.of(chosen, steps)
    new = m_step(*e_step(cut, process, draw_noise(cut, seed=0), level), steps)
    prior = WINDOWS * channels
    share = prior / (prior + sum(map(len, chosen)) / steps)
    mean, gamma = (share * before + (1 - share) * now for before, now in ((process.mean, new.mean), (process.gamma, new.gamma)))
    return Autocovariance(mean, gamma, process.noise), share

"""The closed-form expert of rhythmic series: a Gaussian process whose mean and covariances depend on the phase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from vaehub_timeseries.impute.experts import Floats, Prediction, with_observed
from vaehub_timeseries.model.adapted import AdaptedExpert
from vaehub_timeseries.model.cycle import Cycle, folded, learnt, phases_of, unfolded
from vaehub_timeseries.model.gaussian import GaussianExpert, clipped
from vaehub_timeseries.model.threads import one_thread


@final
class CyclicExpert:
    """E[x | seen], sd[x | seen] and joint draws of a cycle, on top of the stationary process of the series at hand.

    The cycle too is taken a step of expectation-maximisation towards these series; the phases that they begin with are found.
    """

    name = "cyclic"

    def __init__(self, cycle: Cycle, base: AdaptedExpert) -> None:
        self.cycle, self.base, self.steps = cycle, base, base.steps
        self._last: tuple[Sequence[Floats], FoldedSeries | None] = ((), None)

    def predict(self, series: Sequence[Floats]) -> list[Prediction]:
        """The prediction of every series (T, C)."""
        at = self._folded(series)
        parts = [(at.back(p.mean, i), at.back(p.sd, i)) for i, p in enumerate(at.expert.predict(at.whole))]
        return [with_observed(values, mean, sd) for values, (mean, sd) in zip(series, parts, strict=True)]

    def draw(self, series: Sequence[Floats], n: int, seed: int) -> list[Floats]:
        """n joint draws (n, T, C) of every series."""
        at = self._folded(series)
        drawn = [at.back(d, i) for i, d in enumerate(at.expert.draw(at.whole, n, seed))]
        return [np.where(np.isnan(values), d, values) for values, d in zip(series, drawn, strict=True)]

    def _folded(self, series: Sequence[Floats]) -> FoldedSeries:
        """What was asked for last is kept, as in `AdaptedExpert`."""
        asked, found = self._last
        if found is None or len(asked) != len(series) or any(a is not b for a, b in zip(asked, series, strict=True)):
            found = FoldedSeries(series, self.cycle, self.base.expert(series))
            self._last = (list(series), found)
        return found


@final
class FoldedSeries:
    """Series (T_i, C) as whole periods (K_i, P C), and the expert of these."""

    @one_thread()
    def __init__(self, series: Sequence[Floats], cycle: Cycle, base: GaussianExpert) -> None:
        given, stationary, level = [clipped(x) for x in series], base.process, base.level
        self.period, self.lengths = cycle.period, [len(x) for x in given]
        self.phases = phases_of(given, cycle, stationary)
        cycle = cycle.joined(learnt(given, self.phases, cycle, stationary, level))
        self.whole = [folded(x, self.period, phase).numpy() for x, phase in zip(given, self.phases, strict=True)]
        self.expert = GaussianExpert("folded", cycle.process(stationary, level))

    def back(self, whole: Floats, number: int) -> Floats:
        """Whole periods (…, K, P C) as the series (…, T, C) of this number."""
        return unfolded(whole, self.period, self.phases[number], self.lengths[number])

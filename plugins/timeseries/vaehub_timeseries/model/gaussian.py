"""The closed-form expert: a stationary Gaussian process, exact for series of any length and any mask."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import final

import numpy as np
import torch
from torch import Tensor

from vaehub import derive_seed
from vaehub_timeseries.impute.experts import Floats, Integers, Prediction, with_observed
from vaehub_timeseries.model.chain import Chain
from vaehub_timeseries.model.conditional import JointGaussian, conditional
from vaehub_timeseries.model.em import Autocovariance
from vaehub_timeseries.model.threads import one_thread

TRAILING_AT_ONCE = 4096  # windows
CLIP = 8.0  # standard deviations


@final
class GaussianExpert:
    """E[x | seen], sd[x | seen] and joint draws. `level`: how far the level of a window may drift, see `Autocovariance.joint`."""

    def __init__(self, name: str, process: Autocovariance, level: float = 0.0, causal: bool = False) -> None:
        self.name, self.process, self.level, self.causal = name, process, level, causal
        self._last: tuple[Sequence[Floats], list[Prediction]] = ((), [])  # the experts on top of this one ask the same again

    @property
    def steps(self) -> int:
        """Of a window."""
        return len(self.process.gamma)

    @cached_property
    def joint(self) -> JointGaussian:
        """The Gaussian of one window."""
        return self.process.joint(self.steps, self.level)

    @cached_property
    def chain(self) -> Chain:
        """The same for series of any length."""
        return Chain.of(self.process, self.level)

    def predict(self, series: Sequence[Floats]) -> list[Prediction]:
        """The prediction of every series (T, C)."""
        asked, _ = self._last
        if len(asked) != len(series) or any(a is not b for a, b in zip(asked, series, strict=True)):
            self._last = (list(series), self._predictions(series))
        return list(self._last[1])

    @one_thread()
    def _predictions(self, series: Sequence[Floats]) -> list[Prediction]:
        if self.causal:
            return [self._predict_causal(values) for values in series]
        short = [i for i, values in enumerate(series) if len(values) <= self.steps]
        predictions = dict(zip(short, self._windows([series[i] for i in short]), strict=True))
        return [predictions[i] if i in predictions else self._long(values) for i, values in enumerate(series)]

    def _windows(self, series: Sequence[Floats]) -> list[Prediction]:
        """Series no longer than a window, all at once."""
        if not series:
            return []
        out = conditional(torch.stack([padded(values, self.steps) for values in series]).flatten(1), self.joint)
        shape = (len(series), self.steps, -1)
        pairs = zip(series, out.mean.view(shape).numpy(), out.sd.view(shape).numpy(), strict=True)
        return [with_observed(values, mean[: len(values)], sd[: len(values)]) for values, mean, sd in pairs]

    def _long(self, values: Floats) -> Prediction:
        out = self.chain.smooth(clipped(values))
        return with_observed(values, out.mean.numpy(), out.sd.numpy())

    def _predict_causal(self, values: Floats) -> Prediction:
        """Every step from the window that ends with it."""
        mean, sd = values.copy(), np.zeros_like(values)
        for steps in steps_with_gaps(values):
            out = conditional(trailing_windows(values, steps, self.steps).flatten(1), self.joint, last=values.shape[1])
            mean[steps], sd[steps] = out.mean.numpy(), out.sd.numpy()
        return with_observed(values, mean, sd)

    @one_thread()
    def draw(self, series: Sequence[Floats], n: int, seed: int) -> list[Floats]:
        """n joint draws (n, T, C) of every series; with `causal` the cells of different steps are drawn apart."""
        draw = self._draw_independently if self.causal else self._draw_jointly
        return [draw(values, n, torch.Generator().manual_seed(derive_seed("draw", seed, i))) for i, values in enumerate(series)]

    def _draw_jointly(self, values: Floats, n: int, generator: torch.Generator) -> Floats:
        drawn: Floats = self.chain.smooth(clipped(values), n, generator).draws.numpy()
        return np.where(np.isnan(values), drawn, values)

    def _draw_independently(self, values: Floats, n: int, generator: torch.Generator) -> Floats:
        prediction = self._predict_causal(values)
        noise: Floats = torch.randn(n, *values.shape, dtype=torch.float64, generator=generator).numpy()
        return prediction.mean + prediction.sd * noise

    @one_thread()
    def generate(self, n: int, steps: int, seed: int) -> Floats:
        """n series (n, T, C) of the process itself."""
        blank = np.full((steps, self.process.mean.shape[0]), np.nan)
        return self._draw_jointly(blank, n, torch.Generator().manual_seed(derive_seed("generate", seed)))


def clipped(values: Floats) -> Tensor:
    """A series with values beyond CLIP pulled in: one outlier must not move all that is imputed beside it."""
    return torch.from_numpy(values).double().clamp(-CLIP, CLIP)


def padded(values: Floats, steps: int) -> Tensor:
    """A series (T, C) as a window, unseen after its end."""
    return torch.nn.functional.pad(clipped(values), (0, 0, 0, steps - len(values)), value=torch.nan)


def steps_with_gaps(values: Floats) -> list[Integers]:
    """The steps with a gap, in parts of at most TRAILING_AT_ONCE."""
    steps = np.flatnonzero(np.isnan(values).any(1))
    return [steps[i : i + TRAILING_AT_ONCE] for i in range(0, len(steps), TRAILING_AT_ONCE)]


def trailing_windows(values: Floats, ends: Integers, steps: int) -> Tensor:
    """The windows (N, steps, C) of a series that end with the steps `ends`, unseen before its beginning."""
    before = torch.nn.functional.pad(clipped(values), (0, 0, steps - 1, 0), value=torch.nan)
    return before.unfold(0, steps, 1)[torch.from_numpy(ends)].transpose(1, 2)

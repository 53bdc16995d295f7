"""The neural expert of any VAE of windows: importance-weighted draws of the missing cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from torch import Tensor

from vaehub import VAE, Batch, seeded
from vaehub_timeseries.impute.experts import Floats, Prediction, with_observed
from vaehub_timeseries.model.em import Cover
from vaehub_timeseries.model.gaussian import steps_with_gaps, trailing_windows
from vaehub_timeseries.parts.completion import complete

SAMPLES, DRAWS, ROWS_AT_ONCE = 100, 50, 64


@final
class ImportanceSamplingExpert:
    """E[x | observed], sd[x | observed] and joint draws within windows of a VAE: MIWAE, and not-MIWAE where the likelihood models the mask.

    "MIWAE" (Mattei & Frellsen, 2019), arXiv:1812.02633. Windows are half over each other; a cell belongs to the one in whose middle it lies
    most, so that draws within a window stay joint.
    """

    name = "vae"

    def __init__(self, vae: VAE, steps: int, causal: bool) -> None:
        self.vae, self.steps, self.causal = vae.eval(), steps, causal

    def predict(self, series: Sequence[Floats]) -> list[Prediction]:
        """The prediction of every series (T, C)."""
        drawn = self.draw(series, DRAWS, 0)
        return [with_observed(x, d.mean(0), d.std(0)) for x, d in zip(series, drawn, strict=True)]

    def draw(self, series: Sequence[Floats], n: int, seed: int) -> list[Floats]:
        """n joint draws (n, T, C) of every series."""
        with seeded("draw", seed):
            drawn = [self._trailing(x, n) if self.causal else self._covering(x, n) for x in series]
        return [np.where(np.isnan(x), d, x) for x, d in zip(series, drawn, strict=True)]  # the VAE rounds to float32

    def _trailing(self, values: Floats, n: int) -> Floats:
        """Every step with a gap from the window that ends with it."""
        drawn = np.repeat(values[None], n, 0)
        for steps in steps_with_gaps(values):
            drawn[:, steps] = self._draws(trailing_windows(values, steps, self.steps), n)[:, :, -1]
        return drawn

    def _covering(self, values: Floats, n: int) -> Floats:
        cut = Cover.of([torch.from_numpy(values).double()], self.steps)
        drawn, out = self._draws(cut.values, n), np.repeat(values[None], n, 0)
        nearest = np.full(len(values), np.inf)
        for (_, start), window in zip(cut.places, drawn.transpose(1, 0, 2, 3), strict=True):
            steps = np.arange(start, min(start + self.steps, len(values)))
            distance = np.abs(steps - start - (self.steps - 1) / 2)
            closer = distance < nearest[steps]
            nearest[steps[closer]] = distance[closer]
            out[:, steps[closer]] = window[:, : len(steps)][:, closer]
        return out

    def _draws(self, windows: Tensor, n: int) -> Floats:
        """(n, N, T, C)."""
        parts = []
        for x in windows.float().split(ROWS_AT_ONCE):
            observed = ~x.isnan()
            parts.append(complete(self.vae, Batch(torch.where(observed, x, 0.0), None, observed), SAMPLES, n).draws)
        drawn: Floats = torch.cat(parts, 1).double().numpy()
        return drawn

"""The neural experts: the closed-form prediction, moved by what a trained VAE makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from torch import Tensor

from vaehub import VAE, Batch, estimate
from vaehub_timeseries.impute.experts import ClosedForm, Floats, Prediction, with_observed
from vaehub_timeseries.model.adapted import AdaptedExpert
from vaehub_timeseries.model.belief_pool import belief_inputs
from vaehub_timeseries.model.correction import moves
from vaehub_timeseries.model.em import Cover
from vaehub_timeseries.model.gaussian import GaussianExpert, steps_with_gaps, trailing_windows
from vaehub_timeseries.parts.linear_gaussian import LinearGaussianDecoder, LinearGaussianEncoder

ROWS_AT_ONCE = 256


@final
class CorrectedExpert:
    """A closed-form expert with the neural correction δ (and h) of a VAE whose linear part is the same process."""

    name = "vae"

    def __init__(self, base: GaussianExpert | AdaptedExpert, vae: VAE) -> None:
        self.base, self.vae = base, vae.eval()
        self.steps = base.steps

    def predict(self, series: Sequence[Floats]) -> list[Prediction]:
        """The prediction of every series (T, C)."""
        moves = self._moves(series)
        return [
            with_observed(x, b.mean + move, b.sd) for x, b, move in zip(series, self.base.predict(series), moves, strict=True)
        ]

    def draw(self, series: Sequence[Floats], n: int, seed: int) -> list[Floats]:
        """n joint draws (n, T, C) of every series."""
        drawn = zip(series, self.base.draw(series, n, seed), self._moves(series), strict=True)
        return [np.where(np.isnan(x), draws + move, x) for x, draws, move in drawn]

    def _moves(self, series: Sequence[Floats]) -> list[Floats]:
        """How far the correction moves each cell (T, C), averaged over the windows that it lies in."""
        if self.base.causal:
            return [self._trailing_moves(values) for values in series]
        if not series:
            return []
        cut = Cover.of([torch.from_numpy(values) for values in series], self.steps)
        return [joined.double().numpy() for joined in cut.joined(self.correction(cut.values))]

    def _trailing_moves(self, values: Floats) -> Floats:
        """At every step with a gap, the correction in the window that ends with it."""
        moves = np.zeros_like(values)
        for steps in steps_with_gaps(values):
            moves[steps] = self.correction(trailing_windows(values, steps, self.steps))[:, -1].numpy()
        return moves

    @torch.no_grad()
    def correction(self, windows: Tensor) -> Tensor:
        """The VAE's mean less that of its linear part (N, T, C), of windows (N, T, C) with NaN where missing."""
        encoder, decoder = self.vae.encoder, self.vae.decoder
        if not isinstance(encoder, LinearGaussianEncoder) or not isinstance(decoder, LinearGaussianDecoder):
            raise TypeError("a correction needs encoder and decoder linear_gaussian")
        parts = []
        for x in windows.float().split(ROWS_AT_ONCE):
            observed = ~x.isnan()
            batch = Batch(torch.where(observed, x, 0.0), None, observed)
            linear, _, move = encoder.posterior_parts(batch)
            parts.append(estimate(decoder(linear + move)) - decoder.location(linear))
        return torch.cat(parts)


@final
class BeliefExpert:
    """A closed-form expert moved by a network that was trained on what that expert believes, see `BeliefEncoder`.

    In the terms of a VAE whose code is the series itself under the closed form's Gaussian process: q(x | observed) is the exact posterior,
    its mean moved by δ standard deviations of each cell, its covariance as it is.
    """

    name = "vae"

    def __init__(self, base: ClosedForm, vae: VAE) -> None:
        self.base, self.vae = base, vae.eval()

    def predict(self, series: Sequence[Floats]) -> list[Prediction]:
        """The prediction of every series (T, C)."""
        beliefs = self.base.predict(series)
        return [
            with_observed(x, b.mean + move, b.sd)
            for x, b, move in zip(series, beliefs, self._moves(series, beliefs), strict=True)
        ]

    def draw(self, series: Sequence[Floats], n: int, seed: int) -> list[Floats]:
        """n joint draws (n, T, C) of every series."""
        drawn = zip(series, self.base.draw(series, n, seed), self._moves(series, self.base.predict(series)), strict=True)
        return [np.where(np.isnan(x), draws + move, x) for x, draws, move in drawn]

    def _moves(self, series: Sequence[Floats], beliefs: Sequence[Prediction]) -> list[Floats]:
        """How far each cell (T, C) is moved, averaged over the windows that it lies in."""
        if not series:
            return []
        steps = self.base.steps
        mean, sd = belief_inputs(series, beliefs, steps)
        cut = Cover.of([torch.from_numpy(values) for values in series], steps)
        return [moved.double().numpy() for moved in cut.joined(sd * moves(self.vae, mean, sd))]

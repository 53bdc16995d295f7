"""The posterior of a GP-VAE: normal distributions over time that are cheap to draw from."""

from __future__ import annotations

from typing import final

from pydantic import PositiveInt
from torch import Tensor
from torch.distributions import Distribution

from vaehub import Posterior, UsageError
from vaehub.model import bounded_exp
from vaehub_timeseries.parts.chains import GaussMarkov
from vaehub_timeseries.parts.shapes import latent_steps

LINK_START = 1.0  # neighbours start correlated by tanh(1) = 0.76: from 0, the KL to a smooth prior silences z before it has learnt anything
LINK_BOUND = 4.0  # and are correlated by at most tanh(4) = 0.9993


@final
class Banded(Posterior):
    """N(z; μ, (BᵀB)⁻¹) for each of `channels` latent series, B bidiagonal: correlated in time, drawn exactly in O(T).

    Written with means, standard deviations and correlations of neighbouring steps, which bounded numbers keep well conditioned.
    "GP-VAE: Deep Probabilistic Time Series Imputation" (Fortuin et al., 2020), arXiv:1907.04155.

    Arguments:
        channels: Number of latent series; latent is this times their steps.

    Raises:
        UsageError: the latent dimension is not channels x steps, or the series have one step only.

    >>> import torch
    >>> q = Banded(latent=6, channels=2)
    >>> q(torch.zeros(4, q.features)).rsample().shape
    torch.Size([4, 6])
    """

    def __init__(self, latent: int, *, channels: PositiveInt = 1) -> None:
        super().__init__(latent)
        self.features, self.channels = 3 * latent, channels
        if latent_steps("posterior banded", latent, channels) < 2:
            raise UsageError(f"posterior banded: latent = {latent} with channels = {channels} is one step; choose diag_normal")

    def forward(self, params: Tensor) -> Distribution:
        """q(z|x,c): batch (B,), event (L,)."""
        mean, log_scale, link = params.unflatten(-1, (3, self.channels, -1)).unbind(-3)
        between = LINK_START + 0.5 * (link[..., 1:] + link[..., :-1])
        return GaussMarkov(mean, bounded_exp(log_scale), between.clamp(-LINK_BOUND, LINK_BOUND))

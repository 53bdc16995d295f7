"""q(z|x,c) of windows with gaps, by networks that read values and mask."""

from __future__ import annotations

from typing import Annotated, final

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.nn import functional as F

from vaehub import Batch, Encoder, Posterior, Spec, UsageError
from vaehub.model import nets
from vaehub_timeseries.parts.hiding import hide_at_rate
from vaehub_timeseries.parts.shapes import latent_steps, window_shape
from vaehub_timeseries.parts.temporal import Network, Temporal

Fraction = Annotated[float, Field(ge=0, lt=1)]


@final
class MaskedReader(nn.Module):
    """Features of every step (B, T, H) from its values, 0 where missing, its mask and the condition."""

    def __init__(self, spec: Spec, network: Network, width: int, layers: int, dropout: float, hide: float) -> None:
        super().__init__()
        steps, channels = spec.shape
        self.cond, self.hide = spec.cond, hide
        self.enter = nn.Linear(2 * channels + spec.cond, width)
        self.over_time = Temporal(network, steps, width, layers, dropout)

    def forward(self, batch: Batch) -> Tensor:
        """(B, T, H)."""
        seen = self.seen(batch)
        inputs = [torch.where(seen, batch.x, 0.0), seen]
        if self.cond:
            inputs.append(nets.required(batch.cond, self.cond).unsqueeze(1).expand(-1, batch.x.shape[1], -1))
        features: Tensor = self.over_time(self.enter(torch.cat([t.to(nets.dtype_of(self)) for t in inputs], -1)))
        return features

    def seen(self, batch: Batch) -> Tensor:
        """The cells that the network is shown (B, T, C): the observed ones, while training without a random part."""
        observed = batch.observed
        seen = torch.ones_like(batch.x, dtype=torch.bool) if observed is None else observed
        return seen & ~hide_at_rate(batch.x, self.hide) if self.training and self.hide else seen


@final
class MaskedSeries(Encoder):
    """One code for a window with gaps: values and mask go through a network over time, all its steps into one linear map.

    While training, `hide` of the cells are kept from it (points, runs or whole steps) and stay in the loss, so that it learns to fill
    gaps. The masked VAE of "Handling Incomplete Heterogeneous Data using VAEs" (Nazábal et al., 2020), arXiv:1807.03653, hiding as in
    "SAITS: Self-Attention-based Imputation for Time Series" (Du et al., 2023), arXiv:2202.08516.

    Arguments:
        network: Transformer or convolutions over the steps of a window.
        width: Width of the layers.
        layers: Number of layers.
        dropout: Share of the hidden units that is dropped while training.
        hide: Share of the observed cells that are kept from the encoder while training and stay in the loss.

    Raises:
        UsageError: x is no window (T, C) of real values.

    >>> from vaehub.model.posteriors import DiagNormal
    >>> encoder = MaskedSeries(Spec((8, 3)), DiagNormal(2), width=8)
    >>> x = torch.zeros(5, 8, 3)
    >>> encoder(Batch(x, mask=x == 0)).mean.shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        spec: Spec,
        posterior: Posterior,
        *,
        network: Network = "transformer",
        width: PositiveInt = 64,
        layers: PositiveInt = 2,
        dropout: nets.Dropout = 0.0,
        hide: Fraction = 0.2,
    ) -> None:
        super().__init__(spec, posterior)
        steps, _ = window_shape("encoder masked_series", spec)
        self.read = MaskedReader(spec, network, width, layers, dropout, hide)
        self.head = nn.Linear(steps * width, posterior.features)

    def forward(self, batch: Batch) -> Distribution:
        """q(z|x,c): batch (B,), event (L,)."""
        return self.posterior(self.head(self.read(batch).flatten(1)))


@final
class StepEncoder(Encoder):
    """A code that is a series itself: z = `channels` latent series of L / channels steps, each step read off the features at that time.

    Where z has fewer steps than the window, features are averaged over the steps in between. Series come one after the other in z.
    Of "GP-VAE: Deep Probabilistic Time Series Imputation" (Fortuin et al., 2020), arXiv:1907.04155; for posterior banded or diag_normal.

    Arguments:
        channels: Number of latent series; latent is this times their steps.
        network: Transformer or convolutions over the steps of a window.
        width: Width of the layers.
        layers: Number of layers.
        dropout: Share of the hidden units that is dropped while training.
        hide: Share of the observed cells that are kept from the encoder while training and stay in the loss.

    Raises:
        UsageError: x is no window (T, C) of real values, or channels or the posterior's features do not divide evenly.

    >>> from vaehub.model.posteriors import DiagNormal
    >>> encoder = StepEncoder(Spec((8, 3)), DiagNormal(16), channels=2, width=8)
    >>> x = torch.zeros(5, 8, 3)
    >>> encoder(Batch(x, mask=x == 0)).mean.shape
    torch.Size([5, 16])
    """

    def __init__(
        self,
        spec: Spec,
        posterior: Posterior,
        *,
        channels: PositiveInt = 1,
        network: Network = "convolution",
        width: PositiveInt = 64,
        layers: PositiveInt = 2,
        dropout: nets.Dropout = 0.0,
        hide: Fraction = 0.2,
    ) -> None:
        super().__init__(spec, posterior)
        window_shape("encoder per_step", spec)
        self.steps = latent_steps("encoder per_step", posterior.latent, channels)
        if posterior.features % self.steps:
            raise UsageError(
                f"encoder per_step: {posterior.features} features do not split into {self.steps} steps; choose posterior: banded"
            )
        self.read = MaskedReader(spec, network, width, layers, dropout, hide)
        self.head = nn.Linear(width, posterior.features // self.steps)

    def forward(self, batch: Batch) -> Distribution:
        """q(z|x,c): batch (B,), event (L,)."""
        features = F.adaptive_avg_pool1d(self.read(batch).transpose(1, 2), self.steps)
        return self.posterior(self.head(features.transpose(1, 2)).transpose(1, 2).flatten(1))

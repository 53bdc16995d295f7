"""p(x|z,c) of windows (T, C)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from pydantic import PositiveInt
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.nn import functional as F

from vaehub import Decoder, Likelihood, Spec
from vaehub.model import nets
from vaehub_timeseries.parts.shapes import latent_steps, window_shape
from vaehub_timeseries.parts.temporal import Network, Temporal


def by_parameter(out: Tensor, likelihood: Likelihood) -> Tensor:
    """Output of every step (B, T, K·C) as parameters (B, K, T, C)."""
    steps: Tensor = out.unflatten(-1, (likelihood.param_shape[0], -1))
    return steps.transpose(1, 2)


@final
class SeriesDecoder(Decoder):
    """One code for a window: a linear map gives every step its features, a network over time refines them.

    Arguments:
        network: Transformer or convolutions over the steps of a window.
        width: Width of the layers.
        layers: Number of layers.
        dropout: Share of the hidden units that is dropped while training.

    Raises:
        UsageError: x is no window (T, C) of real values.

    >>> from vaehub.model.likelihoods import Normal
    >>> spec = Spec((8, 3))
    >>> SeriesDecoder(spec, 2, Normal(spec), width=8)(torch.zeros(5, 2)).mean.shape
    torch.Size([5, 8, 3])
    """

    def __init__(
        self,
        spec: Spec,
        latent: int,
        likelihood: Likelihood,
        *,
        network: Network = "transformer",
        width: PositiveInt = 64,
        layers: PositiveInt = 2,
        dropout: nets.Dropout = 0.0,
    ) -> None:
        super().__init__(spec, latent, likelihood)
        self.steps, channels = window_shape("decoder series", spec)
        self.enter = nn.Linear(latent + spec.cond, self.steps * width)
        self.over_time = Temporal(network, self.steps, width, layers, dropout)
        self.head = nn.Linear(width, likelihood.param_shape[0] * channels)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Distribution:
        """p(x|z,c): first batch dimension B."""
        features = self.enter(nets.conditioned(z, cond, self.spec.cond)).unflatten(-1, (self.steps, -1))
        return self.likelihood(by_parameter(self.head(self.over_time(features)), self.likelihood))


@final
class StepDecoder(Decoder):
    """x at a time depends on z at that time alone: one multilayer perceptron for every step of `channels` latent series.

    Where z has fewer steps than the window, it is interpolated linearly in time. Of "GP-VAE: Deep Probabilistic Time Series Imputation"
    (Fortuin et al., 2020), arXiv:1907.04155.

    Arguments:
        channels: Number of latent series; latent is this times their steps.
        hidden: Widths of the hidden layers, from input to output; none make one linear map.
        activation: Function between the layers.

    Raises:
        UsageError: x is no window (T, C) of real values, or channels does not divide the latent dimension.

    >>> from vaehub.model.likelihoods import Normal
    >>> spec = Spec((8, 3))
    >>> StepDecoder(spec, 8, Normal(spec), channels=2)(torch.zeros(5, 8)).mean.shape
    torch.Size([5, 8, 3])
    """

    def __init__(
        self,
        spec: Spec,
        latent: int,
        likelihood: Likelihood,
        *,
        channels: PositiveInt = 1,
        hidden: Sequence[PositiveInt] = (64, 64),
        activation: nets.Activation = "gelu",
    ) -> None:
        super().__init__(spec, latent, likelihood)
        self.steps, width = window_shape("decoder per_step", spec)
        self.channels = channels
        latent_steps("decoder per_step", latent, channels)
        self.net = nets.mlp(channels + spec.cond, *hidden, likelihood.param_shape[0] * width, activation=activation)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Distribution:
        """p(x|z,c): first batch dimension B."""
        code = z.unflatten(-1, (self.channels, -1))
        if code.shape[-1] != self.steps:
            code = F.interpolate(code, size=self.steps, mode="linear", align_corners=True)
        inputs = code.transpose(1, 2)
        if self.spec.cond:
            again = nets.required(cond, self.spec.cond).to(z.dtype).unsqueeze(1).expand(-1, self.steps, -1)
            inputs = torch.cat([inputs, again], -1)
        return self.likelihood(by_parameter(self.net(inputs), self.likelihood))

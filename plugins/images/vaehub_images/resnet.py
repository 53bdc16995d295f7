"""Residual networks for images of any size."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias, final

from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.distributions import Distribution

from vaehub import Batch, Decoder, Encoder, Likelihood, Posterior, Spec
from vaehub.model import nets
from vaehub_images.layers import MapsToVector, VectorToMaps, Widths, downsample, halved_sizes, image_input, image_shape, upsample

Norm: TypeAlias = Literal["none", "group"]
Blocks: TypeAlias = Annotated[int, Field(ge=1)]
NORMS: dict[Norm, Callable[[int], nn.Module]] = {
    "none": lambda width: nn.Identity(),
    "group": lambda width: nn.GroupNorm(math.gcd(8, width), width),
}


class Block(nn.Module):
    """x + f(x), f two pre-activated 3 x 3 convolutions, the second of which starts at zero.

    "Identity Mappings in Deep Residual Networks" (He et al., 2016), arXiv:1603.05027.
    """

    def __init__(self, width: int, activation: nets.Activation, norm: Norm, dropout: float) -> None:
        super().__init__()
        act = nets.ACTIVATIONS[activation]
        last = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(last.weight)
        middle = [nn.Conv2d(width, width, 3, padding=1), NORMS[norm](width), act(), nn.Dropout2d(dropout)]
        self.change = nn.Sequential(NORMS[norm](width), act(), *middle, last)

    def forward(self, x: Tensor) -> Tensor:
        """(B, F, H, W) -> (B, F, H, W)."""
        return x + self.change(x)  # type: ignore[no-any-return]


@final
class ResNetEncoder(Encoder):
    """q(z|x,c) by `blocks` residual blocks for each width in `channels`, the size halved in between, and a hidden layer on what
    `bottleneck` maps keep of them.

    The family of networks of "On the Necessity and Effectiveness of Learning the Prior of Variational Auto-Encoder" (Xu et al., 2019),
    arXiv:1905.13452.

    Arguments:
        channels: Widths of the maps at every size, from input to output.
        blocks: Residual blocks at every size.
        bottleneck: Maps that the hidden layer sees.
        hidden: Width of the hidden layer.
        activation: Function between the layers.
        norm: Normalisation in every block.
        dropout: Share of the hidden units that is dropped while training.

    Raises:
        UsageError: rows that are no images (C, H, W).

    Example:
        >>> import torch
        >>> from vaehub import Batch, Spec
        >>> from vaehub.model.posteriors import DiagNormal
        >>> encoder = ResNetEncoder(Spec((1, 8, 8)), DiagNormal(2), channels=[4, 8], blocks=1, bottleneck=2, hidden=16)
        >>> encoder(Batch(torch.zeros(3, 1, 8, 8))).mean.shape
        torch.Size([3, 2])
    """

    def __init__(
        self,
        spec: Spec,
        posterior: Posterior,
        *,
        channels: Widths = (32, 64, 128),
        blocks: Blocks = 2,
        bottleneck: PositiveInt = 16,
        hidden: PositiveInt = 512,
        activation: nets.Activation = "silu",
        norm: Norm = "none",
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    ) -> None:
        super().__init__(spec, posterior)
        inputs, height, width = image_shape(spec)
        layers: list[nn.Module] = [nn.Conv2d(inputs, channels[0], 3, padding=1)]
        for level, width_in in enumerate(channels):
            layers += [Block(width_in, activation, norm, dropout) for _ in range(blocks)]
            layers += [downsample(width_in, channels[level + 1])] if level + 1 < len(channels) else []
        act = nets.ACTIVATIONS[activation]
        self.convolutions = nn.Sequential(*layers, act(), nn.Conv2d(channels[-1], bottleneck, 1), act())
        maps = (bottleneck, halved_sizes(height, len(channels) - 1)[-1], halved_sizes(width, len(channels) - 1)[-1])
        self.summary = MapsToVector(maps, spec.cond, hidden, posterior.features, activation)

    def forward(self, batch: Batch) -> Distribution:
        """q(z|x,c): batch (B,), event (L,)."""
        return self.posterior(self.summary(self.convolutions(image_input(batch.x, self.spec, self)), batch.cond))


@final
class ResNetDecoder(Decoder):
    """p(x|z,c): the way of `ResNetEncoder` back, from a hidden layer on z and cond to the parameters of every pixel.

    Arguments:
        channels: Widths of the maps at every size, from input to output.
        blocks: Residual blocks at every size.
        bottleneck: Maps that the hidden layer sees.
        hidden: Width of the hidden layer.
        activation: Function between the layers.
        norm: Normalisation in every block.
        dropout: Share of the hidden units that is dropped while training.

    Raises:
        UsageError: rows that are no images (C, H, W).

    Example:
        >>> import torch
        >>> from vaehub import Spec
        >>> from vaehub.model.likelihoods import Bernoulli
        >>> spec = Spec((1, 8, 8))
        >>> decoder = ResNetDecoder(spec, 2, Bernoulli(spec), channels=[8, 4], blocks=1, bottleneck=2, hidden=16)
        >>> decoder(torch.zeros(3, 2)).log_prob(torch.ones(3, 1, 8, 8)).shape  # one value for each pixel
        torch.Size([3, 1, 8, 8])
    """

    def __init__(
        self,
        spec: Spec,
        latent: int,
        likelihood: Likelihood,
        *,
        channels: Widths = (128, 64, 32),
        blocks: Blocks = 2,
        bottleneck: PositiveInt = 16,
        hidden: PositiveInt = 512,
        activation: nets.Activation = "silu",
        norm: Norm = "none",
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    ) -> None:
        super().__init__(spec, latent, likelihood)
        colours, height, width = image_shape(spec)
        heights, widths = halved_sizes(height, len(channels) - 1)[::-1], halved_sizes(width, len(channels) - 1)[::-1]
        self.canvas = VectorToMaps(latent, spec.cond, hidden, (bottleneck, heights[0], widths[0]), activation)
        act = nets.ACTIVATIONS[activation]
        layers: list[nn.Module] = [act(), nn.Conv2d(bottleneck, channels[0], 1)]
        for level, width_in in enumerate(channels):
            layers += [Block(width_in, activation, norm, dropout) for _ in range(blocks)]
            if level + 1 < len(channels):
                layers.append(upsample(width_in, channels[level + 1], heights[level + 1], widths[level + 1]))
        last = nn.Conv2d(channels[-1], likelihood.param_shape[0] * colours, 3, padding=1)
        self.convolutions = nn.Sequential(*layers, act(), last)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Distribution:
        """p(x|z,c): batch (B, C, H, W)."""
        params = self.convolutions(self.canvas(z, cond))
        return self.likelihood(params.reshape(-1, *self.likelihood.param_shape))

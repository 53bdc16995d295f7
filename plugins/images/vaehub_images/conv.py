"""Plain convolutional networks: small and quick."""

from __future__ import annotations

from typing import final

from pydantic import PositiveInt
from torch import Tensor, nn
from torch.distributions import Distribution

from vaehub import Batch, Decoder, Encoder, Likelihood, Posterior, Spec
from vaehub.model import nets
from vaehub_images.layers import MapsToVector, VectorToMaps, Widths, downsample, halved_sizes, image_input, image_shape, upsample


@final
class ConvEncoder(Encoder):
    """q(z|x,c) by convolutions of stride 2, one for each width in `channels`, and a hidden layer that also reads cond.

    "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks" (Radford et al., 2016), arXiv:1511.06434.

    Arguments:
        channels: Widths of the convolutions, from input to output.
        hidden: Width of the hidden layer.
        activation: Function between the layers.

    Raises:
        UsageError: rows that are no images (C, H, W).

    Example:
        >>> import torch
        >>> from vaehub import Batch, Spec
        >>> from vaehub.model.posteriors import DiagNormal
        >>> encoder = ConvEncoder(Spec((1, 8, 8)), DiagNormal(2), channels=[4, 8], hidden=16)
        >>> encoder(Batch(torch.zeros(3, 1, 8, 8))).mean.shape
        torch.Size([3, 2])
    """

    def __init__(
        self,
        spec: Spec,
        posterior: Posterior,
        *,
        channels: Widths = (32, 64),
        hidden: PositiveInt = 256,
        activation: nets.Activation = "gelu",
    ) -> None:
        super().__init__(spec, posterior)
        inputs, height, width = image_shape(spec)
        pairs = zip([inputs, *channels], channels, strict=False)
        self.convolutions = nn.Sequential(*(m for pair in pairs for m in (downsample(*pair), nets.ACTIVATIONS[activation]())))
        maps = (channels[-1], halved_sizes(height, len(channels))[-1], halved_sizes(width, len(channels))[-1])
        self.summary = MapsToVector(maps, spec.cond, hidden, posterior.features, activation)

    def forward(self, batch: Batch) -> Distribution:
        """q(z|x,c): batch (B,), event (L,)."""
        return self.posterior(self.summary(self.convolutions(image_input(batch.x, self.spec, self)), batch.cond))


def doublings(channels: Widths, outputs: int, height: int, width: int, activation: nets.Activation) -> nn.Sequential:
    """(B, channels[0], h, w) -> (B, outputs, height, width), doubling once for every width in `channels`."""
    steps = len(channels)
    sizes = list(zip(halved_sizes(height, steps), halved_sizes(width, steps), strict=True))[-2::-1]
    layers: list[nn.Module] = []
    for inputs, width_out, size in zip(channels, [*channels[1:], outputs], sizes, strict=True):
        layers += [nets.ACTIVATIONS[activation](), upsample(inputs, width_out, *size)]
    return nn.Sequential(*layers)


@final
class ConvDecoder(Decoder):
    """p(x|z,c) by a hidden layer on z and cond, and transposed convolutions of stride 2, one for each width in `channels`.

    Arguments:
        channels: Widths of the convolutions, from input to output.
        hidden: Width of the hidden layer.
        activation: Function between the layers.

    Raises:
        UsageError: rows that are no images (C, H, W).

    Example:
        >>> import torch
        >>> from vaehub import Spec
        >>> from vaehub.model.likelihoods import Bernoulli
        >>> spec = Spec((1, 8, 8))
        >>> decoder = ConvDecoder(spec, 2, Bernoulli(spec), channels=[8, 4], hidden=16)
        >>> decoder(torch.zeros(3, 2)).log_prob(torch.ones(3, 1, 8, 8)).shape  # one value for each pixel
        torch.Size([3, 1, 8, 8])
    """

    def __init__(
        self,
        spec: Spec,
        latent: int,
        likelihood: Likelihood,
        *,
        channels: Widths = (64, 32),
        hidden: PositiveInt = 256,
        activation: nets.Activation = "gelu",
    ) -> None:
        super().__init__(spec, latent, likelihood)
        colours, height, width = image_shape(spec)
        maps = (channels[0], halved_sizes(height, len(channels))[-1], halved_sizes(width, len(channels))[-1])
        self.canvas = VectorToMaps(latent, spec.cond, hidden, maps, activation)
        self.convolutions = doublings(channels, likelihood.param_shape[0] * colours, height, width, activation)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Distribution:
        """p(x|z,c): batch (B, C, H, W)."""
        params = self.convolutions(self.canvas(z, cond))
        return self.likelihood(params.reshape(-1, *self.likelihood.param_shape))

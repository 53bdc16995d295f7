"""A decoder that draws pixel after pixel: p(x|z,c) = prod_i p(x_i | x_1 … x_(i-1), z, c), rows from the top, pixels from the left,
the channels of a pixel in their order.

Shapes: F feature maps, R rows of one layer's window above the current one, K parameters of the likelihood per element.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Literal, TypeAlias, cast, final

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.distributions import Distribution, constraints
from torch.nn import functional as F

from vaehub import Decoder, Likelihood, Outcome, Spec, UsageError
from vaehub.model import nets
from vaehub_images.conv import doublings
from vaehub_images.layers import VectorToMaps, Widths, halved_sizes, image_input, image_shape

Kernel: TypeAlias = Literal[3, 5, 7]


class CausalConv(nn.Conv2d):
    """A convolution of width k over a window that ends at the current pixel, there causal in the colours.

    Feature maps belong to the colours in turn; at the current pixel map o of colour c reads maps of colours up to c, or, where
    `strict`, before c.
    """

    mask: Tensor

    def __init__(self, inputs: int, outputs: int, colours: int, k: int = 1, strict: bool = False) -> None:
        super().__init__(inputs, outputs, (1, k))
        read, written = torch.arange(inputs) % colours, torch.arange(outputs) % colours
        mask = torch.ones(outputs, inputs, 1, k)
        mask[..., -1] = (read < written[:, None] if strict else read <= written[:, None]).float().unsqueeze(-1)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, window: Tensor) -> Tensor:
        """(B, inputs, H, W + k - 1) -> (B, outputs, H, W). For a single pixel a matrix product is several times faster."""
        weight = self.weight * self.mask
        if window.shape[2:] == weight.shape[2:]:
            return F.linear(window.flatten(1), weight.flatten(1), self.bias)[..., None, None]
        return F.conv2d(window, weight, self.bias)


def gate(h: Tensor) -> Tensor:
    """tanh(a) * sigmoid(b) of the two halves of the maps (B, 2F, …)."""
    a, b = h.chunk(2, 1)
    return a.tanh() * b.sigmoid()


class GatedLayer(nn.Module):
    """One gated layer: a stack that sees the rows above, and one that sees them and the pixels to the left.

    Both take windows, padded in front by `reach` rows or columns, so that the same weights serve whole images and single steps.
    """

    def __init__(self, inputs: int, width: int, colours: int, k: int, first: bool) -> None:
        super().__init__()
        self.reach, self.first = k // 2, first
        self.above = nn.Conv2d(inputs, 2 * width, (self.reach + 1, k), padding=(0, self.reach))
        self.left = CausalConv(inputs, 2 * width, colours, self.reach + 1, strict=first)
        self.handed = nn.Conv2d(2 * width, 2 * width, 1)
        self.out = CausalConv(width, width, colours)

    def vertical(self, window: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        """Window (B, F, reach + H, W) and code (B, 2F, H, W) -> the rows' maps (B, F, H, W), and what `horizontal` is handed of them."""
        h = self.above(window)
        handed: Tensor = self.handed(h) + code
        return gate(h + code), handed

    def horizontal(self, window: Tensor, handed: Tensor) -> Tensor:
        """Window (B, F, H, reach + W) and what `vertical` hands -> maps (B, F, H, W)."""
        h: Tensor = self.out(gate(self.left(window) + handed))
        return h if self.first else h + window[..., self.reach :]


class Autoregressive(Outcome):
    """p(x|z,c) with x one pixel after the other: log_prob is teacher forcing, sample and mode unroll. Batch (B, C, H, W)."""

    def __init__(self, decoder: PixelCNN, code: Tensor) -> None:
        self.decoder, self.code = decoder, code
        super().__init__(torch.Size((len(code), *decoder.spec.shape)), validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        """That of the likelihood."""
        return self.decoder.likelihood.support

    def log_prob(self, value: Tensor) -> Tensor:
        """log p(x_i | x_before i, z, c) of every element (B, C, H, W), in nats."""
        px = self.decoder.likelihood(self.decoder.params(value, self.code))
        if px.event_shape:
            raise UsageError(
                f"decoder pixelcnn: {type(self.decoder.likelihood).__name__} is a law of whole rows; choose one of single elements"
            )
        return px.log_prob(value)

    @property
    def mode(self) -> Tensor:
        """The likeliest value of each element given those before it: greedy, not the joint mode."""
        return unroll(self.decoder, self.code, greedy=True)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """x (*sample_shape, B, C, H, W)."""
        shape = torch.Size(sample_shape)
        code = self.code.repeat(shape.numel(), 1, 1, 1)
        return unroll(self.decoder, code, greedy=False).view(*shape, *self.batch_shape)


@final
class PixelCNN(Decoder):
    """p(x|z,c) by gated causal convolutions, for any likelihood of single elements.

    "Conditional Image Generation with PixelCNN Decoders" (van den Oord et al., 2016), arXiv:1606.05328, conditioned on a map that
    transposed convolutions (`channels`) make of z and cond, "PixelVAE" (Gulrajani et al., 2017), arXiv:1611.05013. No layer mixes
    rows of a batch.

    Arguments:
        width: Width of the gated convolutions.
        layers: Number of gated convolutions.
        kernel: Side of their kernels, in pixels.
        channels: Widths of the transposed convolutions on z and cond.
        hidden: Width of the layer before them.

    Raises:
        UsageError: rows that are no images (C, H, W).

    Example:
        >>> import torch
        >>> from vaehub import Spec
        >>> from vaehub.model.likelihoods import Bernoulli
        >>> spec = Spec((1, 8, 8))
        >>> decoder = PixelCNN(spec, 2, Bernoulli(spec), width=4, layers=2, kernel=3, channels=[4], hidden=16)
        >>> decoder(torch.zeros(3, 2)).log_prob(torch.ones(3, 1, 8, 8)).shape  # one value for each pixel
        torch.Size([3, 1, 8, 8])
    """

    def __init__(
        self,
        spec: Spec,
        latent: int,
        likelihood: Likelihood,
        *,
        width: PositiveInt = 32,
        layers: Annotated[int, Field(ge=1)] = 6,
        kernel: Kernel = 5,
        channels: Widths = (64, 32),
        hidden: PositiveInt = 256,
    ) -> None:
        super().__init__(spec, latent, likelihood)
        colours, height, columns = image_shape(spec)
        width = -(-width // colours) * colours
        maps = (channels[0], halved_sizes(height, len(channels))[-1], halved_sizes(columns, len(channels))[-1])
        self.canvas = VectorToMaps(latent, spec.cond, hidden, maps, "gelu")
        self.map = doublings(channels, width, height, columns, "gelu")
        self.codes = nn.Conv2d(width, layers * 2 * width, 1)
        self.layers = nn.ModuleList(GatedLayer(width if i else colours, width, colours, kernel, not i) for i in range(layers))
        self.head = nn.Sequential(
            nn.ReLU(),
            CausalConv(width, 2 * width, colours),
            nn.ReLU(),
            CausalConv(2 * width, likelihood.param_shape[0] * colours, colours),
        )

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Distribution:
        """p(x|z,c): batch (B, C, H, W)."""
        return Autoregressive(self, self.codes(F.gelu(self.map(self.canvas(z, cond)))))

    def params(self, x: Tensor, code: Tensor) -> Tensor:
        """Parameters (B, K, C, H, W) of every element of x, all at once; code (B, layers * 2F, H, W)."""
        h = image_input(x, self.spec, self)
        v = F.pad(h, (0, 0, 1, 0))[..., :-1, :]
        for layer, c in zip(self.stack, code.chunk(len(self.layers), 1), strict=True):
            v, handed = layer.vertical(F.pad(v, (0, 0, layer.reach, 0)), c)
            h = layer.horizontal(F.pad(h, (layer.reach, 0)), handed)
        return self.shaped(self.head(h))

    def shaped(self, h: Tensor) -> Tensor:
        """The head's maps (B, K * C, H, W) as parameters (B, K, C, H, W)."""
        params: Tensor = h.unflatten(1, self.likelihood.param_shape[:2])
        return params

    @property
    def stack(self) -> list[GatedLayer]:
        """The gated layers, first to last."""
        return cast(list[GatedLayer], list(self.layers))


@torch.no_grad()
def unroll(decoder: PixelCNN, code: Tensor, greedy: bool) -> Tensor:
    """x (B, C, H, W) drawn element by element; each layer keeps the few rows and columns of its window, so that a pixel costs no
    more than its own convolutions: "Fast Generation for Convolutional Autoregressive Models" (Ramachandran et al., 2017), arXiv:1704.06001.
    """
    sweep = Sweep(decoder, code)
    for row in range(decoder.spec.shape[1]):
        sweep.start_row(row)
        for column in range(decoder.spec.shape[2]):
            for colour in range(decoder.spec.shape[0]):
                px = decoder.likelihood(sweep.params(column)[:, :, colour : colour + 1])
                value = greedy_value(px, bool(decoder.spec.classes)) if greedy else px.sample()
                sweep.x[:, colour, row, column] = value[:, 0, 0, 0].to(sweep.x.dtype)
            sweep.finish(column)
    return sweep.x


def greedy_value(px: Distribution, discrete: bool) -> Tensor:
    """The mode; the mean where no mode is known; 0 where torch calls both values of a fair coin NaN."""
    with suppress(NotImplementedError):
        return px.mode.nan_to_num()
    return px.mean.round() if discrete else px.mean


class Sweep:
    """Where an unrolling stands: the image so far and the windows of every layer."""

    def __init__(self, decoder: PixelCNN, code: Tensor) -> None:
        self.decoder, self.layers = decoder, decoder.stack
        self.code = code.chunk(len(self.layers), 1)
        shape = (len(code), *decoder.spec.shape)
        self.x = torch.zeros(shape, dtype=torch.long if decoder.spec.classes else nets.dtype_of(decoder), device=code.device)
        widths = [layer.above.in_channels for layer in self.layers]
        self.above = [
            code.new_zeros(len(code), f, layer.reach + 1, shape[-1]) for f, layer in zip(widths, self.layers, strict=True)
        ]

    def start_row(self, row: int) -> None:
        """Run the stack of the rows above for one row, and empty the windows to the left."""
        self.row = row
        v = self._pixels(slice(row - 1, row), slice(None)) if row else torch.zeros_like(self.above[0][:, :, :1])
        self.handed = []
        for i, layer in enumerate(self.layers):
            self.above[i] = torch.cat([self.above[i][:, :, 1:], v], 2)
            v, handed = layer.vertical(self.above[i], self.code[i][:, :, row : row + 1])
            self.handed.append(handed)
        self.left = [
            rows.new_zeros(len(rows), rows.shape[1], 1, layer.reach + 1)
            for rows, layer in zip(self.above, self.layers, strict=True)
        ]

    def params(self, column: int) -> Tensor:
        """Parameters (B, K, C, 1, 1) of the current pixel."""
        h = self._pixels(slice(self.row, self.row + 1), slice(column, column + 1))
        for i, layer in enumerate(self.layers):
            self.left[i][..., -1:] = h
            h = layer.horizontal(self.left[i], self.handed[i][..., column : column + 1])
        return self.decoder.shaped(self.decoder.head(h))

    def finish(self, column: int) -> None:
        """Move the windows on by one pixel that is now known in all its colours; deeper layers do not read its last colour."""
        self.left[0][..., -1:] = self._pixels(slice(self.row, self.row + 1), slice(column, column + 1))
        self.left = [F.pad(window[..., 1:], (0, 1)) for window in self.left]

    def _pixels(self, rows: slice, columns: slice) -> Tensor:
        return image_input(self.x[:, :, rows, columns], self.decoder.spec, self.decoder)

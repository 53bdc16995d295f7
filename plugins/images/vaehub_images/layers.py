"""What the image networks share: how x enters, how a code becomes a map, and how sizes halve and double.

Shapes: B batch, F feature maps, (C, H, W) one image.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeAlias

import torch
from pydantic import Field
from torch import Tensor, nn

from vaehub import Spec, UsageError
from vaehub.model import nets

Widths: TypeAlias = Annotated[Sequence[Annotated[int, Field(ge=1)]], Field(min_length=1)]


def image_shape(spec: Spec) -> tuple[int, int, int]:
    """(C, H, W). Raises UsageError where rows are no images."""
    if len(spec.shape) != 3:
        raise UsageError(
            f"convolutional networks read images (channels, height, width); these rows have shape {spec.shape}; use mlp"
        )
    return spec.shape[0], spec.shape[1], spec.shape[2]


def image_input(x: Tensor, spec: Spec, module: nn.Module) -> Tensor:
    """x (B, C, H, W) as a network reads it: levels are scaled to [-1, 1], other values stay."""
    x = x.to(nets.dtype_of(module), memory_format=torch.channels_last)
    return x * (2 / (spec.classes - 1)) - 1 if spec.classes > 1 else x


def halved_sizes(size: int, times: int) -> list[int]:
    """`size` and what is left of it after each of `times` halvings, rounded up.

    Example:
        >>> halved_sizes(7, 2)
        [7, 4, 2]
    """
    sizes = [size]
    for _ in range(times):
        sizes.append(-(-sizes[-1] // 2))
    return sizes


def downsample(inputs: int, outputs: int) -> nn.Conv2d:
    """(B, inputs, H, W) -> (B, outputs, H/2, W/2), rounded up."""
    return nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)


def upsample(inputs: int, outputs: int, height: int, width: int) -> nn.ConvTranspose2d:
    """(B, inputs, H/2, W/2) -> (B, outputs, height, width): the way back from `downsample`, to an even or an odd size."""
    return nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=(1 - height % 2, 1 - width % 2))


class MapsToVector(nn.Module):
    """Feature maps (B, F, H, W) and cond (B, C) to `outputs` reals, through one hidden layer."""

    def __init__(self, maps: tuple[int, int, int], cond: int, hidden: int, outputs: int, activation: nets.Activation) -> None:
        super().__init__()
        self.width = cond
        inputs = maps[0] * maps[1] * maps[2] + cond
        self.net = nn.Sequential(nn.Linear(inputs, hidden), nets.ACTIVATIONS[activation](), nn.Linear(hidden, outputs))

    def forward(self, maps: Tensor, cond: Tensor | None) -> Tensor:
        """(B, outputs)."""
        return self.net(nets.conditioned(maps.flatten(1), cond, self.width))  # type: ignore[no-any-return]


class VectorToMaps(nn.Module):
    """Code z (B, L) and cond (B, C) to feature maps (B, F, H, W), through one hidden layer."""

    def __init__(self, latent: int, cond: int, hidden: int, maps: tuple[int, int, int], activation: nets.Activation) -> None:
        super().__init__()
        self.width, self.maps = cond, maps
        act = nets.ACTIVATIONS[activation]
        self.net = nn.Sequential(nn.Linear(latent + cond, hidden), act(), nn.Linear(hidden, maps[0] * maps[1] * maps[2]))

    def forward(self, z: Tensor, cond: Tensor | None) -> Tensor:
        """(B, F, H, W)."""
        maps: Tensor = self.net(nets.conditioned(z, cond, self.width)).view(-1, *self.maps)
        return maps.contiguous(memory_format=torch.channels_last)

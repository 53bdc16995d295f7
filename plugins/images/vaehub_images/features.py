"""Frozen networks whose activations a perceptual objective compares, and the classifier of digits behind one of them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Annotated, TypeAlias, final

import torch
from pydantic import Field
from safetensors.torch import load
from torch import Tensor, nn
from torch.nn import functional as F

from vaehub import Features, Spec, UsageError

Layers: TypeAlias = Annotated[int, Field(ge=1, le=8)]
DIGIT_WIDTHS = (16, 32, 64)


class DigitClassifier(nn.Module):
    """A small classifier of 28 x 28 digits in [0, 1]: three convolutions with max-pooling and two dense layers."""

    def __init__(self) -> None:
        super().__init__()
        pairs = zip((1, *DIGIT_WIDTHS), DIGIT_WIDTHS, strict=False)
        self.convolutions = nn.ModuleList(nn.Conv2d(inputs, outputs, 3, padding=1) for inputs, outputs in pairs)
        self.dense = nn.Sequential(nn.Linear(64 * 9, 64), nn.ReLU(), nn.Linear(64, 10))

    def activations(self, x: Tensor) -> list[Tensor]:
        """(B, 16, 28, 28), (B, 32, 14, 14), (B, 64, 7, 7) of x (B, 1, 28, 28)."""
        out = []
        for layer in self.convolutions:
            out.append(F.relu(layer(x)))
            x = F.max_pool2d(out[-1], 2)
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, 10) of x (B, 1, 28, 28)."""
        return self.dense(F.max_pool2d(self.activations(x)[-1], 2).flatten(1))  # type: ignore[no-any-return]


@cache
def digit_classifier() -> DigitClassifier:
    """The classifier that ships, trained on MNIST: data/digit_cnn.md tells how, and how good it is."""
    network = DigitClassifier()
    network.load_state_dict(load((files("vaehub_images") / "data" / "digit_cnn.safetensors").read_bytes()))
    return network.eval().requires_grad_(False)


@torch.no_grad()
def recognise(x: Tensor) -> Tensor:
    """The digit that the classifier which ships sees in each image.

    Arguments:
        x: (N, 1, 28, 28), values in [0, 1].

    Returns:
        (N,) digits 0 … 9.

    Example:
        >>> recognise(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2])
    """
    network = digit_classifier()
    return torch.cat([network(part).argmax(-1) for part in x.float().cpu().split(1000)])


def in_unit(x: Tensor, spec: Spec) -> Tensor:
    """x in [0, 1], levels scaled.

    Arguments:
        x: images as a model has them.
        spec: says how many levels there are, 0 where x is real.

    Example:
        >>> in_unit(torch.tensor([0, 3]), Spec((1,), classes=4)).tolist()
        [0.0, 1.0]
    """
    return x.float() / (spec.classes - 1) if spec.classes > 1 else x.float()


@final
class DigitCNN(Features):
    """The activations of a classifier of digits, 28 x 28 grey: the perceptual loss where every image is a digit.

    "Deep Feature Consistent Variational Autoencoder" (Hou et al., 2017), arXiv:1610.00291, with a network of our own.

    Raises:
        UsageError: images of another shape.

    Example:
        >>> [tuple(h.shape) for h in DigitCNN(Spec((1, 28, 28)))(torch.zeros(2, 1, 28, 28))]
        [(2, 16, 28, 28), (2, 32, 14, 14), (2, 64, 7, 7)]
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        if spec.shape != (1, 28, 28):
            raise UsageError(f"features digit_cnn: reads images (1, 28, 28), these have shape {spec.shape}; use random_conv")
        self.network = DigitClassifier()
        self.network.load_state_dict(digit_classifier().state_dict())

    def forward(self, x: Tensor) -> list[Tensor]:
        """Three activations of x (B, 1, 28, 28)."""
        return self.network.activations(in_unit(x, self.spec))


@final
class RandomConv(Features):
    """Convolutions with fixed random filters, for rows of any shape: nothing to train, nothing to download.

    "A Powerful Generative Model Using Random Weights for the Deep Image Representation" (He et al., 2016), arXiv:1606.04801.

    Arguments:
        layers: Number of layers.
        width: Filters of each.
        seed: Seed of the filters.

    Example:
        >>> [tuple(h.shape) for h in RandomConv(Spec((3, 8, 8)), layers=2, width=4)(torch.zeros(1, 3, 8, 8))]
        [(1, 4, 8, 8), (1, 4, 4, 4)]
    """

    def __init__(self, spec: Spec, *, layers: Layers = 3, width: Annotated[int, Field(ge=1)] = 32, seed: int = 0) -> None:
        super().__init__(spec)
        self.layers = layers
        self.view = spec.shape if len(spec.shape) == 3 else (1, 1, spec.size)
        generator = torch.Generator().manual_seed(seed)
        for i in range(layers):
            inputs = width if i else self.view[0]
            filters = torch.randn(width, inputs, 3, 3, generator=generator) * (2 / (9 * inputs)) ** 0.5
            self.register_buffer(f"filters{i}", filters, persistent=False)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Activations (B, width, …) of x (B, *shape), each of half the size of the one before."""
        h, out = in_unit(x, self.spec).reshape(-1, *self.view), []
        for i in range(self.layers):
            h = F.relu(F.conv2d(h, self.get_buffer(f"filters{i}"), padding=1))
            out.append(h)
            h = F.avg_pool2d(h, 2, ceil_mode=True)
        return out

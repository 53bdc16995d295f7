"""Rows of pixels kept as they are stored, and what a model is given of them.

Shapes: N rows, B batch, (C, H, W) channels, height and width of one image. Stored are bytes 0 … 255 (uint8), real numbers 0 … 1 (float32)
or levels (int64).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from vaehub import Batch, Data, seeded

Form: TypeAlias = Callable[[Tensor], Tensor]  # stored pixels (B, C, H, W) -> x of the same shape


def unit(pixels: Tensor) -> Tensor:
    """Bytes as numbers in [0, 1]; real numbers stay."""
    return pixels if pixels.is_floating_point() else pixels.float().div_(255)


def bernoulli_draw(pixels: Tensor) -> Tensor:
    """x ~ Bernoulli(pixels / 255), 0 or 1, drawn anew at every call.

    A uniform byte lies below p with probability p / 256; the one value 255 draws again, twice at most. What is left
    to the exact p / 255 is under 2^-24, the resolution of `torch.rand`, at half its time. Real numbers are the chance itself.

    Arguments:
        pixels: of any shape, bytes or real numbers 0 … 1.

    Example:
        >>> bernoulli_draw(torch.tensor([0, 255], dtype=torch.uint8)).tolist()
        [0.0, 1.0]
    """
    if pixels.is_floating_point():
        return (torch.rand_like(pixels) < pixels).float()
    words = torch.empty(3, -(-pixels.numel() // 8), dtype=torch.int64, device=pixels.device).random_(-(2**63), None)
    first, second, third = words.view(torch.uint8)[:, : pixels.numel()].reshape(3, *pixels.shape)
    top = torch.full_like(pixels, 254)
    x = (second < pixels) | ((second > top) & (third < pixels))
    x = (first < pixels) | ((first > top) & x)
    out: Tensor = x.view(torch.uint8).float()
    return out


def fixed_bernoulli(*key: int | str) -> Form:
    """The coins of `bernoulli_draw`, the same for every image and at every call with the same key: x depends on the image alone.

    Arguments:
        key: what the draw depends on.

    Example:
        >>> draw = fixed_bernoulli("read")
        >>> grey = torch.full((2, 1, 4, 4), 128, dtype=torch.uint8)
        >>> torch.equal(draw(grey)[0], draw(grey)[1])
        True
    """

    def form(pixels: Tensor) -> Tensor:
        with seeded("binarise", *key):
            chance = torch.rand(pixels.shape[1:])
        return (chance.to(pixels.device) < unit(pixels)).float()

    return form


def quantise(levels: int) -> Form:
    """Bytes, or real numbers 0 … 1, as integers 0 … levels - 1; `levels` a power of two.

    floor(levels · b / 255), cut at the last level, is b >> shift for every byte b: a file of real numbers and one of bytes give the same.

    Arguments:
        levels: 2, 4, … 256.

    Example:
        >>> quantise(4)(torch.tensor([0, 63, 64, 255], dtype=torch.uint8)).tolist()
        [0, 0, 1, 3]
    """
    shift = 9 - levels.bit_length()

    def form(pixels: Tensor) -> Tensor:
        if pixels.is_floating_point():
            return (pixels * levels).long().clamp_(max=levels - 1)
        return (pixels >> shift).long() if pixels.dtype == torch.uint8 else pixels

    return form


def to_bytes(x: Tensor, levels: int = 0) -> Tensor:
    """x as bytes; what lies outside of its range is clipped.

    Arguments:
        x: real numbers in [0, 1], or integers 0 … levels - 1.
        levels: how many levels x has, 0 where it is real.

    Example:
        >>> to_bytes(torch.tensor([-1.0, 0.5, 1.0])).tolist(), to_bytes(torch.tensor([0, 1]), levels=2).tolist()
        ([0, 128, 255], [0, 255])
    """
    top = levels - 1 if levels else 1
    return (x.double() * (255 / top)).round_().clamp_(0, 255).to(torch.uint8)


class Pixels(Data):
    """Images as stored, their classes, and the form in which batches hand them out.

    Arguments:
        pixels: (N, C, H, W) bytes, real numbers 0 … 1 or levels.
        labels: (N,) classes, None where there are none.
        form: stored pixels to x.
        cond: number of classes where the condition is the class, one-hot; else 0.

    Example:
        >>> rows = Pixels(torch.full((2, 1, 1, 1), 255, dtype=torch.uint8), torch.tensor([0, 1]), cond=2)
        >>> batch = rows[torch.tensor([1])]
        >>> batch.x.item(), batch.cond.tolist()
        (1.0, [[0.0, 1.0]])
    """

    def __init__(self, pixels: Tensor, labels: Tensor | None = None, form: Form = unit, cond: int = 0) -> None:
        self.pixels, self.labels, self.form = pixels, labels, form
        self.cond = F.one_hot(labels.long(), cond).float() if cond and labels is not None else None

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: Tensor) -> Batch:
        cond = None if self.cond is None else self.cond.index_select(0, index)
        return Batch(self.form(self.pixels.index_select(0, index)), cond)

    def to(self, device: torch.device | str) -> Pixels:
        """The same rows on another device; the labels stay where they are."""
        moved = Pixels(self.pixels.to(device), self.labels, self.form)
        moved.cond = None if self.cond is None else self.cond.to(device)
        return moved


def drawn_once(pixels: Tensor, *key: int | str) -> Tensor:
    """A fixed draw of `bernoulli_draw` as bytes 0 and 255, the same at every call with the same key."""
    with seeded("binarise", *key):
        return bernoulli_draw(pixels).mul_(255).to(torch.uint8)

"""Which observed cells an encoder is not shown while training: several patterns, drawn on the device."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

LONGEST = 12  # steps of a hidden run


def points(like: Tensor, rate: float) -> Tensor:
    """Single cells, (B, T, C)."""
    return torch.rand_like(like) < rate


def runs(like: Tensor, rate: float) -> Tensor:
    """Runs in single channels, of one length a batch; a cell is hidden with probability `rate`, (B, T, C)."""
    rows, steps, channels = like.shape
    length = int(torch.randint(2, max(3, min(LONGEST, steps // 2) + 1), ()))
    starts = torch.rand(rows, channels, steps + length - 1, dtype=like.dtype, device=like.device) < 1 - (1 - rate) ** (1 / length)
    return F.max_pool1d(starts.to(like.dtype), length, stride=1).transpose(1, 2) > 0


def steps(like: Tensor, rate: float) -> Tensor:
    """Whole steps, all channels at once, (B, T, C)."""
    return (torch.rand_like(like[..., :1]) < rate).expand_as(like)


def hide_at_rate(like: Tensor, rate: float) -> Tensor:
    """Points, runs or whole steps, a random one of the three for every row; a cell is hidden with probability `rate`, (B, T, C)."""
    pattern = torch.randint(3, (len(like), 1, 1), device=like.device)
    return torch.where(pattern == 0, points(like, rate), torch.where(pattern == 1, runs(like, rate), steps(like, rate)))


def hide_up_to(like: Tensor, most: float) -> Tensor:
    """As `hide_at_rate`, with a rate of its own for every row, up to `most`, and with runs of any length and blocks, (B, T, C)."""
    rows, length, channels = like.shape
    rate = 0.05 + (most - 0.05) * torch.rand_like(like[:, :1, :1])
    single = torch.rand_like(like) < rate
    long = stretches(like, channels, length + 1) & (torch.rand_like(like[:, :1]) < 1.2 * rate)
    block = stretches(like, 1, max(2, length // 2)) & neighbours(like)
    pattern = torch.randint(4, (rows, 1, 1), device=like.device)
    mixed = long | (torch.rand_like(like) < 0.5 * rate)
    return torch.where(pattern == 0, single, torch.where(pattern == 1, long, torch.where(pattern == 2, block, mixed)))


def stretches(like: Tensor, channels: int, longest: int) -> Tensor:
    """A run of random length and place for every row, in each of so many channels, (B, T, channels)."""
    rows, length = like.shape[:2]
    extent = torch.randint(2, longest + 1, (rows, 1, channels), device=like.device)
    start = (torch.rand(rows, 1, channels, device=like.device) * (length + extent - 1)).long() - extent + 1
    place = torch.arange(length, device=like.device).view(1, -1, 1)
    return (place >= start) & (place < start + extent)


def neighbours(like: Tensor) -> Tensor:
    """A random number of channels beside each other for every row, (B, 1, C)."""
    rows, _, channels = like.shape
    width = torch.randint(1, channels + 1, (rows, 1, 1), device=like.device)
    first = torch.randint(channels, (rows, 1, 1), device=like.device)
    return (torch.arange(channels, device=like.device).view(1, 1, -1) - first) % channels < width

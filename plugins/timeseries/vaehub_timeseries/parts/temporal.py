"""Networks over time: (B, T, H) -> (B, T, H), with a code for every step."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias, final

import torch
from torch import Tensor, nn

from vaehub.model import nets

Network: TypeAlias = Literal["transformer", "convolution"]

HEADS = 4  # of attention, where they divide the width


def transformer(width: int, layers: int, dropout: float) -> nn.Module:
    """Self-attention over all steps, normalised before each layer.

    "Attention Is All You Need" (Vaswani et al., 2017), arXiv:1706.03762; "On Layer Normalization in the Transformer Architecture"
    (Xiong et al., 2020), arXiv:2002.04745.
    """
    heads = math.gcd(width, HEADS)
    blocks = [
        nn.TransformerEncoderLayer(width, heads, 2 * width, dropout, "gelu", batch_first=True, norm_first=True)
        for _ in range(layers)
    ]
    return nn.Sequential(*blocks, nn.LayerNorm(width))


def convolution(width: int, layers: int, dropout: float) -> nn.Module:
    """Residual convolutions of three steps, 1, 2, 4, … apart, that see both past and future.

    "An Empirical Evaluation of Generic Convolutional and Recurrent Networks for Sequence Modeling" (Bai et al., 2018), arXiv:1803.01271,
    without its causality.
    """
    return ChannelsFirst(
        nn.Sequential(*(nets.Residual(_block(width, 2**i, dropout)) for i in range(layers)), nn.GroupNorm(1, width))
    )


def _block(width: int, dilation: int, dropout: float) -> nn.Module:
    spread = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
    return nn.Sequential(nn.GroupNorm(1, width), spread, nn.GELU(), nn.Dropout(dropout), nn.Conv1d(width, width, 1))


@final
class ChannelsFirst(nn.Module):
    """A network of (B, H, T) for data (B, T, H)."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, H)."""
        out: Tensor = self.net(x.transpose(1, 2))
        return out.transpose(1, 2)


NETWORKS = {"transformer": transformer, "convolution": convolution}


@final
class Temporal(nn.Module):
    """One of the networks, after a learnt code for every step of the window."""

    def __init__(self, network: Network, steps: int, width: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.position = nn.Parameter(0.02 * torch.randn(steps, width))
        self.net = NETWORKS[network](width, layers, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, H)."""
        out: Tensor = self.net(x + self.position)
        return out

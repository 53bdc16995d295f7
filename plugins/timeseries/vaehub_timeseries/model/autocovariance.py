"""Stationary covariances: from the lags of a series to the joint covariance of a window, and back."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def window_covariance(gamma: Tensor, steps: int | None = None) -> Tensor:
    """Covariance (T*C, T*C) of a window from gamma (T, C, C), gamma[k] = cov(x_t, x_{t+k}): block-Toeplitz."""
    lags = gamma[:steps]
    both = torch.cat([lags.flip(0)[:-1].mT, lags])  # lags -(T-1) … T-1
    t = torch.arange(len(lags), device=gamma.device)
    blocks = both[t.unsqueeze(0) - t.unsqueeze(1) + len(lags) - 1]
    return blocks.permute(0, 2, 1, 3).reshape(len(lags) * gamma.shape[1], -1)


def lag_moments(series: Sequence[Tensor] | Tensor, lags: int) -> Tensor:
    """Mean of x_t x_{t+k}^T over all pairs in all series (T_i, C), or (N, T, C): (lags, C, C); 0 at lags that no series has."""
    groups = [series] if isinstance(series, Tensor) else stacked(series)
    moments = groups[0].new_zeros(lags, groups[0].shape[2], groups[0].shape[2])
    pairs, lag = moments.new_zeros(lags), torch.arange(lags, device=moments.device)
    for x in groups:
        length = x.shape[1] + lags  # so that no product wraps round
        spectrum = torch.fft.rfft(x, length, dim=1).permute(1, 2, 0)
        products = torch.fft.irfft(spectrum.conj() @ spectrum.mT, length, dim=0)
        moments += products[:lags] * (lag < x.shape[1]).view(-1, 1, 1)
        pairs += len(x) * (x.shape[1] - lag).clamp(min=0)
    return moments / pairs.clamp(min=1).view(-1, 1, 1)


def stacked(series: Sequence[Tensor]) -> list[Tensor]:
    """Series of equal length together: (N, T, C) for each length."""
    by_length: dict[int, list[Tensor]] = {}
    for x in series:
        by_length.setdefault(len(x), []).append(x)
    return [torch.stack(group) for group in by_length.values()]

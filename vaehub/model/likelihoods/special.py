"""Special functions that keep their precision in float32, where the textbook form subtracts numbers that are nearly equal."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
SMALLEST_RATE = 1e-20  # where softplus has underflowed: log p(x > 0) and its gradients stay finite in float32


def rate(raw: Tensor) -> Tensor:
    """A positive mean from a real number: softplus(raw)."""
    return softplus(raw) + SMALLEST_RATE


def stirling_series(inverse: Tensor) -> Tensor:
    """δ of 1/inverse, for arguments of 8 and more to 1e-11: Abramowitz & Stegun (1964), 6.1.41."""
    square = inverse * inverse
    return inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)))


SERIES_AT_8 = float(stirling_series(torch.tensor(1 / 8, dtype=torch.float64)))


def stirling_error(a: Tensor) -> Tensor:
    """δ(a) = log Γ(a) - (a - ½) log a + a - ½ log 2π: what Stirling's formula misses, for a > 0."""
    small = a.clamp(max=8.0)
    up_to_8 = torch.lgamma(small) - (small - 0.5) * small.log() + small
    return up_to_8 + stirling_series(a.clamp(min=8.0).reciprocal()) - (HALF_LOG_2PI + SERIES_AT_8)


def log_gamma_step(a: Tensor, step: float) -> Tensor:
    """log Γ(a + step) - log Γ(a), for a > 0."""
    stirling = (a - 0.5) * torch.log1p(step / a) + step * (a + step).log() - step
    return stirling + stirling_error(a + step) - stirling_error(a)


def log_ratio(ratio: Tensor, excess: Tensor) -> Tensor:
    """log(ratio) of a rounded ratio, corrected to first order by excess = ratio - 1, which the caller knows more precisely near 1."""
    with torch.no_grad():
        correction = (excess - (ratio - 1)) / ratio.clamp(min=0.5)
    return ratio.log() + correction


def log_factorial_rest(x: Tensor) -> Tensor:
    """log x! - x log x + x, for counts x."""
    up = x.clamp(min=1.0)
    return 0.5 * up.log() + stirling_error(up) + (HALF_LOG_2PI - 1) + x.clamp(max=1.0)

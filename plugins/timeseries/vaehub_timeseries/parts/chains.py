"""Gaussian Markov chains over time: the distributions whose precision is a product of bidiagonal matrices."""

from __future__ import annotations

import math
from typing import Any, final

import torch
from torch import Tensor
from torch.distributions import constraints
from torch.nn.functional import pad

from vaehub import Outcome


def recurrence(factor: Tensor, term: Tensor) -> Tensor:
    """h with h_t = factor_t h_{t-1} + term_t over the last axis (…, T), h_{-1} = 0.

    By cyclic reduction: O(T) operations in O(log T) steps. "Prefix Sums and Their Applications" (Blelloch, 1990), CMU-CS-90-190.
    """
    factor, term = torch.broadcast_tensors(factor, term)
    steps = term.shape[-1]
    if steps == 1:
        return term
    even, odd = slice(0, steps - steps % 2, 2), slice(1, None, 2)
    later = recurrence(factor[..., odd] * factor[..., even], factor[..., odd] * term[..., even] + term[..., odd])
    before = torch.cat([torch.zeros_like(later[..., :1]), later], -1)[..., : (steps + 1) // 2]
    earlier = factor[..., ::2] * before + term[..., ::2]
    return interleaved(earlier, later)


def interleaved(even: Tensor, odd: Tensor) -> Tensor:
    """Entries 0, 2, 4, … from the one, 1, 3, 5, … from the other, along the last axis."""
    out = even.new_empty(*even.shape[:-1], even.shape[-1] + odd.shape[-1])
    out[..., ::2], out[..., 1::2] = even, odd
    return out


@final
class GaussMarkov(Outcome):
    """k series z = μ + σ u with u a chain of unit variance: u_0 = ε_0, u_t = ρ_t u_{t-1} + √(1 - ρ_t²) ε_t, ρ = tanh(link).

    Every normal distribution over T steps whose precision is tridiagonal, that is BᵀB with B bidiagonal, has this form, and σ² are its
    variances. mean and scale (B, k, T), link (B, k, T - 1); batch (B,), event (k·T,), series one after the other. All but `inner`
    costs O(T).
    """

    support = constraints.real_vector
    has_rsample = True

    def __init__(self, mean: Tensor, scale: Tensor, link: Tensor) -> None:
        self.loc, self.scale = mean, scale
        self.rho = pad(link.tanh(), (1, 0))
        self.log_innovation = pad(log_sech(link), (1, 0))  # ½ log(1 - ρ²), 0 at the first step
        super().__init__(mean.shape[:-2], torch.Size([mean.shape[-2:].numel()]), validate_args=False)

    @property
    def mean(self) -> Tensor:
        """(B, L)."""
        return self.loc.flatten(-2)

    @property
    def variance(self) -> Tensor:
        """(B, L)."""
        return self.scale.square().flatten(-2)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Reparameterised z (*sample_shape, B, L)."""
        shape = torch.Size(sample_shape) + self.loc.shape
        noise = torch.randn(shape, dtype=self.loc.dtype, device=self.loc.device)
        return (self.loc + self.scale * recurrence(self.rho, self.log_innovation.exp() * noise)).flatten(-2)

    def log_prob(self, value: Tensor) -> Tensor:
        """log p(z) of z (*S, B, L), in nats."""
        u = (value.unflatten(-1, self.loc.shape[-2:]) - self.loc) / self.scale
        before = pad(u[..., :-1], (1, 0))
        square = ((u - self.rho * before) * (-self.log_innovation).exp()).square().sum((-2, -1))
        density: Tensor = -0.5 * (square + self.log_det + value.shape[-1] * math.log(2 * math.pi))
        return density

    @property
    def log_det(self) -> Tensor:
        """log |covariance| (B,)."""
        return 2 * (self.scale.log() + self.log_innovation).sum((-2, -1))

    def inner(self, matrix: Tensor) -> Tensor:
        """Σ_ij M_ij Cov_ij of a symmetric matrix M (k, T, T) for each series, over all series: (B,). O(T²), one diagonal after the other."""
        total: Tensor = (matrix.diagonal(dim1=-2, dim2=-1) * self.scale.square()).sum((-2, -1))
        carried = self.scale
        for apart in range(1, self.scale.shape[-1]):
            carried = carried[..., :-1] * self.rho[..., apart:]  # σ_t corr(z_t, z_t+apart)
            total = total + 2 * (matrix.diagonal(apart, -2, -1) * carried * self.scale[..., apart:]).sum((-2, -1))
        return total


def log_sech(link: Tensor) -> Tensor:
    """log(1 / cosh(link)) = ½ log(1 - tanh²(link)), without overflow."""
    size = link.abs()
    return math.log(2) - size - torch.log1p(torch.exp(-2 * size))

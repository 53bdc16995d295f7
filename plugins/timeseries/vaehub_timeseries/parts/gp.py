"""The prior of a GP-VAE: Gaussian processes over time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, final

import torch
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal, constraints
from torch.distributions.kl import register_kl

from vaehub import Outcome, Prior, Spec, UsageError
from vaehub.model import unrounded
from vaehub_timeseries.parts.chains import GaussMarkov
from vaehub_timeseries.parts.shapes import latent_steps

Kernel: TypeAlias = Literal["cauchy", "rbf", "matern12", "matern32", "matern52"]

NUGGET = 1e-3  # share of white noise in the unit variance: smooth kernels are singular to float32 without

KERNELS: dict[Kernel, Callable[[Tensor], Tensor]] = {
    "cauchy": lambda r: 1 / (1 + r.square()),
    "rbf": lambda r: (-0.5 * r.square()).exp(),
    "matern12": lambda r: (-r).exp(),
    "matern32": lambda r: (1 + math.sqrt(3) * r) * (-math.sqrt(3) * r).exp(),
    "matern52": lambda r: (1 + math.sqrt(5) * r + 5 / 3 * r.square()) * (-math.sqrt(5) * r).exp(),
}


def covariance(kernel: Kernel, length_scale: float, steps: int) -> Tensor:
    """Of one series of unit variance (T, T), in float64."""
    time = torch.arange(steps, dtype=torch.float64)
    distance = (time.unsqueeze(1) - time).abs() / length_scale
    return (1 - NUGGET) * KERNELS[kernel](distance) + NUGGET * torch.eye(steps, dtype=torch.float64)


def by_series(matrix: Tensor, z: Tensor) -> Tensor:
    """M_k z_k for the k-th series: (k, T, T) and (…, k, T) to (…, k, T). Never in bfloat16: precisions span three orders of magnitude."""
    with unrounded(z):
        return torch.einsum("kts,...ks->...kt", matrix, z.to(matrix.dtype))


@final
class SeriesNormal(Outcome):
    """k independent series of mean 0 with covariances A Aᵀ, given A and its inverse (k, T, T); batch (), event (k·T,)."""

    support = constraints.real_vector
    has_rsample = True

    def __init__(self, tril: Tensor, inverse: Tensor) -> None:
        self.tril, self.inverse = tril, inverse
        super().__init__(torch.Size(), torch.Size([tril.shape[0] * tril.shape[1]]), validate_args=False)

    @property
    def mean(self) -> Tensor:
        """0 (L,)."""
        return torch.zeros_like(self.variance)

    @property
    def variance(self) -> Tensor:
        """(L,)."""
        return self.tril.square().sum(-1).flatten()

    @property
    def log_det(self) -> Tensor:
        """log |covariance|, over all series."""
        return -2 * self.inverse.diagonal(dim1=-2, dim2=-1).log().sum()

    @property
    def precision(self) -> Tensor:
        """The inverse of the covariance (k, T, T)."""
        with unrounded(self.inverse):
            return self.inverse.mT @ self.inverse

    def whitened(self, z: Tensor) -> Tensor:
        """A⁻¹ z of z (…, L): (…, k, T)."""
        return by_series(self.inverse, z.unflatten(-1, self.tril.shape[:2]))

    def log_prob(self, value: Tensor) -> Tensor:
        """log p(z) of z (…, L), in nats."""
        square = self.whitened(value).square().sum((-2, -1))
        return -0.5 * (square + self.log_det + value.shape[-1] * math.log(2 * math.pi))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """z (*sample_shape, L)."""
        noise = torch.randn(*sample_shape, *self.tril.shape[:2], dtype=self.tril.dtype, device=self.tril.device)
        return by_series(self.tril, noise).flatten(-2)


def kl_chain_process(q: GaussMarkov, p: SeriesNormal) -> Tensor:
    """KL(N(m, S) || N(0, K)) = ½ [tr K⁻¹S + mᵀK⁻¹m - L + log|K| - log|S|] (B,), in nats; S of a chain for each series."""
    return gaussian_kl(q.inner(p.precision), p.whitened(q.mean), q.log_det, p)


def kl_diagonal_process(q: Independent[Any], p: SeriesNormal) -> Tensor:
    """The same with S diagonal."""
    if not isinstance(q.base_dist, Normal) or q.reinterpreted_batch_ndims != 1:
        raise NotImplementedError
    trace = (p.precision.diagonal(dim1=-2, dim2=-1).flatten() * q.variance).sum(-1)
    return gaussian_kl(trace, p.whitened(q.mean), q.variance.log().sum(-1), p)


def gaussian_kl(trace: Tensor, white_mean: Tensor, log_det: Tensor, p: SeriesNormal) -> Tensor:
    """½ [tr K⁻¹S + |A⁻¹m|² - L + log|K| - log|S|] (B,)."""
    return 0.5 * (trace + white_mean.square().sum((-2, -1)) - p.event_shape.numel() + p.log_det - log_det)


register_kl(GaussMarkov, SeriesNormal)(kl_chain_process)
register_kl(Independent, SeriesNormal)(kl_diagonal_process)


@final
class GaussianProcess(Prior):
    """z = `channels` latent series, each a Gaussian process over time of unit variance, whatever the condition.

    The series take the length scales, in steps of z, in turn: slow and fast ones side by side. Kernels of r = |t - t'| / length scale:
    matern12 exp(-r), which posterior banded can match; matern32, matern52 and rbf exp(-r²/2), ever smoother; cauchy 1 / (1 + r²), the
    paper's, a mixture of all scales. "GP-VAE: Deep Probabilistic Time Series Imputation" (Fortuin et al., 2020), arXiv:1907.04155.

    Arguments:
        channels: Number of latent series; latent is this times their steps.
        kernel: Kernel of the process: matern12 is rough, matern32, matern52 and rbf ever smoother, cauchy a mixture of scales.
        length_scales: Length scales in steps of z; the series take them in turn.

    Raises:
        UsageError: the latent dimension is not channels x steps, or there is no length scale.

    >>> prior = GaussianProcess(Spec((8, 3)), latent=16, channels=2)
    >>> prior().variance.round(decimals=3).unique().tolist()
    [1.0]
    """

    tril: Tensor
    inverse: Tensor

    def __init__(
        self,
        spec: Spec,
        latent: int,
        *,
        channels: PositiveInt = 1,
        kernel: Kernel = "matern12",
        length_scales: Sequence[PositiveFloat] = (2.0, 8.0),
    ) -> None:
        super().__init__(spec, latent)
        if not length_scales:
            raise UsageError("prior gp: length_scales is empty; give one number of steps or more")
        steps = latent_steps("prior gp", latent, channels)
        scales = [length_scales[i % len(length_scales)] for i in range(channels)]
        tril = torch.linalg.cholesky(torch.stack([covariance(kernel, scale, steps) for scale in scales]))
        inverse = torch.linalg.solve_triangular(tril, torch.eye(steps, dtype=tril.dtype), upper=False)
        self.register_buffer("tril", tril.to(torch.get_default_dtype()), persistent=False)
        self.register_buffer("inverse", inverse.to(torch.get_default_dtype()), persistent=False)

    def forward(self, cond: Tensor | None = None) -> Distribution:
        """p(z): batch (), event (L,)."""
        return SeriesNormal(self.tril, self.inverse)

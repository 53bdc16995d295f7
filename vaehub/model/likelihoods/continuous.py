"""Families for real values."""

from __future__ import annotations

import math
from typing import final

import torch
import torch.distributions as td
from pydantic import PositiveFloat
from torch import Tensor
from torch.distributions import constraints

from vaehub.base import Likelihood, Spec
from vaehub.model.likelihoods.positive import Source, positive
from vaehub.model.likelihoods.sampled import Sampled
from vaehub.model.likelihoods.special import log_gamma_step


@final
class Normal(Likelihood):
    """Gaussian noise: log p(x) = -½ ((x - μ)/σ)² - log σ - ½ log 2π.

    With one learnt σ it is the calibrated decoder of "Simple and Effective VAE Training with Calibrated Decoders" (Rybkin et al., 2021),
    arXiv:2006.13202.

    Arguments:
        scale: σ in the units of x: a fixed number, "learnt" (one number) or "element" (from the network).
        min_scale: Least scale, unless it is fixed: without a floor a density has no upper bound.

    >>> Normal(Spec((1,)), scale=1.0)(torch.zeros(1, 1, 1)).log_prob(torch.ones(1, 1)).item()  # doctest: +ELLIPSIS
    -1.4189...
    """

    def __init__(self, spec: Spec, *, scale: Source = "learnt", min_scale: PositiveFloat = 1e-3) -> None:
        super().__init__(spec)
        self.scale = positive("scale", scale, minimum=min_scale)

    @property
    def param_shape(self) -> tuple[int, ...]:
        """(K, *shape): μ, then σ where it comes from the network."""
        return (1 + self.scale.width, *self.spec.shape)

    def forward(self, params: Tensor) -> td.Distribution:
        """Batch (B, *shape)."""
        return td.Normal(params[:, 0], self.scale(params[:, 1:]), validate_args=False)


@final
class Laplace(Likelihood):
    """Noise with heavier tails, fitted by absolute error: log p(x) = -|x - μ|/b - log 2b.

    "Continuous Univariate Distributions", volume 2 (Johnson, Kotz & Balakrishnan, 1995), chapter 24, ISBN 0-471-58494-0.

    Arguments:
        scale: b in the units of x: a fixed number, "learnt" (one number) or "element" (from the network).
        min_scale: Least scale, unless it is fixed: without a floor a density has no upper bound.

    >>> Laplace(Spec((1,)), scale=0.5)(torch.zeros(1, 1, 1)).log_prob(torch.ones(1, 1)).item()
    -2.0
    """

    def __init__(self, spec: Spec, *, scale: Source = "learnt", min_scale: PositiveFloat = 1e-3) -> None:
        super().__init__(spec)
        self.scale = positive("scale", scale, minimum=min_scale)

    @property
    def param_shape(self) -> tuple[int, ...]:
        """(K, *shape): μ, then b where it comes from the network."""
        return (1 + self.scale.width, *self.spec.shape)

    def forward(self, params: Tensor) -> td.Distribution:
        """Batch (B, *shape)."""
        return td.Laplace(params[:, 0], self.scale(params[:, 1:]), validate_args=False)


@final
class LocationScaleT(Sampled):
    """Student's t with location and scale; torch's own checks its degrees of freedom at every step and is imprecise where they are many."""

    support = constraints.real

    def __init__(self, loc: Tensor, scale: Tensor, df: Tensor) -> None:
        self.loc, self.scale, self.df = loc, scale, df
        super().__init__(loc.shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """log Γ((ν+1)/2) - log Γ(ν/2) - ½ log πν - log s - ½(ν+1) log(1 + y²/ν), y = (x - μ)/s."""
        y = (value - self.loc) / self.scale
        constant = log_gamma_step(self.df / 2, 0.5) - 0.5 * (math.pi * self.df).log() - self.scale.log()
        return constant - 0.5 * (self.df + 1) * torch.log1p(y.square() / self.df)

    @property
    def mean(self) -> Tensor:
        """μ where ν > 1; there is none otherwise: NaN."""
        return torch.where(self.df > 1, self.loc, math.nan)

    @property
    def mode(self) -> Tensor:
        """μ."""
        return self.loc

    def draw(self, shape: torch.Size) -> Tensor:
        """A normal variate over the root of a χ² variate."""
        normal = torch.randn(shape, dtype=self.loc.dtype, device=self.loc.device)
        half_chi2 = torch._standard_gamma((self.df / 2).expand(shape))
        return self.loc + self.scale * normal * (self.df / (2 * half_chi2)).sqrt()


@final
class StudentT(Likelihood):
    """Noise that tolerates outliers: Student's t with location, scale and ν degrees of freedom.

    log p(x) = log Γ((ν+1)/2) - log Γ(ν/2) - ½ log πν - log s - ½(ν+1) log(1 + y²/ν), y = (x - μ)/s. A learnt ν stays above 2, so that a
    variance exists, as in "GluonTS: Probabilistic and Neural Time Series Modeling in Python" (Alexandrov et al., 2020), arXiv:1906.05264.

    Arguments:
        scale: s in the units of x: a fixed number, "learnt" (one number) or "element" (from the network).
        df: ν: a fixed number, "learnt" (one number) or "element" (from the network); unless fixed it stays above 2.
        min_scale: Least scale, unless it is fixed: without a floor a density has no upper bound.

    >>> cauchy = StudentT(Spec((1,)), scale=1.0, df=1.0)(torch.zeros(1, 1, 1))
    >>> 1 / cauchy.log_prob(torch.zeros(1, 1)).exp().item()  # doctest: +ELLIPSIS
    3.1415...
    """

    def __init__(self, spec: Spec, *, scale: Source = "learnt", df: Source = "learnt", min_scale: PositiveFloat = 1e-3) -> None:
        super().__init__(spec)
        self.scale = positive("scale", scale, minimum=min_scale)
        self.df = positive("df", df, minimum=2.0, start=6.0)

    @property
    def param_shape(self) -> tuple[int, ...]:
        """(K, *shape): μ, then the scale and ν where they come from the network."""
        return (1 + self.scale.width + self.df.width, *self.spec.shape)

    def forward(self, params: Tensor) -> td.Distribution:
        """Batch (B, *shape)."""
        return LocationScaleT(params[:, 0], self.scale(params[:, 1:]), self.df(params[:, 1 + self.scale.width :]))

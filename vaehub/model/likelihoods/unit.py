"""Families for values between 0 and 1."""

from __future__ import annotations

from typing import final

import torch
import torch.distributions as td
from torch import Tensor
from torch.distributions import constraints
from torch.nn.functional import binary_cross_entropy_with_logits

from vaehub.base import Likelihood
from vaehub.model.likelihoods.sampled import Sampled


@final
class CrossEntropy(td.Bernoulli):
    """Bernoulli whose log_prob x·l - softplus(l) also takes grey x: minus the cross-entropy."""

    def log_prob(self, value: Tensor) -> Tensor:
        """log p(value), or minus the cross-entropy for 0 < value < 1. One fused function: a fifth faster than its two terms."""
        logits, value = torch.broadcast_tensors(self.logits, value.to(self.logits.dtype))
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")


@final
class Bernoulli(Likelihood):
    """Black and white, and by custom grey values x in 0..1, whose log p is then minus the cross-entropy, not a density.

    log p(x) = x log π + (1 - x) log(1 - π), π = sigmoid(params). For a density over grey values: continuous_bernoulli.
    "Auto-Encoding Variational Bayes" (Kingma & Welling, 2014), arXiv:1312.6114, appendix C.1.

    >>> from vaehub.base import Spec
    >>> Bernoulli(Spec((2,)))(torch.zeros(1, 1, 2)).log_prob(torch.tensor([[0.0, 1.0]])).exp().tolist()
    [[0.5, 0.5]]
    """

    support = constraints.unit_interval
    expects = "0..1"

    @property
    def param_shape(self) -> tuple[int, ...]:
        """(1, *shape): logits."""
        return (1, *self.spec.shape)

    def forward(self, params: Tensor) -> td.Distribution:
        """Batch (B, *shape)."""
        return CrossEntropy(logits=params[:, 0], validate_args=False)


def log_sinhc(a: Tensor) -> Tensor:
    """log(sinh(a/2) / (a/2)) of a >= 0, by its series where the quotient loses precision."""
    safe = a.clamp(min=0.05)
    square = a.clamp(max=0.05).square()
    return torch.where(a < 0.05, square / 24 - square.square() / 2880, safe / 2 + (-torch.expm1(-safe) / safe).log())


@final
class ExponentialOnUnit(Sampled):
    """Density proportional to exp(l·x) on 0..1: the continuous Bernoulli by its logit l, exact for l near 0 and for |l| of thousands."""

    support = constraints.unit_interval

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits
        super().__init__(logits.shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """log p(x) = (x - ½) l - log(sinh(l/2) / (l/2))."""
        return (value - 0.5) * self.logits - log_sinhc(self.logits.abs())

    @property
    def mean(self) -> Tensor:
        """1 / (1 - exp(-l)) - 1/l."""
        size = self.logits.abs().clamp(min=0.05)
        exact = 0.5 + self.logits.sign() * (-torch.expm1(-size).reciprocal() - size.reciprocal() - 0.5)
        small = self.logits.clamp(-0.05, 0.05)
        return torch.where(self.logits.abs() < 0.05, 0.5 + small / 12 - small.pow(3) / 720, exact)

    def draw(self, shape: torch.Size) -> Tensor:
        """By the inverse of the distribution function of |l|, mirrored where l < 0."""
        size = self.logits.abs().clamp(min=1e-6)
        u = torch.rand(shape, dtype=size.dtype, device=size.device)
        x = (1 + torch.log1p((1 - u) * torch.expm1(-size)) / size).clamp(0, 1)
        return torch.where(self.logits < 0, 1 - x, x)


@final
class ContinuousBernoulli(Likelihood):
    """A density over grey values in 0..1: log p(x) = l·x - log((exp(l) - 1) / l), l the logit.

    It has no upper bound at x = 0 and x = 1: where many x are exactly that, as in 8-bit pictures, the ELBO rises without end.
    "The continuous Bernoulli: fixing a pervasive error in variational autoencoders" (Loaiza-Ganem & Cunningham, 2019), arXiv:1907.06845.

    >>> from vaehub.base import Spec
    >>> ContinuousBernoulli(Spec((2,)))(torch.zeros(1, 1, 2)).log_prob(torch.tensor([[0.0, 0.3]])).exp().tolist()
    [[1.0, 1.0]]
    """

    support = constraints.unit_interval
    expects = "0..1"
    unbounded_at = (0.0, 1.0)
    bounded_instead = "discretized_logistic over levels (for images domain.levels=256), which has a bound"

    @property
    def param_shape(self) -> tuple[int, ...]:
        """(1, *shape): logits."""
        return (1, *self.spec.shape)

    def forward(self, params: Tensor) -> td.Distribution:
        """Batch (B, *shape)."""
        return ExponentialOnUnit(params[:, 0])

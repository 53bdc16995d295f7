"""Families for counts 0, 1, 2, …"""

from __future__ import annotations

from typing import final

import torch
import torch.distributions as td
from pydantic import PositiveInt
from torch import Tensor
from torch.distributions import constraints
from torch.nn.functional import log_softmax

from vaehub.base import Likelihood, Spec
from vaehub.model.likelihoods.positive import Source, positive
from vaehub.model.likelihoods.sampled import Sampled
from vaehub.model.likelihoods.special import log_factorial_rest, log_ratio, rate, stirling_error


@final
class PrecisePoisson(td.Poisson):
    """Poisson whose log_prob stays precise for counts of thousands in float32."""

    def log_prob(self, value: Tensor) -> Tensor:
        """x log λ - λ - log x! as x log(λ/x) + x - λ - (log x! - x log x + x): "Fast and Accurate Computation of Binomial Probabilities"
        (Loader, 2000).
        """
        x = value.to(self.rate.dtype)
        up = x.clamp(min=1.0)
        return x * log_ratio(self.rate / up, (self.rate - up) / up) + (x - self.rate) - log_factorial_rest(x)


@final
class Poisson(Likelihood):
    """Counts whose variance is their mean: log p(x) = x log λ - λ - log x!, λ = softplus(params).

    "Univariate Discrete Distributions" (Johnson, Kemp & Kotz, 2005), chapter 4, doi:10.1002/0471715816.

    >>> px = Poisson(Spec((1,)))(torch.full((1, 1, 1), 30.0))
    >>> round(px.log_prob(torch.tensor([[30.0]])).exp().item(), 4)
    0.0726
    """

    support = constraints.nonnegative_integer
    expects = "counts 0, 1, 2, …"

    @property
    def param_shape(self) -> tuple[int, ...]:
        """(1, *shape): λ before softplus."""
        return (1, *self.spec.shape)

    def forward(self, params: Tensor) -> td.Distribution:
        """Batch (B, *shape)."""
        return PrecisePoisson(rate(params[:, 0]), validate_args=False)


@final
class MeanDispersion(Sampled):
    """Negative binomial by mean m and dispersion r: a Poisson whose rate is a gamma variate of shape r and mean m."""

    support = constraints.nonnegative_integer

    def __init__(self, mean: Tensor, dispersion: Tensor) -> None:
        self._mean, self.dispersion = mean, dispersion
        super().__init__(mean.shape)

    @property
    def mean(self) -> Tensor:
        """m."""
        return self._mean

    def log_prob(self, value: Tensor) -> Tensor:
        """log Γ(x+r) - log Γ(r) - log x! + r log(r/(r+m)) + x log(m/(r+m)), rearranged as for Poisson so that large terms cancel on paper."""
        m, r, x = self._mean, self.dispersion, value.to(self._mean.dtype)
        up = x.clamp(min=1.0)
        spread = (r + x) / (r + m)
        deviance = x * log_ratio(m / up * spread, r * ((m - up) / up) / (r + m)) + r * log_ratio(spread, (x - m) / (r + m))
        return deviance - 0.5 * torch.log1p(x / r) - log_factorial_rest(x) + stirling_error(r + x) - stirling_error(r)

    def draw(self, shape: torch.Size) -> Tensor:
        """Counts (*sample_shape, *batch)."""
        return torch.poisson(torch._standard_gamma(self.dispersion.expand(shape)) * self._mean / self.dispersion)


@final
class NegativeBinomial(Likelihood):
    """Counts that scatter more than Poisson's: mean m = softplus(params) and variance m + m²/r.

    log p(x) = log Γ(x+r) - log Γ(r) - log x! + r log(r/(r+m)) + x log(m/(r+m)). r is the inverse dispersion theta of "Deep generative
    modeling for single-cell transcriptomics" (Lopez et al., 2018), doi:10.1038/s41592-018-0229-2.

    Arguments:
        dispersion: r: a fixed number, "learnt" (one number) or "element" (from the network); a large r is nearly Poisson.

    >>> px = NegativeBinomial(Spec((1,)), dispersion=1.0)(torch.full((1, 1, 1), 30.0))
    >>> round(px.log_prob(torch.tensor([[0.0]])).exp().item() * 31, 4)
    1.0
    """

    support = constraints.nonnegative_integer
    expects = "counts 0, 1, 2, …"

    def __init__(self, spec: Spec, *, dispersion: Source = "learnt") -> None:
        super().__init__(spec)
        self.dispersion = positive("dispersion", dispersion, minimum=1e-4)

    @property
    def param_shape(self) -> tuple[int, ...]:
        """(K, *shape): m before softplus, then r where it comes from the network."""
        return (1 + self.dispersion.width, *self.spec.shape)

    def forward(self, params: Tensor) -> td.Distribution:
        """Batch (B, *shape)."""
        return MeanDispersion(rate(params[:, 0]), self.dispersion(params[:, 1:]))


@final
class RowCounts(Sampled):
    """Multinomial given the total of the row at hand, by its log-probabilities (B, *shape)."""

    gaps_are_zeros = True

    support = constraints.nonnegative_integer

    def __init__(self, logits: Tensor, total: int, coefficient: bool) -> None:
        self.logits, self.total, self.coefficient = logits, total, coefficient
        super().__init__(logits.shape[:1], logits.shape[1:])

    @property
    def mean(self) -> Tensor:
        """Expected counts of `total` draws."""
        return self.total * self.logits.exp()

    def log_prob(self, value: Tensor) -> Tensor:
        """log p(row | its total): one value per row."""
        x = value.to(self.logits.dtype)
        log_p = self.over_event(x * self.logits)
        return log_p + self.log_coefficient(x) if self.coefficient else log_p

    def log_coefficient(self, x: Tensor) -> Tensor:
        """log n! - Σ log xᵢ!."""
        return torch.lgamma(self.over_event(x) + 1) - self.over_event(torch.lgamma(x + 1))

    def over_event(self, t: Tensor) -> Tensor:
        """The sum over the elements of a row."""
        return t.flatten(-len(self.event_shape)).sum(-1)

    def draw(self, shape: torch.Size) -> Tensor:
        """Counts of `total` draws (*sample_shape, B, *shape)."""
        probs = self.logits.flatten(1).exp()
        rows = probs.expand(shape.numel() // probs.numel(), *probs.shape).flatten(0, 1)
        drawn = torch.multinomial(rows, self.total, replacement=True)
        counts = torch.zeros_like(rows).scatter_add_(1, drawn, torch.ones_like(drawn, dtype=rows.dtype))
        return counts.reshape(shape)


@final
class Multinomial(Likelihood):
    """A row of counts, such as one user's clicks over all items, given their total n = Σ xᵢ: log p(x) = log n! - Σ log xᵢ! + Σ xᵢ log πᵢ.

    π = softmax(params) over the row. Without `coefficient` it is the published objective of Mult-VAE:
    "Variational Autoencoders for Collaborative Filtering" (Liang et al., 2018), arXiv:1802.05814.

    Arguments:
        coefficient: Count the first two terms too: without them it is no density, but has the same gradient.
        total: Number of draws in a sample and in the mean; log p takes each row's own.

    >>> px = Multinomial(Spec((2,)))(torch.zeros(1, 1, 2))
    >>> round(px.log_prob(torch.tensor([[1.0, 1.0]])).exp().item(), 4)
    0.5
    """

    support = constraints.nonnegative_integer
    expects = "counts 0, 1, 2, …"

    def __init__(self, spec: Spec, *, coefficient: bool = True, total: PositiveInt = 1) -> None:
        super().__init__(spec)
        self.coefficient, self.total = coefficient, total

    @property
    def param_shape(self) -> tuple[int, ...]:
        """(1, *shape): unnormalised log-probabilities."""
        return (1, *self.spec.shape)

    def forward(self, params: Tensor) -> td.Distribution:
        """Batch (B,), event shape."""
        logits = log_softmax(params.flatten(1), -1).reshape(len(params), *self.spec.shape)
        return RowCounts(logits, self.total, self.coefficient)

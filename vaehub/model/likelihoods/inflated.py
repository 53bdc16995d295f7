"""More zeros than a family would give: a wrapper for any of them."""

from __future__ import annotations

from typing import final

import torch
import torch.distributions as td
from torch import Tensor
from torch.distributions import constraints
from torch.nn.functional import logsigmoid

from vaehub.base import Likelihood, Part, Spec
from vaehub.errors import UsageError
from vaehub.model.likelihoods.counts import Poisson
from vaehub.model.likelihoods.sampled import Sampled

INNER = 0.5  # lies inside every support in use: stands in for zeros, whose density may be infinite


@final
class WithZero(constraints.Constraint):
    """A support and the number 0."""

    def __init__(self, base: constraints.Constraint) -> None:
        self.base, self.is_discrete = base, base.is_discrete
        super().__init__()

    def check(self, value: Tensor) -> Tensor:
        """Elementwise: in it?"""
        return within(self.base, value) | (value == 0)


def within(support: constraints.Constraint, value: Tensor) -> Tensor:
    """Elementwise: in the support?"""
    inside: Tensor = support.check(value)
    return inside


def with_zero(support: constraints.Constraint) -> constraints.Constraint:
    """The support, 0 added where it is not in it."""
    return support if bool(within(support, torch.zeros((), device="cpu"))) else WithZero(support)


@final
class Inflated(Sampled):
    """0 with probability sigmoid(gate), else a draw from `base`."""

    def __init__(self, gate: Tensor, base: td.Distribution, discrete: bool) -> None:
        self.gate, self.base, self.discrete = gate, base, discrete
        super().__init__(gate.shape)

    @property
    def support(self) -> constraints.Constraint:
        """That of the base, and 0."""
        return with_zero(self.base.support)  # type: ignore[arg-type]

    def log_prob(self, value: Tensor) -> Tensor:
        """log p(value); for a continuous base the zeros have a probability, all else a density."""
        zero = value == 0
        drawn = logsigmoid(-self.gate) + self.base.log_prob(value if self.discrete else value.masked_fill(zero, INNER))
        inflated = logsigmoid(self.gate)
        return torch.where(zero, torch.logaddexp(inflated, drawn) if self.discrete else inflated, drawn)

    @property
    def mean(self) -> Tensor:
        """(1 - sigmoid(gate)) times the mean of the base."""
        return torch.sigmoid(-self.gate) * self.base.mean

    @property
    def mode(self) -> Tensor:
        """0 or the mode of the base, whichever is likelier."""
        mode = self.base.mode
        zero = torch.zeros_like(mode)
        return torch.where(self.log_prob(zero) >= self.log_prob(mode), zero, mode)

    def draw(self, shape: torch.Size) -> Tensor:
        """Values (*sample_shape, *batch)."""
        drawn = self.base.sample(shape[: len(shape) - self.gate.dim()])
        gate = torch.rand(shape, dtype=self.gate.dtype, device=self.gate.device) < torch.sigmoid(self.gate)
        return drawn.masked_fill(gate, 0)


@final
class ZeroInflated(Likelihood):
    """Zeros of two kinds: p(x) = π [x = 0] + (1 - π) base(x), π from the network; over a continuous base, a point mass beside its density.

    "Zero-Inflated Poisson Regression, with an Application to Defects in Manufacturing" (Lambert, 1992), doi:10.2307/1269547.

    Arguments:
        base: The likelihood that is mixed with a point mass at zero.

    Raises:
        UsageError: the base takes a whole row as one event.

    >>> px = ZeroInflated(Spec((1,)))(torch.tensor([[[-30.0], [0.0]]]))  # a rate so small that the base is 0 too, and π = ½
    >>> px.log_prob(torch.zeros(1, 1)).exp().item()
    1.0
    """

    expects = "0 or what its base expects"

    def __init__(self, spec: Spec, *, base: Part[Likelihood] = Poisson) -> None:
        super().__init__(spec)
        self.base = base(spec)
        self.support = with_zero(self.base.support)
        self.unbounded_at = tuple(x for x in self.base.unbounded_at if x)  # zeros have a probability here
        self.bounded_instead = self.base.bounded_instead
        trial = self.base(torch.zeros(1, *self.base.param_shape))
        self.discrete = bool(trial.support.is_discrete)  # type: ignore[union-attr]
        if trial.event_shape:
            raise UsageError(
                f"zero_inflated: its base {type(self.base).__name__} has one log p per row; choose one with a log p per element"
            )

    @property
    def param_shape(self) -> tuple[int, ...]:
        """(K + 1, *shape): the base's, then the logit of π."""
        channels, *shape = self.base.param_shape
        return (channels + 1, *shape)

    def forward(self, params: Tensor) -> td.Distribution:
        """Batch (B, *shape)."""
        return Inflated(params[:, -1], self.base(params[:, :-1]), self.discrete)

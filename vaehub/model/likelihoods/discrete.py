"""Families for the classes and levels 0 .. spec.classes - 1."""

from __future__ import annotations

import math
from typing import final

import torch
import torch.distributions as td
from pydantic import PositiveInt
from torch import Tensor
from torch.distributions import constraints
from torch.nn.functional import log_softmax, logsigmoid, softplus

from vaehub.base import Likelihood, Spec
from vaehub.errors import UsageError
from vaehub.model.likelihoods.sampled import Sampled

FAR = 1e10  # where the outer bins end: so far out that any sigmoid is 0 or 1 and its gradient 0


def indices(classes: int) -> constraints.Constraint:
    """The integers 0 .. classes - 1."""
    return constraints.integer_interval(0, classes - 1)


def classes_of(spec: Spec) -> constraints.Constraint:
    """The classes of the data, at least two of them. Raises UsageError."""
    if spec.classes < 2:
        raise UsageError(
            f"this likelihood needs data with 2 or more classes; the domain declares {spec.classes}: choose another likelihood"
        )
    return indices(spec.classes)


@final
class ClassIndex(Sampled):
    """Categorical by its normalised logits (*batch, C); four times faster than torch's own, which normalises along a strided axis."""

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits
        super().__init__(logits.shape[:-1])

    @property
    def support(self) -> constraints.Constraint:
        """0 .. C - 1."""
        return indices(self.logits.shape[-1])

    @property
    def probs(self) -> Tensor:
        """(*batch, C)."""
        return self.logits.exp()

    @property
    def mode(self) -> Tensor:
        """The likeliest class; a mean of classes says nothing and is not defined."""
        return self.logits.argmax(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        """log p(value), value of any number type."""
        shape = torch.broadcast_shapes(value.shape, self.batch_shape)
        index = value.long().expand(shape).unsqueeze(-1)
        return self.logits.expand(*shape, -1).gather(-1, index).squeeze(-1)

    def draw(self, shape: torch.Size) -> Tensor:
        """Class indices (*sample_shape, *batch)."""
        rows = self.probs.flatten(0, -2)
        drawn = torch.multinomial(rows, shape.numel() // len(rows), replacement=True)
        return drawn.T.reshape(shape)


@final
class Categorical(Likelihood):
    """One of C classes an element, x their index: log p(x) = log softmax(params)ₓ.

    "Pattern Recognition and Machine Learning" (Bishop, 2006), sections 2.2 and 4.3.4, ISBN 978-0-387-31073-2.

    >>> px = Categorical(Spec((1,), classes=4))(torch.zeros(1, 4, 1))
    >>> px.log_prob(torch.tensor([[3]])).exp().item()
    0.25
    """

    expects = "integers 0..classes-1"

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.support = classes_of(spec)

    @property
    def param_shape(self) -> tuple[int, ...]:
        """(C, *shape): unnormalised log-probabilities."""
        return (self.spec.classes, *self.spec.shape)

    def forward(self, params: Tensor) -> td.Distribution:
        """Batch (B, *shape)."""
        return ClassIndex(log_softmax(params, 1).movedim(1, -1))


@final
class LogisticBins(Sampled):
    """A logistic variate rounded to the nearest of `classes` levels spread over -1..1; the outer bins take the tails."""

    def __init__(self, loc: Tensor, scale: Tensor, classes: int) -> None:
        self.loc, self.scale, self.classes = loc, scale, classes
        super().__init__(loc.shape)

    @property
    def support(self) -> constraints.Constraint:
        """0 .. classes - 1."""
        return indices(self.classes)

    def log_prob(self, value: Tensor) -> Tensor:
        """log(σ(a) - σ(b)) = log σ(a) + log σ(-b) + log(1 - exp(b - a)), a and b the bin's edges: never a difference of near numbers."""
        half, top = 1 / (self.classes - 1), value == self.classes - 1
        centre, bottom = 2 * half * value.to(self.loc.dtype) - 1, value == 0
        below_upper = logsigmoid(((centre + half).masked_fill(top, FAR) - self.loc) / self.scale)
        above_lower = logsigmoid((self.loc - (centre - half).masked_fill(bottom, -FAR)) / self.scale)
        return below_upper + above_lower + ~(top | bottom) * (-torch.expm1(-2 * half / self.scale)).log()

    @property
    def mean(self) -> Tensor:
        """In levels: the sum over k > 0 of P(x >= k)."""
        half = 1 / (self.classes - 1)
        mean = torch.zeros_like(self.loc)
        for k in range(1, self.classes):
            mean = mean + torch.sigmoid((self.loc + 1 + half - 2 * half * k) / self.scale)
        return mean

    def draw(self, shape: torch.Size) -> Tensor:
        """Levels (*sample_shape, *batch)."""
        u = torch.rand(shape, dtype=self.loc.dtype, device=self.loc.device)
        top = self.classes - 1
        return ((self.loc + self.scale * u.logit(eps=1e-7) + 1) / 2 * top).round().clamp(0, top)


@final
class LevelMixture(Sampled):
    """Σₖ πₖ binsₖ, with the components along the first dimension after the batch: logits and bins (B, K, *shape)."""

    def __init__(self, logits: Tensor, bins: LogisticBins) -> None:
        self.logits, self.bins, self.axis = logits, bins, 1 - logits.dim()
        super().__init__(logits.select(1, 0).shape)

    @property
    def support(self) -> constraints.Constraint:
        """0 .. classes - 1."""
        return self.bins.support

    @property
    def mean(self) -> Tensor:
        """In levels."""
        return (self.logits.softmax(1) * self.bins.mean).sum(1)

    def log_prob(self, value: Tensor) -> Tensor:
        """log Σₖ exp(log πₖ + log binsₖ(value))."""
        return (log_softmax(self.logits, 1) + self.bins.log_prob(value.unsqueeze(self.axis))).logsumexp(self.axis)

    def draw(self, shape: torch.Size) -> Tensor:
        """Levels (*sample_shape, *batch): of the component that wins by Gumbel's trick."""
        drawn = self.bins.sample(shape[: self.axis])
        winner = (self.logits - torch.empty_like(drawn).exponential_().log()).argmax(self.axis, keepdim=True)
        return drawn.gather(self.axis, winner).squeeze(self.axis)


@final
class DiscretizedLogistic(Likelihood):
    """Ordered levels, such as 0..255 of a pixel: a mixture of `components` logistic variates rounded to the nearest level.

    p(x) = Σₖ πₖ [σ((x + ½ - μₖ)/sₖ) - σ((x - ½ - μₖ)/sₖ)], the outer levels taking the tails, with the levels scaled to -1..1; elements are
    independent given z. "PixelCNN++" (Salimans et al., 2017), arXiv:1701.05517, eqs. 1-2, without its coupling of a pixel's colours.

    Arguments:
        components: Number of logistic variates in the mixture of every element.

    >>> family = DiscretizedLogistic(Spec((1,), classes=3), components=2)
    >>> levels = torch.tensor([0.0, 1.0, 2.0]).view(3, 1)
    >>> round(family(torch.zeros(1, *family.param_shape)).log_prob(levels).exp().sum().item(), 4)
    1.0
    """

    expects = "integers 0..classes-1"
    min_scale = math.exp(-7)  # the paper's: sharper than the finest bin of 256

    def __init__(self, spec: Spec, *, components: PositiveInt = 10) -> None:
        super().__init__(spec)
        self.support = classes_of(spec)
        self.components = components

    @property
    def param_shape(self) -> tuple[int, ...]:
        """(3·components, *shape): logits of π, then μ, then s."""
        return (3 * self.components, *self.spec.shape)

    def forward(self, params: Tensor) -> td.Distribution:
        """Batch (B, *shape); levels and mean are in 0 .. classes - 1."""
        logits, loc, raw = params.chunk(3, 1)
        return LevelMixture(logits, LogisticBins(loc, softplus(raw) + self.min_scale, self.spec.classes))

"""p(x|z) of a user's items, from scores s of all items: log p(x|s) = sum over x of f(x_i, s_i) - A(s), the normaliser A reduced in blocks."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Annotated, Any, final

import torch
from pydantic import Field
from torch import Tensor
from torch.distributions import Distribution, constraints
from torch.nn import functional as F

from vaehub import Likelihood, Spec
from vaehub_recommender.parts.blockwise import BlockwiseDensity
from vaehub_recommender.scores import DenseScores, Scored, Scores

HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class Implicit(Likelihood, BlockwiseDensity):
    """A family for rows of users: abstract. Subclasses state f, A and their gradients, and the density written out."""

    @property
    def param_shape(self) -> tuple[int, ...]:
        """(1, I): the scores."""
        return (1, *self.spec.shape)

    def forward(self, params: Tensor) -> Distribution:
        """Batch (B,), event (I,)."""
        return self.of(DenseScores(params[:, 0]))

    def of(self, scores: Scores) -> Items:
        """The distribution at scores that are not written out."""
        return Items(scores, self)

    @abstractmethod
    def mean(self, s: Tensor) -> Tensor:
        """E[x|s] (B, I)."""

    @abstractmethod
    def draw(self, s: Tensor) -> Tensor:
        """A draw of x for every row of s (…, I)."""

    @abstractmethod
    def popular(self, counts: Tensor, users: int) -> Tensor:
        """The scores (I,) that fit best where all users are alike: `counts` (I,) users of `users` have each item."""


@final
class Items(Scored):
    """Which items a user has, and how much of each: p(x|s).

    Arguments:
        scores: s of B users and I items.
        family: the likelihood that makes a distribution of them.

    Example:
        >>> px = Items(DenseScores(torch.zeros(2, 4)), ImplicitMultinomial(Spec((4,))))
        >>> px.batch_shape, px.event_shape
        (torch.Size([2]), torch.Size([4]))
    """

    reads_sparse = True

    def __init__(self, scores: Scores, family: Implicit) -> None:
        self.scores, self.family = scores, family
        super().__init__(torch.Size([scores.rows]), torch.Size([scores.items]), validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        """Of a row."""
        return constraints.independent(self.family.support, 1)

    def log_prob(self, value: Tensor) -> Tensor:
        """log p(x) in nats, of x (B, I) dense or CSR: (B,)."""
        return self.scores.log_prob(value, self.family)

    @property
    def mean(self) -> Tensor:
        """E[x] (B, I), written out."""
        return self.family.mean(self.scores.block(0, self.scores.items))

    @torch.no_grad()
    def sample(self, sample_shape: Any = ()) -> Tensor:
        """x (*sample_shape, B, I), written out."""
        s = self.scores.block(0, self.scores.items)
        return self.family.draw(s.expand(*sample_shape, *s.shape))


@final
class ImplicitMultinomial(Implicit):
    """n draws from softmax(s): log p(x) = log n! - sum log x_i! + sum x_i s_i - n logsumexp(s), n the total of the row.

    "Variational Autoencoders for Collaborative Filtering" (Liang et al., 2018), arXiv:1802.05814, eq. 2, with the coefficient that it drops.

    Example:
        >>> px = ImplicitMultinomial(Spec((3,)))(torch.zeros(1, 1, 3))
        >>> round(px.log_prob(torch.tensor([[1.0, 1.0, 0.0]])).exp().item(), 4)  # 2 / 9: two draws of three equal items
        0.2222
    """

    support = constraints.nonnegative
    expects = "weights 0 or more"

    def log_density(self, s: Tensor, x: Tensor) -> Tensor:
        """See the class."""
        x = x.to(s.dtype)
        return (x * F.log_softmax(s, -1) - (x + 1).lgamma()).sum(-1) + (x.sum(-1) + 1).lgamma()

    def mean(self, s: Tensor) -> Tensor:
        """softmax(s): the share of each item."""
        return s.softmax(-1)

    def draw(self, s: Tensor) -> Tensor:
        """One item."""
        chosen = torch.multinomial(s.softmax(-1).flatten(0, -2), 1).view(s.shape[:-1])
        return F.one_hot(chosen, s.shape[-1]).to(s.dtype)

    def popular(self, counts: Tensor, users: int) -> Tensor:
        """The logarithm of each item's share."""
        return (counts + 1).log() - (counts + 1).sum().log()

    def observed(self, x: Tensor, s: Tensor) -> Tensor:
        """x s - log x!."""
        return x * s - (x + 1).lgamma()

    def observed_gradient(self, x: Tensor, s: Tensor) -> Tensor:
        """x."""
        return x.to(s.dtype)

    def reduce_block(self, s: Tensor) -> Tensor:
        """logsumexp(s), by way of log_softmax, which is five times faster on CPU."""
        return s[:, 0] - F.log_softmax(s, 1)[:, 0]

    def combine_blocks(self, parts: Tensor) -> Tensor:
        """logsumexp of the parts."""
        return parts.logsumexp(1)

    def normaliser(self, combined: Tensor, total: Tensor) -> Tensor:
        """n logsumexp(s) - log n!."""
        return total * combined - (total + 1).lgamma()

    def normaliser_gradient(self, s: Tensor, combined: Tensor, g: Tensor, total: Tensor) -> Tensor:
        """g n softmax(s)."""
        return (s - combined.unsqueeze(1)).exp_().mul_((g * total).unsqueeze(1))


@final
class ImplicitLogistic(Implicit):
    """Every item for itself: log p(x) = sum_i x_i s_i - softplus(s_i), x in 0..1. Liang et al. (2018), arXiv:1802.05814, eq. 4.

    Example:
        >>> px = ImplicitLogistic(Spec((3,)))(torch.zeros(1, 1, 3))
        >>> px.log_prob(torch.tensor([[1.0, 1.0, 0.0]])).exp().item()  # three fair coins
        0.125
    """

    support = constraints.unit_interval
    expects = "weights 0 to 1"

    def log_density(self, s: Tensor, x: Tensor) -> Tensor:
        """See the class."""
        return (x.to(s.dtype) * s - F.softplus(s)).sum(-1)

    def mean(self, s: Tensor) -> Tensor:
        """sigmoid(s)."""
        return s.sigmoid()

    def draw(self, s: Tensor) -> Tensor:
        """0 or 1 for every item."""
        return s.sigmoid().bernoulli()

    def popular(self, counts: Tensor, users: int) -> Tensor:
        """The log-odds of each item."""
        return (counts + 0.5).log() - (users - counts + 0.5).log()

    def observed(self, x: Tensor, s: Tensor) -> Tensor:
        """x s."""
        return x * s

    def observed_gradient(self, x: Tensor, s: Tensor) -> Tensor:
        """x."""
        return x.to(s.dtype)

    def reduce_block(self, s: Tensor) -> Tensor:
        """sum softplus(s)."""
        return F.softplus(s).sum(1)

    def combine_blocks(self, parts: Tensor) -> Tensor:
        """The sum."""
        return parts.sum(1)

    def normaliser(self, combined: Tensor, total: Tensor) -> Tensor:
        """sum softplus(s)."""
        return combined

    def normaliser_gradient(self, s: Tensor, combined: Tensor, g: Tensor, total: Tensor) -> Tensor:
        """g sigmoid(s)."""
        return s.sigmoid().mul_(g.unsqueeze(1))


@final
class ImplicitGaussian(Implicit):
    """log p(x) = sum_i log N(x_i; s_i, 1/c_i), c = `confidence` where the user has the item and 1 elsewhere.

    Liang et al. (2018), arXiv:1802.05814, eq. 3; the weights as in "Collaborative Filtering for Implicit Feedback Datasets"
    (Hu et al., 2008), doi:10.1109/ICDM.2008.22. With a confidence other than 1 it is a weighted likelihood, not a density.

    Arguments:
        confidence: Weight of the items that the user has.

    Example:
        >>> px = ImplicitGaussian(Spec((2,)), confidence=3)(torch.zeros(1, 1, 2))
        >>> round(px.log_prob(torch.tensor([[1.0, 0.0]])).item(), 4)  # -3/2 - log 2 pi
        -3.3379
    """

    def __init__(self, spec: Spec, *, confidence: Annotated[float, Field(ge=1)] = 1.0) -> None:
        super().__init__(spec)
        self.confidence = confidence

    def log_density(self, s: Tensor, x: Tensor) -> Tensor:
        """See the class."""
        weight = torch.where(x != 0, self.confidence, 1.0)
        return (-0.5 * weight * (x.to(s.dtype) - s).square() - HALF_LOG_TAU).sum(-1)

    def mean(self, s: Tensor) -> Tensor:
        """s."""
        return s

    def draw(self, s: Tensor) -> Tensor:
        """s and unit noise."""
        return s + torch.randn_like(s)

    def popular(self, counts: Tensor, users: int) -> Tensor:
        """The weighted mean of each item."""
        return self.confidence * counts / (users + (self.confidence - 1) * counts)

    def observed(self, x: Tensor, s: Tensor) -> Tensor:
        """What the observed items add to minus half the sum of all s^2."""
        return 0.5 * (s.square() - self.confidence * (x - s).square())

    def observed_gradient(self, x: Tensor, s: Tensor) -> Tensor:
        """s + c (x - s)."""
        return s + self.confidence * (x - s)

    def reduce_block(self, s: Tensor) -> Tensor:
        """Half the sum of s^2, with the constants."""
        return (0.5 * s.square() + HALF_LOG_TAU).sum(1)

    def combine_blocks(self, parts: Tensor) -> Tensor:
        """The sum."""
        return parts.sum(1)

    def normaliser(self, combined: Tensor, total: Tensor) -> Tensor:
        """The sum."""
        return combined

    def normaliser_gradient(self, s: Tensor, combined: Tensor, g: Tensor, total: Tensor) -> Tensor:
        """g s."""
        return s * g.unsqueeze(1)

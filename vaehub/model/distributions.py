"""Distributions over the latent space that torch lacks: flows over a base, and mixtures that stay small in memory."""

from __future__ import annotations

import math
from typing import Any, final

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal, constraints
from torch.distributions.kl import register_kl

from vaehub.base import Outcome
from vaehub.base.outcome import draw_with_common_noise

ELEMENTS_AT_ONCE = 2**22  # draws x components x L that a mixture holds in memory


@final
class Flowed(Outcome):
    """z = f(e), e ~ base: log p(z) = log base(e) - log|det df/de|, with f a zuko transform from e (…, L) to z (…, L).

    "Variational Inference with Normalizing Flows" (Rezende & Mohamed, 2015), arXiv:1505.05770.
    """

    support = constraints.real_vector
    has_rsample = True

    def __init__(self, base: Distribution, transform: Any) -> None:
        self.base, self.transform = base, transform
        super().__init__(base.batch_shape, base.event_shape, validate_args=False)

    @property
    def mean(self) -> Tensor:
        """f(mean of the base) (…, L): a point code in the middle of the mass, not the exact expectation, which has no closed form."""
        with unrounded(self.base.mean):
            z: Tensor = self.transform(self.base.mean)
        return z

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Reparameterised z (*sample_shape, …, L)."""
        e = self.base.rsample(sample_shape)
        with unrounded(e):
            z: Tensor = self.transform(e)
        return z

    def rsample_and_log_prob(self, sample_shape: Any = ()) -> tuple[Tensor, Tensor]:
        """Reparameterised z (*sample_shape, …, L) and log p(z), without inverting f."""
        e = self.base.rsample(sample_shape)
        with unrounded(e):
            z, log_det = self.transform.call_and_ladj(e)
        return z, self.base.log_prob(e) - log_det

    def rsample_with_common_noise(self, samples: int) -> tuple[Tensor, Tensor | None] | None:
        """The base's draws with common noise, sent through f."""
        drawn = draw_with_common_noise(self.base, samples)
        if drawn is None:
            return None
        e, log_base = drawn
        with unrounded(e):
            z, log_det = self.transform.call_and_ladj(e)
        return z, (self.base.log_prob(e) if log_base is None else log_base) - log_det

    def log_prob(self, value: Tensor) -> Tensor:
        """log p(z) for any z (*S, …, L), in nats."""
        with unrounded(value):
            e, log_det = self.transform.inv.call_and_ladj(value)
        density: Tensor = self.base.log_prob(e) + log_det
        return density


def unrounded(t: Tensor) -> torch.autocast:
    """No autocast on the device of a tensor: a change of variables rounded to bfloat16 is not inverse to itself.

    Arguments:
        t: what is computed with.

    >>> with torch.autocast("cpu", torch.bfloat16), unrounded(torch.ones(1)):
    ...     (torch.ones(1, 1) @ torch.ones(1, 1)).dtype
    torch.float32
    """
    return torch.autocast(t.device.type, enabled=False)


@final
class FiniteMixture(Outcome):
    """p(z) = sum_k w_k p_k(z), with the components p_k a distribution of batch (K,) and event (L,)."""

    support = constraints.real_vector

    def __init__(self, logits: Tensor, components: Distribution) -> None:
        self.logits, self.components = logits, components
        super().__init__(torch.Size(), components.event_shape, validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        """log p(z) of z (…, L), in nats, a limited number of rows at once."""
        log_w = self.logits.log_softmax(-1)
        size = max(1, ELEMENTS_AT_ONCE // (len(log_w) * value.shape[-1]))
        rows = value.reshape(-1, value.shape[-1]).split(size)
        return torch.cat([(log_w + self.log_components(z)).logsumexp(-1) for z in rows]).view(value.shape[:-1])

    def log_components(self, z: Tensor) -> Tensor:
        """log p_k(z) of z (N, L): (N, K)."""
        if isinstance(self.components, Independent) and isinstance(self.components.base_dist, Normal):
            return normal_log_probs(z, self.components.mean, self.components.stddev)
        return self.components.log_prob(z.unsqueeze(1))

    @torch.no_grad()
    def sample(self, sample_shape: Any = ()) -> Tensor:
        """z (*sample_shape, L): of every component only as many draws as the most popular one needs."""
        shape = torch.Size(sample_shape)
        component = torch.multinomial(self.logits.softmax(-1), shape.numel(), replacement=True)
        one_hot = torch.nn.functional.one_hot(component, len(self.logits))
        turn = one_hot.cumsum(0).gather(1, component.unsqueeze(1)).squeeze(1) - 1
        draws = self.components.sample((int(one_hot.sum(0).max()),))
        return draws[turn, component].view(*shape, *self.event_shape)


def normal_log_probs(z: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """log N(z; mean_k, scale_k) of z (N, L) under each of K normals: (N, K), by one matrix product.

    The expanded square loses digits where means are large against scales, hence float64 inside.
    """
    wide = torch.float32 if z.device.type == "mps" else torch.float64  # the one device without float64
    wide_z, m, precision = z.to(wide), mean.to(wide), scale.to(wide) ** -2
    square = torch.cat([wide_z**2, wide_z], -1) @ torch.cat([precision, -2 * m * precision], -1).T
    constant = (m**2 * precision).sum(-1) + mean.shape[-1] * math.log(2 * math.pi) - precision.log().sum(-1)
    return (-0.5 * (square + constant)).to(z.dtype)


def kl_full_diagonal(q: MultivariateNormal, p: Independent[Any]) -> Tensor:
    """KL(N(m, A A^T) || N(mu, diag(s^2))) in nats: 1/2 sum_i [((A A^T)_ii + (m_i - mu_i)^2) / s_i^2 - 1] + log s_i - log A_ii."""
    if not isinstance(p.base_dist, Normal) or p.reinterpreted_batch_ndims != 1:
        raise NotImplementedError
    tril = q.scale_tril
    spread = (tril.square().sum(-1) + (q.loc - p.mean).square()) / p.variance
    log_ratio = p.stddev.log() - tril.diagonal(dim1=-2, dim2=-1).log()
    return (0.5 * (spread - 1) + log_ratio).sum(-1)


register_kl(MultivariateNormal, Independent)(kl_full_diagonal)

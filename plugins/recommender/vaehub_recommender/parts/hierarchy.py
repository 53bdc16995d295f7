"""Two layers of latent variables, z = (z1, z2): the encoder and the VampPrior of "Enhancing VAEs for Collaborative Filtering"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import torch
from pydantic import PositiveInt
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal, constraints

from vaehub import Batch, Data, Encoder, Model, Outcome, Posterior, Prior, Spec, UsageError
from vaehub.model import DiagNormal, Vamp, nets
from vaehub_recommender.interactions import side_width, split_condition
from vaehub_recommender.parts.bag import Bag, Gated, Hidden, glorot_linear, layers
from vaehub_recommender.parts.features import start_from_features


@final
class Hierarchy(Outcome):
    """p(z1, z2) = p(z2) p(z1|z2), with the second a function of z2: event (L,), z1 its first half, rounded down.

    Arguments:
        upper: p(z2), event (L - L // 2,).
        lower: p(z1|z2) from z2 (..., L - L // 2), event (L // 2,).
        latent: L, the length of both together.

    Example:
        >>> unit = Independent(Normal(torch.zeros(2), 1.0), 1)
        >>> p = Hierarchy(unit, lambda z2: Independent(Normal(z2, 1.0), 1), latent=4)
        >>> p.log_prob_parts(torch.zeros(4)).tolist()  # log p(z1|z2) and log p(z2), each 2 log N(0; 0, 1)
        [-1.8378770351409912, -1.8378770351409912]
    """

    support = constraints.real_vector

    def __init__(self, upper: Distribution, lower: Callable[[Tensor], Distribution], latent: int) -> None:
        self.upper, self.lower = upper, lower
        self.sizes = [latent // 2, latent - latent // 2]
        self.has_rsample = bool(upper.has_rsample)
        super().__init__(upper.batch_shape, torch.Size([latent]), validate_args=False)

    @property
    def mean(self) -> Tensor:
        """E[z2], and E[z1] at that z2."""
        z2 = self.upper.mean
        return torch.cat([self.lower(z2).mean, z2], -1)

    def log_prob(self, value: Tensor) -> Tensor:
        """log p(z2) + log p(z1|z2)."""
        return self.log_prob_parts(value).sum(-1)

    def log_prob_parts(self, value: Tensor) -> Tensor:
        """log p(z1|z2) and log p(z2): (..., 2), one a layer."""
        z1, z2 = value.split(self.sizes, -1)
        return torch.stack([self.lower(z2).log_prob(z1), self.upper.log_prob(z2)], -1)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """First z2, then z1."""
        z2 = self.upper.rsample(sample_shape)
        return torch.cat([self.lower(z2).rsample(), z2], -1)

    @torch.no_grad()
    def sample(self, sample_shape: Any = ()) -> Tensor:
        """First z2, then z1."""
        z2 = self.upper.sample(sample_shape)
        return torch.cat([self.lower(z2).sample(), z2], -1)


@final
class HierarchicalEncoder(Encoder):
    """q(z2|x,c) q(z1|x,z2,c), both normal, of a gated network on x / |x| with dropout on the items.

    "Enhancing VAEs for Collaborative Filtering: Flexible Priors & Gating Mechanisms" (Kim & Suh, 2019), arXiv:1911.00936. Needs posterior
    diag_normal.

    Arguments:
        hidden: Widths of the gated layers.
        dropout: Share of a user's items that is hidden while training.

    Example:
        >>> from vaehub import Batch, Spec
        >>> from vaehub.model.posteriors import DiagNormal
        >>> encoder = HierarchicalEncoder(Spec((5,)), DiagNormal(2), hidden=[3])
        >>> encoder(Batch(torch.eye(5))).mean.shape
        torch.Size([5, 2])
    """

    def __init__(self, spec: Spec, posterior: Posterior, *, hidden: Hidden = (600,), dropout: nets.Dropout = 0.5) -> None:
        super().__init__(spec, posterior)
        side, first = side_width(spec.cond, spec.size), posterior.latent // 2
        self.families = nn.ModuleList([DiagNormal(first), DiagNormal(posterior.latent - first)])
        self.trunk = Gated(*(Bag(spec.size, side, hidden[0], dropout) for _ in range(2)))
        self.net = nn.Sequential(*layers(hidden, "tanh", gated=True))
        self.upper = glorot_linear(hidden[-1], 2 * (posterior.latent - first))
        self.lower = glorot_linear(hidden[-1] + posterior.latent - first, 2 * first)

    def initialise(self, data: Data) -> None:
        """Start from what is known of the items, where the data have it."""
        for bag in (m for m in self.modules() if isinstance(m, Bag)):
            start_from_features(bag.weight, data)

    def forward(self, batch: Batch) -> Distribution:
        """q(z|x,c): batch (B,), event (L,)."""
        first, second = self.families
        side, _ = split_condition(batch.cond, self.spec.size)
        h = self.net(self.trunk(batch.x.flatten(1), side))

        def lower(z2: Tensor) -> Distribution:
            joined = torch.cat([h.expand(*z2.shape[:-1], -1), z2.to(h.dtype)], -1)
            z1: Distribution = first(self.lower(joined))
            return z1

        return Hierarchy(second(self.upper(h)), lower, self.posterior.latent)


@final
class HierarchicalVamp(Prior):
    """p(z1|z2) p(z2), the first a network, the second 1/K sum_k q(z2|u_k) at learnt pseudo-users u_k.

    "VAE with a VampPrior" (Tomczak & Welling, 2018), arXiv:1705.07120, section 4, as in Kim & Suh (2019), arXiv:1911.00936.

    Arguments:
        components: Number of pseudo-users K.
        hidden: Widths of the hidden layers of p(z1|z2).

    Example:
        >>> from vaehub import Spec
        >>> HierarchicalVamp(Spec((5,)), latent=4, components=3, hidden=[8]).net[0].in_features  # of z2, half of z
        2
    """

    def __init__(self, spec: Spec, latent: int, *, components: PositiveInt = 200, hidden: Sequence[PositiveInt] = (200,)) -> None:
        super().__init__(spec, latent)
        first, second = latent // 2, latent - latent // 2
        self.family = DiagNormal(first)
        self.vamp = Vamp(spec, second, components=components)
        self.net = nets.mlp(second, *hidden, self.family.features, activation="tanh")

    def wire(self, vae: Model) -> None:
        """Keep a reference to the encoder."""
        self.vamp.read_through(Upper(vae.encoder))

    def initialise(self, batch: Batch) -> None:
        """Start the pseudo-users from random training rows."""
        self.vamp.initialise(batch)

    def forward(self, cond: Tensor | None = None) -> Distribution:
        """p(z): batch (), event (L,)."""
        return Hierarchy(self.vamp(), lambda z2: self.family(self.net(z2)), self.latent)


@final
class Upper(Encoder):
    """The second half of what another encoder gives: q(z2|x,c)."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder.spec, encoder.posterior)
        self.encoder = encoder

    def forward(self, batch: Batch) -> Distribution:
        """Batch (B,), event (L / 2,). Raises UsageError where the halves depend on each other in another way."""
        q = self.encoder(batch)
        if isinstance(q, Hierarchy):
            return q.upper
        if isinstance(q, Independent) and isinstance(q.base_dist, Normal):
            mean, scale = (t[..., self.posterior.latent // 2 :] for t in (q.mean, q.stddev))
            return Independent(Normal(mean, scale, validate_args=False), 1, validate_args=False)
        raise UsageError("prior hierarchical_vamp: needs encoder hierarchical, or posterior diag_normal")

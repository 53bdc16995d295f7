"""The terms of the bound: what a forward pass gives and an objective reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor
from torch.distributions import Distribution

from vaehub.base.outcome import kl_in_pieces
from vaehub.base.rows import Batch


@dataclass
class Terms:
    """What an objective may read: the three distributions at S draws of z, and their log-densities in nats, shape (S, B)."""

    log_px: Tensor  # log p(x|z,c), masked and summed over the elements of a row
    z: Tensor  # (S, B, L)
    q: Distribution  # batch (B,), event (L,)
    p: Distribution  # batch () or (B,), event (L,)
    px: Distribution  # first batch dimension S*B
    batch: Batch  # B rows, the mask written out and unobserved x replaced by 0
    drawn_log_qz: Tensor | None = None  # where drawing z gave log q(z) as well

    @cached_property
    def log_qz(self) -> Tensor:
        """log q(z|x,c)."""
        return self.q.log_prob(self.z) if self.drawn_log_qz is None else self.drawn_log_qz

    @cached_property
    def log_pz(self) -> Tensor:
        """log p(z|c)."""
        return self.p.log_prob(self.z)

    @cached_property
    def kl_per_dim(self) -> Tensor:
        """KL(q(z|x,c) || p(z|c)) per row: (B, L) by dimension, (B, G) by the pieces that q and p declare, else (B, 1)."""
        return kl_in_pieces(self.q, self.p, self.z, self.log_qz, self.log_pz)

    @cached_property
    def kl(self) -> Tensor:
        """KL(q(z|x,c) || p(z|c)) per row (B,): exact where torch knows a closed form, else the mean of log q - log p over S."""
        return self.kl_per_dim.sum(-1)

    @property
    def elbo(self) -> Tensor:
        """log p(x|z,c) - KL per row (B,): the bound itself, whatever the objective weighs."""
        return self.log_px.mean(0) - self.kl

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
    """What an objective may read: the three distributions at S draws of z, and their log-densities in nats, shape (S, B).

    ELBO = E_q[log p(x|z,c)] - KL(q(z|x,c) || p(z|c)): "Auto-Encoding Variational Bayes" (Kingma & Welling, 2014), arXiv:1312.6114.

    Arguments:
        log_px: log p(x|z,c), masked and summed over the elements of a row (S, B).
        z: the draws (S, B, L).
        q: q(z|x,c), batch (B,), event (L,).
        p: p(z|c), batch () or (B,), event (L,).
        px: p(x|z,c), first batch dimension S*B.
        batch: the B rows, the mask written out and unobserved x replaced by 0.
        drawn_log_qz: log q(z|x,c) (S, B) where drawing z gave it as well.

    >>> import torch
    >>> from torch.distributions import Independent, Normal
    >>> q = Independent(Normal(torch.ones(4, 2), 1.0), 1)
    >>> p = Independent(Normal(torch.zeros(2), 1.0), 1)
    >>> terms = Terms(torch.full((1, 4), -3.0), q.rsample((1,)), q, p, q, Batch(torch.zeros(4, 2)))
    >>> terms.kl.tolist(), terms.elbo.tolist()
    ([1.0, 1.0, 1.0, 1.0], [-4.0, -4.0, -4.0, -4.0])
    """

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

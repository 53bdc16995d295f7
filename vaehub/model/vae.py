"""One VAE for all: encode, draw, decode, and the log-densities of the three distributions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, kl_divergence

from vaehub.base import Batch, Decoder, Encoder, Prior
from vaehub.sparse import dense, take


@dataclass
class Terms:
    """What an objective may read: the three distributions at S draws of z, and their log-densities in nats, shape (S, B)."""

    log_px: Tensor  # log p(x|z,c), masked and summed over the elements of a row
    z: Tensor  # (S, B, L)
    q: Distribution  # batch (B,), event (L,)
    p: Distribution  # batch () or (B,), event (L,)
    px: Distribution  # first batch dimension S*B
    batch: Batch  # as it came, B rows, unobserved x replaced by 0
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
        """KL(q(z|x,c) || p(z|c)) per row and latent dimension (B, L), in closed form; (B, 1) where the two do not factorise or have none."""
        exact = exact_kl_per_dim(self.q, self.p)
        return (self.log_qz - self.log_pz).mean(0).unsqueeze(-1) if exact is None else exact

    @cached_property
    def kl(self) -> Tensor:
        """KL(q(z|x,c) || p(z|c)) per row (B,): exact where torch knows a closed form, else the mean of log q - log p over S."""
        return self.kl_per_dim.sum(-1)

    @property
    def elbo(self) -> Tensor:
        """log p(x|z,c) - KL per row (B,): the bound itself, whatever the objective weighs."""
        return self.log_px.mean(0) - self.kl


def exact_kl(q: Distribution, p: Distribution) -> Tensor | None:
    """KL(q || p) where torch has a closed form."""
    try:
        return kl_divergence(q, p)
    except NotImplementedError:
        return None


def exact_kl_per_dim(q: Distribution, p: Distribution) -> Tensor | None:
    """KL(q || p) by dimension (B, L) where both factorise, in one piece (B, 1) where they do not, None without a closed form."""
    if isinstance(q, Independent) and isinstance(p, Independent):
        exact = exact_kl(q.base_dist, p.base_dist)
        if exact is not None:
            return exact
    exact = exact_kl(q, p)
    return None if exact is None else exact.unsqueeze(-1)


def draw(q: Distribution, samples: int) -> tuple[Tensor, Tensor | None]:
    """Reparameterised z (S, B, L), and log q(z) (S, B) from a flow, which gives both in one pass."""
    if hasattr(q, "rsample_and_log_prob"):
        z, log_qz = q.rsample_and_log_prob((samples,))
        return z, log_qz
    return q.rsample((samples,)), None


def repeat(batch: Batch, samples: int) -> Batch:
    """Rows (B, …) once for every sample: (S*B, …), sample by sample."""
    if samples == 1:
        return batch
    index = torch.arange(len(batch.x), device=batch.x.device).repeat(samples)
    return batch.map(lambda t: take(t, index))


def log_likelihood(px: Distribution, batch: Batch) -> Tensor:
    """log p(x|z,c) of every row (B,), masked elements left out. Where a row is one event, its unobserved elements are 0 already.

    A distribution that takes sparse x says so by `reads_sparse`; all others get it written out.
    """
    log_px = px.log_prob(batch.x if getattr(px, "reads_sparse", False) else dense(batch.x))
    if batch.mask is not None and batch.mask.dim() <= log_px.dim():
        log_px = torch.where(batch.mask, log_px, 0.0)
    return log_px.flatten(1).sum(-1) if log_px.dim() > 1 else log_px


def hide(batch: Batch) -> Batch:
    """The batch with unobserved x replaced by 0: where(mask, log_prob(nan), 0) would still have NaN gradients."""
    if batch.mask is None or batch.mask.dim() != batch.x.dim():
        return batch
    return batch._replace(x=torch.where(batch.mask, batch.x, torch.zeros((), dtype=batch.x.dtype, device=batch.x.device)))


def point(px: Distribution) -> Tensor:
    """The estimate of x to show: the mean, or the mode where a mean says nothing (categories, autoregressive decoders)."""
    try:
        mean = px.mean
    except NotImplementedError:
        return px.mode
    return px.mode if mean.isnan().all() else mean


class VAE(nn.Module):
    """q(z|x,c), p(x|z,c) and p(z|c): "Auto-Encoding Variational Bayes" (Kingma & Welling, 2014), arXiv:1312.6114."""

    def __init__(self, encoder: Encoder, decoder: Decoder, prior: Prior) -> None:
        super().__init__()
        self.encoder, self.decoder, self.prior = encoder, decoder, prior
        encoder.wire(decoder)
        prior.wire(encoder)

    def forward(self, batch: Batch, samples: int = 1) -> Terms:
        """The terms of the bound at `samples` draws of z for every row."""
        batch = hide(batch)
        q: Distribution = self.encoder(batch)
        z, drawn_log_qz = draw(q, samples)
        p: Distribution = self.prior(batch.cond)
        repeated = repeat(batch, samples)
        px: Distribution = self.decoder(z.flatten(0, 1), repeated.cond)
        log_px = log_likelihood(px, repeated).view(samples, -1)
        return Terms(log_px, z, q, p, px, batch, drawn_log_qz)

    def sample(self, n: int, cond: Tensor | None = None) -> Tensor:
        """z (n, L) from the prior; cond (n, C)."""
        p: Distribution = self.prior(cond)
        return p.sample((n,)) if not p.batch_shape else p.sample()

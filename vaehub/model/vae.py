"""One VAE for all: encode, draw, decode, and the log-densities of the three distributions."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor
from torch.distributions import Distribution

from vaehub.base import Batch, Decoder, Encoder, Model, Outcome, Prior, Terms, draw
from vaehub.errors import UsageError
from vaehub.sparse import dense, take


def repeat(batch: Batch, samples: int) -> Batch:
    """Rows (B, …) once for every sample: (S*B, …), sample by sample."""
    if samples == 1:
        return batch
    index = torch.arange(len(batch.x), device=batch.x.device).repeat(samples)
    return batch.map(lambda t: take(t, index))


def log_likelihood(px: Distribution, batch: Batch) -> Tensor:
    """log p(x|z,c) of every row (B,), unobserved elements left out.

    Raises:
        UsageError: x has gaps and p(x|z,c) scores a whole row, or a group of elements, as one event without declaring `gaps_are_zeros`.
    """
    reads_sparse = isinstance(px, Outcome) and px.reads_sparse
    batch = batch.without_hidden()
    log_px: Tensor = px.log_prob(batch.x if reads_sparse else dense(batch.x))
    if batch.mask is not None and not (isinstance(px, Outcome) and px.gaps_are_zeros):
        if log_px.shape != batch.x.shape:
            raise UsageError(
                f"mask: {type(px).__name__} scores several elements as one event and cannot leave out cells; "
                "choose a likelihood with one log p an element, or rows without gaps"
            )
        log_px = torch.where(batch.mask, log_px, 0.0)
    return log_px.flatten(1).sum(-1) if log_px.dim() > 1 else log_px


@final
class VAE(Model):
    """q(z|x,c), p(x|z,c) and p(z|c): "Auto-Encoding Variational Bayes" (Kingma & Welling, 2014), arXiv:1312.6114."""

    def __init__(self, encoder: Encoder, decoder: Decoder, prior: Prior) -> None:
        super().__init__()
        self.encoder, self.decoder, self.prior = encoder, decoder, prior
        for part in (encoder, encoder.posterior, decoder, decoder.likelihood, prior):
            part.wire(self)

    def forward(self, batch: Batch, samples: int = 1) -> Terms:
        """The terms of the bound at `samples` draws of z for every row."""
        batch = batch.without_hidden()
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

"""One VAE for all: encode, draw, decode, and the log-densities of the three distributions."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor
from torch.distributions import Distribution

from vaehub.base import Batch, Decoder, Encoder, Model, Outcome, Prior, Terms, draw
from vaehub.errors import UsageError
from vaehub.sparse import dense, take

READ_AT_ONCE = 1000  # draws that go through both networks at once


def repeat(batch: Batch, samples: int) -> Batch:
    """Rows once for every sample: (S*B, …), sample by sample.

    Arguments:
        batch: B rows.
        samples: how many times, S.

    >>> repeat(Batch(torch.tensor([[1.0], [2.0]])), 2).x.flatten().tolist()
    [1.0, 2.0, 1.0, 2.0]
    """
    if samples == 1:
        return batch
    index = torch.arange(len(batch.x), device=batch.x.device).repeat(samples)
    return batch.map(lambda t: take(t, index))


def log_likelihood(px: Distribution, batch: Batch) -> Tensor:
    """log p(x|z,c) of every row (B,) in nats, unobserved elements left out.

    Arguments:
        px: p(x|z,c), first batch dimension B.
        batch: B rows.

    Raises:
        UsageError: x has gaps and p(x|z,c) scores a whole row, or a group of elements, as one event without declaring `gaps_are_zeros`.

    >>> px = torch.distributions.Bernoulli(torch.full((1, 3), 0.5))
    >>> gap = Batch(torch.tensor([[1.0, 0.0, torch.nan]]), mask=torch.tensor([[True, True, False]]))
    >>> round(float(log_likelihood(px, gap).exp()), 6)
    0.25
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
    """q(z|x,c), p(x|z,c) and p(z|c): "Auto-Encoding Variational Bayes" (Kingma & Welling, 2014), arXiv:1312.6114.

    Arguments:
        encoder: q(z|x,c), which holds its posterior.
        decoder: p(x|z,c), which holds its likelihood.
        prior: p(z|c).
        rereads: how often a draw is decoded and read again.

    >>> from vaehub import Spec
    >>> from vaehub.model.likelihoods import Normal
    >>> from vaehub.model.nets import MLPDecoder, MLPEncoder
    >>> from vaehub.model.posteriors import DiagNormal
    >>> from vaehub.model.priors import StandardNormal
    >>> spec, latent = Spec((5,)), 2
    >>> vae = VAE(MLPEncoder(spec, DiagNormal(latent)), MLPDecoder(spec, latent, Normal(spec)), StandardNormal(spec, latent))
    >>> vae(Batch(torch.zeros(3, 5)), samples=4).log_px.shape, vae.sample(7).shape
    (torch.Size([4, 3]), torch.Size([7, 2]))
    """

    def __init__(self, encoder: Encoder, decoder: Decoder, prior: Prior, rereads: int = 0) -> None:
        super().__init__()
        self.rereads = rereads
        self.encoder, self.decoder, self.prior = encoder, decoder, prior
        for part in (encoder, encoder.posterior, decoder, decoder.likelihood, prior):
            part.wire(self)

    def forward(self, batch: Batch, samples: int = 1) -> Terms:
        """The terms of the bound.

        Arguments:
            batch: B rows; unobserved x may be anything.
            samples: draws S of z for every row.
        """
        batch = batch.without_hidden()
        q: Distribution = self.encoder(batch)
        z, drawn_log_qz = draw(q, samples)
        p: Distribution = self.prior(batch.cond)
        repeated = repeat(batch, samples)
        px: Distribution = self.decoder(z.flatten(0, 1), repeated.cond)
        log_px = log_likelihood(px, repeated).view(samples, -1)
        return Terms(log_px, z, q, p, px, batch, drawn_log_qz)

    def sample(self, n: int, cond: Tensor | None = None, rereads: int | None = None) -> Tensor:
        """Codes from the prior: (n, L), decoded and read again `rereads` times, z <- E q(z|x,c) with x ~ p(x|z,c).

        Such a chain leaves codes that no row has, where the prior has them: a decoded row is nearer to the data than its code was to the
        codes of data. "Stochastic Backpropagation and Approximate Inference in Deep Generative Models" (Rezende et al., 2014),
        arXiv:1401.4082, has it with draws of q in place of its means.

        Arguments:
            n: how many.
            cond: conditions (n, C), where the data have any.
            rereads: in place of the model's own.
        """
        p: Distribution = self.prior(cond)
        z = p.sample((n,)) if not p.batch_shape else p.sample()
        for _ in range(self.rereads if rereads is None else rereads):
            parts = torch.arange(len(z), device=z.device).split(READ_AT_ONCE)
            z = torch.cat([self._reread(z[part], None if cond is None else take(cond, part)) for part in parts])
        return z

    def _reread(self, z: Tensor, cond: Tensor | None) -> Tensor:
        px: Distribution = self.decoder(z, cond)
        q: Distribution = self.encoder(Batch(px.sample(), cond))
        return q.mean

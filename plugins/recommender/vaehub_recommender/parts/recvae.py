"""RecVAE: a deeper encoder, and an objective whose prior remembers the encoder of a while ago."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Annotated, final

import torch
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal
from torch.nn import functional as F

from vaehub import Batch, Data, Encoder, Logs, Model, Objective, Posterior, Spec, Step, Terms, UsageError
from vaehub.model import logs_of, nets
from vaehub_recommender.interactions import side_width, split_condition
from vaehub_recommender.parts.bag import Bag, glorot_linear
from vaehub_recommender.parts.features import start_from_features

WIDE = 5.0  # log of the sd of the prior's widest component: exp(10) as variance


@final
class DenseEncoder(Encoder):
    """q(z|x,c) by `layers` layers, each of which gets the sum of all before it: h_k = norm(swish(W h_{k-1} + h_1 + ... + h_{k-1})).

    "RecVAE: a New Variational Autoencoder for Top-N Recommendations with Implicit Feedback" (Shenbin et al., 2020), arXiv:1912.11160.

    Arguments:
        width: Width of the layers.
        layers: Number of layers.
        dropout: Share of a user's items that is hidden while training.

    Example:
        >>> from vaehub import Batch, Spec
        >>> from vaehub.model.posteriors import DiagNormal
        >>> encoder = DenseEncoder(Spec((5,)), DiagNormal(2), width=8, layers=2)
        >>> encoder(Batch(torch.eye(5))).mean.shape
        torch.Size([5, 2])
    """

    def __init__(
        self, spec: Spec, posterior: Posterior, *, width: PositiveInt = 600, layers: PositiveInt = 5, dropout: nets.Dropout = 0.5
    ) -> None:
        super().__init__(spec, posterior)
        self.bag = Bag(spec.size, side_width(spec.cond, spec.size), width, dropout)
        self.steps = nn.ModuleList(glorot_linear(width, width) for _ in range(layers - 1))
        self.norms = nn.ModuleList(nn.LayerNorm(width, eps=0.1) for _ in range(layers))
        self.out = glorot_linear(width, posterior.features)

    def initialise(self, data: Data) -> None:
        """Start from what is known of the items, where the data have it."""
        start_from_features(self.bag.weight, data)

    def forward(self, batch: Batch) -> Distribution:
        """q(z|x,c): batch (B,), event (L,)."""
        side, _ = split_condition(batch.cond, self.spec.size)
        h = self.norms[0](F.silu(self.bag(batch.x.flatten(1), side)))
        total = h
        for step, norm in zip(self.steps, list(self.norms)[1:], strict=True):
            h = norm(F.silu(step(h) + total))
            total = total + h
        return self.posterior(self.out(h))


@final
class RecVAE(Objective):
    """-log p(x|z) + gamma n_u KL(q || composite prior), encoder and decoder trained in turns, n_u the total of the user's row.

    p(z|x) = prod_d [w_1 N(z_d; 0, 1) + w_2 q_old(z_d|x) + w_3 N(z_d; 0, e^10)], q_old the encoder as it was when it last gave way to the decoder.
    The encoder trains for `encoder_epochs` with dropout, then the decoder for `decoder_epochs` without; `decoder_epochs: 0` trains both at once.
    Shenbin et al. (2020), arXiv:1912.11160. Needs posterior diag_normal.

    Arguments:
        gamma: Weight of the KL term, for every item of the user.
        weights: Weights w of the three parts of the prior.
        encoder_epochs: Epochs in which the encoder is trained before the decoder's turn.
        decoder_epochs: Epochs of the decoder's turn; 0 trains both at once.

    Raises:
        UsageError: not three weights, or a posterior other than diag_normal.

    Example:
        >>> RecVAE(weights=(1, 2, 1)).weights
        (0.25, 0.5, 0.25)
    """

    def __init__(
        self,
        *,
        gamma: Annotated[float, Field(gt=0)] = 0.005,
        weights: Sequence[Annotated[float, Field(gt=0)]] = (0.15, 0.75, 0.1),
        encoder_epochs: PositiveInt = 3,
        decoder_epochs: NonNegativeInt = 1,
    ) -> None:
        super().__init__()
        if len(weights) != 3:
            raise UsageError(f"objective recvae: weights of standard, former and wide part: three numbers, not {len(weights)}")
        self.gamma, self.weights = gamma, tuple(w / sum(weights) for w in weights)
        self.encoder_epochs, self.decoder_epochs = encoder_epochs, decoder_epochs
        self.former: Encoder | None = None
        self.wired: tuple[Model, ...] = ()  # in a tuple, so that its weights are not this module's too
        self.renewed = -1  # epoch

    def wire(self, vae: Model) -> None:
        """Keep a reference to the model, and a copy of its encoder."""
        self.wired = (vae,)
        self.former = copy.deepcopy(vae.encoder).requires_grad_(False)

    def prepare(self, step: Step) -> None:
        """Choose who is trained; renew the former encoder when the encoder has had its turn."""
        (vae,) = self.wired
        turn = step.epoch % (self.encoder_epochs + self.decoder_epochs)
        encodes = turn < self.encoder_epochs
        vae.encoder.train(encodes).requires_grad_(encodes)
        vae.decoder.requires_grad_(not encodes or not self.decoder_epochs)
        if turn == self.encoder_epochs % (self.encoder_epochs + self.decoder_epochs) and self.renewed != step.epoch:
            self._renew(vae.encoder, step.epoch)

    def _renew(self, encoder: Encoder, epoch: int) -> None:
        assert self.former is not None  # wire has made it
        self.former.load_state_dict(encoder.state_dict())
        self.renewed = epoch

    def forward(self, terms: Terms, step: Step) -> tuple[Tensor, Logs]:
        """Loss and logs; see the class."""
        q, z = normal_factors(terms.q), terms.z
        divergence = (q.log_prob(z) - self.log_prior(z, terms.batch)).sum(-1).mean(0)
        penalty = self.gamma * (row_totals(terms.batch.x) * divergence).mean()
        return penalty - terms.log_px.mean(), logs_of(terms, composite_kl=divergence.mean())

    def log_prior(self, z: Tensor, batch: Batch) -> Tensor:
        """log p(z_d|x) of z (S, B, L), by dimension."""
        if self.former is None:
            raise RuntimeError("recvae reads the encoder: call wire(vae) first, as training does")
        with torch.no_grad():
            former = normal_factors(self.former.eval()(batch))
        parts = [Normal(torch.zeros_like(z), 1.0), former, Normal(torch.zeros_like(z), torch.tensor(WIDE).exp().to(z))]
        log_w = z.new_tensor(self.weights).log()
        return torch.stack([p.log_prob(z) + w for p, w in zip(parts, log_w, strict=True)]).logsumexp(0)


def normal_factors(q: Distribution) -> Normal:
    """The normal distributions of the dimensions. Raises UsageError."""
    if isinstance(q, Independent) and isinstance(q.base_dist, Normal):
        return q.base_dist
    raise UsageError("objective recvae: needs posterior diag_normal")


def row_totals(x: Tensor) -> Tensor:
    """The sum of every row (B,) of x, dense or CSR."""
    return x.sum(1, keepdim=True).to_dense().squeeze(1) if x.layout is torch.sparse_csr else x.flatten(1).sum(1)

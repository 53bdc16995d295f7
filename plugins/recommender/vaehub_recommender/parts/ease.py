"""The shallow linear autoencoder in closed form, by itself or beside a VAE."""

from __future__ import annotations

from typing import Annotated, final

import torch
from pydantic import Field
from torch import Tensor
from torch.distributions import Distribution

from vaehub import Data, Decoder, Likelihood, Model, Part, Spec, UsageError
from vaehub_recommender.closed_form import gram, solve
from vaehub_recommender.interactions import InteractionFacts, split_condition
from vaehub_recommender.parts.catalogue import Catalogue, require_implicit
from vaehub_recommender.parts.item_item import ItemItemDecoder, require_history, required_history
from vaehub_recommender.scores import HistoryScores, MixedScores, scores_of
from vaehub_recommender.validation import best_share

LARGEST = 50_000  # items: weights of 10 GB


@final
class Ease(ItemItemDecoder):
    """Scores of another decoder plus `share` times x B, x the user's items and B from the closed form: a product of two experts.

    The two are fitted apart: the linear part before training, and what is trained sees nothing of it, since on its own training rows the linear
    part leaves little to learn. `share` is chosen on validation rows once training has ended. `base: null` leaves the linear part alone.
    Steck (2019), arXiv:1905.03375. `dropout` is the share of inputs that the linear part learns to do without, in closed form too: the penalty of
    item i grows by dropout / (1 - dropout) G_ii, "Autoencoders that don't overfit towards the Identity" (Steck, 2020), NeurIPS 33. Mixed with
    a VAE as in "VASP: Variational Autoencoder and Shallow Autoencoder" (Vancura & Kordik, 2021), there as a product of
    probabilities. Needs rows with their history in cond (domain.history).

    Arguments:
        penalty: Ridge penalty of the linear part.
        dropout: Share of the inputs that the linear part learns to do without.
        base: The other decoder; null leaves the linear part alone.

    Raises:
        UsageError: more items than memory holds, or rows without their history.

    Example:
        >>> from scipy.sparse import csr_array
        >>> from vaehub import Spec
        >>> from vaehub_recommender.interactions import Interactions
        >>> from vaehub_recommender.parts.implicit import ImplicitMultinomial
        >>> rows = Interactions.of(csr_array([[1.0, 1, 0], [1, 1, 0], [0, 1, 1]]), history=True)
        >>> decoder = Ease(Spec((3,), cond=3), 1, ImplicitMultinomial(Spec((3,))), penalty=1, base=None)
        >>> decoder.initialise(rows)
        >>> decoder.weights.diagonal().tolist()
        [0.0, 0.0, 0.0]
        >>> decoder.weights[0, 1].item() > decoder.weights[0, 2].item()  # the first item goes with the second, not with the third
        True
    """

    weights: Tensor
    diagonal: Tensor
    share: Tensor

    def __init__(
        self,
        spec: Spec,
        latent: int,
        likelihood: Likelihood,
        *,
        penalty: Annotated[float, Field(gt=0)] = 500.0,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
        base: Part[Decoder] | None = Catalogue,
    ) -> None:
        super().__init__(spec, latent, likelihood)
        if spec.size > LARGEST:
            raise UsageError(
                f"decoder ease: weights between {spec.size:,} items do not fit in memory (at most {LARGEST:,}); leave out rare items, "
                "or take a model without these weights: recommender_recvae or recommender_mult_vae"
            )
        self.penalty, self.dropout = penalty, dropout
        self.base = None if base is None else base(spec, latent, likelihood)
        self.register_buffer("weights", torch.zeros(spec.size, spec.size))
        self.register_buffer("diagonal", torch.ones(spec.size))
        self.register_buffer("share", torch.tensor(8.0))

    @property
    def noise(self) -> float:
        """Variance of inputs under dropout, by their square."""
        return self.dropout / (1 - self.dropout)

    def initialise(self, data: Data) -> None:
        """The closed form. Raises UsageError where rows come without their history."""
        products = gram(require_history("ease", data).matrix())
        weights, diagonal = solve(products, self.penalty + self.noise * products.diagonal())
        self.weights.copy_(weights)
        self.diagonal.copy_(diagonal)
        if self.base is not None:
            self.base.initialise(data)

    def calibrate(self, vae: Model, data: Data) -> None:
        """How much the linear part counts beside its base: what ranks best for validation users."""
        facts = data.facts
        if self.base is not None and isinstance(facts, InteractionFacts) and facts.targets is not None:
            self.share.fill_(best_share(vae, data, facts.targets))

    @property
    def is_linear(self) -> bool:
        """Where there is no other decoder, or that one is linear."""
        return self.base is None or (isinstance(self.base, ItemItemDecoder) and self.base.is_linear)

    def linear_weights(self, items: Tensor, target: int) -> Tensor:
        """share B_i,target (n,), and what the base adds by itself where it is linear too."""
        weights = self.weights[items, target]
        if self.base is None:
            return weights
        own = self.share * weights
        return own + self.base.linear_weights(items, target) if isinstance(self.base, ItemItemDecoder) else own

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Distribution:
        """p(x|z,c): batch (B,), event (I,)."""
        _, history = split_condition(cond, self.spec.size)
        if self.base is None:
            return require_implicit(self.likelihood).of(HistoryScores(required_history("ease", history), self.weights))
        px: Distribution = self.base(z, cond)
        if self.training or history is None:
            return px
        return require_implicit(self.likelihood).of(MixedScores(scores_of(px), HistoryScores(history, self.weights), self.share))

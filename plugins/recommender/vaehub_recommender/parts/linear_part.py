"""A linear autoencoder by itself or beside a VAE: what the exact and the sparse one have in common.

Letters of shapes: B rows, I items, U users, n items that are asked about.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.distributions import Distribution

from vaehub import Data, Decoder, Likelihood, Model, Part, Spec, UsageError
from vaehub_recommender.interactions import InteractionFacts, Interactions, split_condition
from vaehub_recommender.memory import FEWER, require_memory
from vaehub_recommender.parts.catalogue import require_implicit
from vaehub_recommender.scores import HistoryScores, MixedScores, Scores, scores_of
from vaehub_recommender.validation import best_share

KEPT = 4  # bytes for each pair of items, of the weights
WAYS_OUT = f"{FEWER}, take decoder.name=sparse_linear, or a model without weights between items: recommender_mult_vae"
NO_HISTORY = "this decoder reads the users' items in cond; set domain.history=true"


class LinearPart(Decoder):
    """Scores of another decoder plus `share` times x B, x the user's items and B item-item weights: a product of two experts. Abstract.

    The two are fitted apart: the linear part before training, and what is trained sees nothing of it, since on its own training rows the linear
    part leaves little to learn. `share` is chosen on validation rows once training has ended; without a base there is the linear part alone.
    Subclasses say how B is learnt and kept. Needs rows with their history in cond (domain.history).
    """

    share: Tensor
    learnt_anew: tuple[str, ...] = ()  # buffers that are learnt anew once there are more items

    def __init__(self, spec: Spec, latent: int, likelihood: Likelihood, base: Part[Decoder] | None) -> None:
        super().__init__(spec, latent, likelihood)
        self.base = None if base is None else base(spec, latent, likelihood)
        self.register_buffer("share", torch.tensor(8.0))

    @abstractmethod
    def learn(self, matrix: csr_array) -> None:
        """The weights between items from the rows of all users (U, I)."""

    @abstractmethod
    def linear_scores(self, history: Tensor) -> Scores:
        """x B of histories (B, I) in CSR."""

    @abstractmethod
    def dense_weights(self) -> Tensor:
        """B, written out (I, I)."""

    @abstractmethod
    def weights_to(self, item: int, items: Tensor) -> Tensor:
        """The weights of some items (n,) in the score of an item: (n,)."""

    def learn_with_base(self, matrix: csr_array) -> None:
        """The same, and that of a base that is linear too."""
        self.learn(matrix)
        if isinstance(self.base, LinearPart):
            self.base.learn_with_base(matrix)

    @property
    def solved(self) -> LinearPart:
        """The part that keeps B: this one, unless it hands that on."""
        return self

    @property
    def is_linear(self) -> bool:
        """Whether all is linear, so that codes say nothing: there is no other decoder, or that one is linear."""
        return self.base is None or (isinstance(self.base, LinearPart) and self.base.is_linear)

    def all_linear_weights(self) -> Tensor:
        """share B, and what a base adds that is linear too (I, I); B alone beside a network or by itself."""
        weights = self.dense_weights()
        return self.share * weights + self.base.all_linear_weights() if isinstance(self.base, LinearPart) else weights

    def linear_weights(self, items: Tensor, target: int) -> Tensor:
        """What each of some items (n,) adds to the score of `target`: share B_i,target, and what a base adds that is linear too."""
        weights = self.weights_to(target, items)
        if self.base is None:
            return weights
        own = self.share * weights
        return own + self.base.linear_weights(items, target) if isinstance(self.base, LinearPart) else own

    def initialise(self, data: Data) -> None:
        """Learn the linear part. Raises UsageError where rows come without their history."""
        self.learn(require_history(data).matrix())
        if self.base is not None:
            self.base.initialise(data)

    def calibrate(self, vae: Model, data: Data) -> None:
        """How much the linear part counts beside its base: what ranks best for validation users."""
        facts = data.facts
        if self.base is not None and isinstance(facts, InteractionFacts) and facts.targets is not None:
            self.share.fill_(best_share(vae, data, facts.targets))

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Distribution:
        """p(x|z,c): batch (B,), event (I,). Raises UsageError for rows without their history, where there is nothing else."""
        _, history = split_condition(cond, self.spec.size)
        if self.base is None:
            return require_implicit(self.likelihood).of(self.linear_scores(required_history(history)))
        px: Distribution = self.base(z, cond)
        if self.training or history is None:
            return px
        return require_implicit(self.likelihood).of(MixedScores(scores_of(px), self.linear_scores(history), self.share))


class DenseLinearPart(LinearPart):
    """A linear part that keeps B whole: `weights` (I, I). Abstract.

    Raises:
        UsageError: more items than memory holds.
    """

    learnt_anew = ("weights",)
    weights: Tensor

    def __init__(self, spec: Spec, latent: int, likelihood: Likelihood, base: Part[Decoder] | None) -> None:
        require_memory(f"weights between {spec.size:,} items", KEPT * spec.size**2, WAYS_OUT)
        super().__init__(spec, latent, likelihood, base)
        self.register_buffer("weights", torch.zeros(spec.size, spec.size))

    def linear_scores(self, history: Tensor) -> HistoryScores:
        """x B of histories (B, I) in CSR."""
        return HistoryScores(history, self.weights)

    def dense_weights(self) -> Tensor:
        """The weights as they are."""
        return self.weights

    def weights_to(self, item: int, items: Tensor) -> Tensor:
        """The weights of some items (n,) in the score of an item: (n,)."""
        return self.weights[items, item]


def require_history(data: object) -> Interactions:
    """The rows, where they come with their history. Raises UsageError where they do not."""
    if not isinstance(data, Interactions) or not data.history:
        raise UsageError(NO_HISTORY)
    return data


def required_history(history: Tensor | None) -> Tensor:
    """The users' items. Raises UsageError where rows come without them."""
    if history is None:
        raise UsageError(NO_HISTORY)
    return history

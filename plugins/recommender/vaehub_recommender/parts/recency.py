"""q(z|x) that may tell what came last from what came long ago."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from vaehub import Batch, Data, Encoder, Posterior, Spec, sparse
from vaehub.model import nets
from vaehub_recommender.interactions import side_width, split_condition
from vaehub_recommender.parts.bag import Bag, Hidden, glorot_linear, layers
from vaehub_recommender.parts.features import start_from_features


@final
class RecencyEncoder(Encoder):
    """q(z|x,c) by a multilayer perceptron on two sums over a user's items: of all of them alike, and of each by its weight.

    Where weights fall with the place from the user's last item or with age (`domain.recency`, `domain.half_life`), the second sum is of what came
    last. Each has embeddings of its own, so that training finds what of either matters: for whom lists change with the latest item, and for
    whom they do not. The sum over all is the encoder of "Variational Autoencoders for Collaborative Filtering" (Liang et al., 2018),
    arXiv:1802.05814.

    Arguments:
        hidden: Widths of the hidden layers, from input to output; none make one linear map.
        activation: Function between the layers.
        dropout: Share of a user's items that is hidden while training.

    Example:
        >>> from vaehub import Batch, Spec
        >>> from vaehub.model.posteriors import DiagNormal
        >>> encoder = RecencyEncoder(Spec((5,)), DiagNormal(2), hidden=[3]).eval()
        >>> first, last = encoder(Batch(torch.tensor([[1.0, 0.1, 0, 0, 0], [0.1, 1.0, 0, 0, 0]]))).mean
        >>> bool((first != last).any())  # the same items in another order
        True
    """

    def __init__(
        self,
        spec: Spec,
        posterior: Posterior,
        *,
        hidden: Hidden = (600,),
        activation: nets.Activation = "tanh",
        dropout: nets.Dropout = 0.5,
    ) -> None:
        super().__init__(spec, posterior)
        self.alike = Bag(spec.size, side_width(spec.cond, spec.size), hidden[0], dropout)
        self.recent = Bag(spec.size, 0, hidden[0], dropout)
        self.net = nn.Sequential(*layers(hidden, activation, False), glorot_linear(hidden[-1], posterior.features))

    def initialise(self, data: Data) -> None:
        """Start from what is known of the items, where the data have it."""
        for bag in (self.alike, self.recent):
            start_from_features(bag.weight, data)

    def forward(self, batch: Batch) -> Distribution:
        """q(z|x,c): batch (B,), event (L,)."""
        side, _ = split_condition(batch.cond, self.spec.size)
        x = batch.x.flatten(1)
        return self.posterior(self.net(self.alike(ones_of(x), side) + self.recent(x, None)))


def ones_of(x: Tensor) -> Tensor:
    """1 for every item that a user has (B, I), CSR or dense."""
    if not sparse.is_sparse(x):
        return (x != 0).to(x.dtype)
    return sparse.csr(x.crow_indices(), x.col_indices(), torch.ones_like(x.values()), x.shape[1])

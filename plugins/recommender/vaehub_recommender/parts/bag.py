"""q(z|x,c) from the items of a user: the first layer is a sum over the rows of a table, all others are dense."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, TypeAlias, final

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.nn import functional as F

from vaehub import Batch, Data, Encoder, Posterior, Spec, sparse
from vaehub.model import nets
from vaehub_recommender.interactions import side_width, split_condition
from vaehub_recommender.parts.features import start_from_features
from vaehub_recommender.parts.products import BagProduct

Hidden: TypeAlias = Annotated[
    Sequence[PositiveInt], Field(min_length=1)
]  # widths of hidden layers, of which the first sums up the items


@final
class Bag(nn.Module):
    """W'(x / |x|) + V c + b with dropout on the items of x (B, I): (B, H)."""

    def __init__(self, items: int, side: int, width: int, dropout: float) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(items, width)), nn.Parameter(torch.zeros(width))
        nn.init.xavier_uniform_(self.weight)
        self.side = nn.Linear(side, width, bias=False) if side else None
        self.dropout = dropout

    def forward(self, x: Tensor, side: Tensor | None) -> Tensor:
        """x CSR or dense."""
        out = (self._sparse(x) if sparse.is_sparse(x) else self._dense(x)) + self.bias
        return out if self.side is None else out + self.side(nets.required(side, self.side.in_features).to(out.dtype))

    def _sparse(self, x: Tensor) -> Tensor:
        values = F.dropout(normalised(x).to(self.weight.dtype), self.dropout, self.training)
        product: Tensor = BagProduct.apply(self.weight, x.crow_indices(), x.col_indices(), values)  # type: ignore[no-untyped-call]
        return product

    def _dense(self, x: Tensor) -> Tensor:
        return F.dropout(F.normalize(x.to(self.weight.dtype)), self.dropout, self.training) @ self.weight


def normalised(x: Tensor) -> Tensor:
    """The values of sparse rows, each row divided by its length: (nnz,)."""
    row, values = sparse.row_of(x.crow_indices()), x.values()
    squared = values.new_zeros(len(x)).index_add_(0, row, values.square())
    return values * squared.clamp(min=1e-24).rsqrt()[row]


@final
class Gated(nn.Module):
    """(first(x)) * sigmoid(second(x)): "Language Modeling with Gated Convolutional Networks" (Dauphin et al., 2017), arXiv:1612.08083."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, *inputs: Tensor | None) -> Tensor:
        """Of any input that both take."""
        gated: Tensor = self.first(*inputs) * self.second(*inputs).sigmoid()
        return gated


@final
class BagEncoder(Encoder):
    """q(z|x,c) by a multilayer perceptron on x / |x|, with dropout on the items: the encoder of Mult-VAE.

    "Variational Autoencoders for Collaborative Filtering" (Liang et al., 2018), arXiv:1802.05814. `gated`: hidden layers with gates in
    place of the activation, "Enhancing VAEs for Collaborative Filtering" (Kim & Suh, 2019), arXiv:1911.00936.

    Arguments:
        hidden: Widths of the hidden layers, from input to output; none make one linear map.
        activation: Function between the layers.
        dropout: Share of a user's items that is hidden while training.
        gated: Hidden layers with gates in place of the activation.

    Example:
        >>> from vaehub import Batch, Spec
        >>> from vaehub.model.posteriors import DiagNormal
        >>> encoder = BagEncoder(Spec((5,)), DiagNormal(2), hidden=[3])
        >>> encoder(Batch(torch.eye(5))).mean.shape
        torch.Size([5, 2])
    """

    def __init__(
        self,
        spec: Spec,
        posterior: Posterior,
        *,
        hidden: Hidden = (600,),
        activation: nets.Activation = "tanh",
        dropout: nets.Dropout = 0.5,
        gated: bool = False,
    ) -> None:
        super().__init__(spec, posterior)
        side = side_width(spec.cond, spec.size)
        bags = [Bag(spec.size, side, hidden[0], dropout) for _ in range(1 + gated)]
        self.bag = Gated(*bags) if gated else bags[0]
        self.net = nn.Sequential(*layers(hidden, activation, gated), glorot_linear(hidden[-1], posterior.features))

    def initialise(self, data: Data) -> None:
        """Start from what is known of the items, where the data have it."""
        for bag in (m for m in self.modules() if isinstance(m, Bag)):
            start_from_features(bag.weight, data)

    def forward(self, batch: Batch) -> Distribution:
        """q(z|x,c): batch (B,), event (L,)."""
        side, _ = split_condition(batch.cond, self.spec.size)
        return self.posterior(self.net(self.bag(batch.x.flatten(1), side)))


def glorot_linear(inputs: int, outputs: int) -> nn.Linear:
    """A layer as Liang et al. start it: Glorot's uniform weights, no bias."""
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def layers(hidden: Sequence[int], activation: nets.Activation, gated: bool) -> list[nn.Module]:
    """What follows the first sum: its activation, and the other hidden layers with theirs."""
    between = list(pairwise(hidden))
    if gated:
        return [Gated(glorot_linear(a, b), glorot_linear(a, b)) for a, b in between]
    act = nets.ACTIVATIONS[activation]
    return [act(), *(layer for a, b in between for layer in (glorot_linear(a, b), act()))]

"""The linear autoencoder of large catalogues, by itself or beside a VAE: every item reads a few others."""

from __future__ import annotations

from typing import Annotated, final

import torch
from pydantic import Field, PositiveInt
from scipy.sparse import csr_array
from torch import Tensor

from vaehub import Decoder, Likelihood, Part, Spec
from vaehub_recommender.memory import FEWER, require_memory
from vaehub_recommender.parts.catalogue import Catalogue
from vaehub_recommender.parts.linear_part import LinearPart
from vaehub_recommender.scores import SparseHistoryScores
from vaehub_recommender.sparse_ridge import CELLS, LOOKED_UP, nearest_products, solve_nearest

WAYS_OUT = f"lower decoder.neighbours, {FEWER}, or take a model without weights between items: recommender_mult_vae"


@final
class SparseLinear(LinearPart):
    """Scores of another decoder plus `share` times x B, where column i of B has weights for the items nearest to i by cosine alone.

    Each column is the ridge regression on these items, exactly so up to products of items that are far from each other: the sparse approximation
    of "Markov Random Fields for Collaborative Filtering" (Steck, 2019), arXiv:1910.09645. Memory grows with items x neighbours, not items².
    `penalty`, `dropout` and `base` are those of decoder ease. Needs rows with their history in cond (domain.history).

    Arguments:
        penalty: Ridge penalty of the linear part.
        dropout: Share of the inputs that the linear part learns to do without.
        neighbours: How many items the score of an item reads.
        base: The other decoder; null leaves the linear part alone.

    Raises:
        UsageError: more items than memory holds, or rows without their history.

    Example:
        >>> from vaehub_recommender.interactions import Interactions
        >>> from vaehub_recommender.parts.implicit import ImplicitMultinomial
        >>> rows = Interactions.of(csr_array([[1.0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]]), history=True)
        >>> decoder = SparseLinear(Spec((4,), cond=4), 1, ImplicitMultinomial(Spec((4,))), penalty=1, neighbours=1, base=None)
        >>> decoder.initialise(rows)
        >>> decoder.columns.tolist()  # the item that reads each: the first reads the second, and so on
        [1, 0, 3, 2]
    """

    learnt_anew = ("starts", "columns", "values")
    starts: Tensor
    columns: Tensor
    values: Tensor

    def __init__(
        self,
        spec: Spec,
        latent: int,
        likelihood: Likelihood,
        *,
        penalty: Annotated[float, Field(gt=0)] = 500.0,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
        neighbours: PositiveInt = 200,
        base: Part[Decoder] | None = Catalogue,
    ) -> None:
        super().__init__(spec, latent, likelihood, base)
        self.penalty = penalty
        self.noise = dropout / (1 - dropout)  # the variance of inputs under dropout, by their square
        self.neighbours = min(neighbours, spec.size - 1)
        count = spec.size * self.neighbours
        self.register_buffer(
            "starts", torch.zeros(spec.size + 1, dtype=torch.long)
        )  # B in CSR: row j has the items that read item j
        self.register_buffer("columns", torch.zeros(count, dtype=torch.int32))
        self.register_buffer("values", torch.zeros(count))

    def learn(self, matrix: csr_array) -> None:
        """The regression of every item. Raises UsageError where memory does not hold what they take."""
        items = self.spec.size
        peak = 24 * matrix.nnz + 48 * items * self.neighbours + 16 * CELLS + 24 * LOOKED_UP
        require_memory(f"decoder sparse_linear: {self.neighbours} neighbours of {items:,} items", peak, WAYS_OUT)
        products = nearest_products(matrix, self.neighbours)
        weights = solve_nearest(products, self.penalty + self.noise * products.diagonal)
        read = products.items.flatten()
        order = read.argsort(stable=True)
        self.columns.copy_(order // self.neighbours)
        self.values.copy_(weights.flatten()[order])
        self.starts[1:] = read.bincount(minlength=items).cumsum(0)

    def linear_scores(self, history: Tensor) -> SparseHistoryScores:
        """x B of histories (B, I) in CSR."""
        return SparseHistoryScores(history, self.starts, self.columns, self.values)

    def dense_weights(self) -> Tensor:
        """The weights, and 0 for items that are not read."""
        cells = torch.sparse_csr_tensor(self.starts, self.columns.long(), self.values, (self.spec.size, self.spec.size))
        return cells.to_dense()

    def weights_to(self, item: int, items: Tensor) -> Tensor:
        """The weights of some items (n,) in the score of an item: (n,)."""
        read = (self.columns == item).nonzero()[:, 0]
        weights = self.values.new_zeros(self.spec.size)
        weights[torch.searchsorted(self.starts, read, right=True) - 1] = self.values[read]
        return weights[items]

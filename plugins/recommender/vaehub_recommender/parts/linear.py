"""The linear part that fits the catalogue: exact where its items are few, sparse where they are many."""

from __future__ import annotations

from typing import Annotated, final

from pydantic import Field, PositiveInt
from scipy.sparse import csr_array
from torch import Tensor

from vaehub import Decoder, Likelihood, Part, Spec
from vaehub_recommender.parts.catalogue import Catalogue
from vaehub_recommender.parts.ease import Ease
from vaehub_recommender.parts.linear_part import LinearPart
from vaehub_recommender.parts.sparse_linear import SparseLinear
from vaehub_recommender.scores import Scores


@final
class Linear(LinearPart):
    """Decoder ease for catalogues of at most `exact_items`, decoder sparse_linear for larger ones.

    Arguments:
        penalty: Ridge penalty of the linear part.
        dropout: Share of the inputs that the linear part learns to do without.
        neighbours: How many items the score of an item reads, in larger catalogues.
        exact_items: The largest catalogue whose linear part is exact: 12 bytes of memory for each pair of items, and time as the cube of items.
        base: The other decoder; null leaves the linear part alone.

    Raises:
        UsageError: more items than memory holds, or rows without their history.

    Example:
        >>> from vaehub_recommender.parts.implicit import ImplicitMultinomial
        >>> [type(Linear(Spec((n,)), 1, ImplicitMultinomial(Spec((n,))), exact_items=4).solved).__name__ for n in (4, 5)]
        ['Ease', 'SparseLinear']
    """

    def __init__(
        self,
        spec: Spec,
        latent: int,
        likelihood: Likelihood,
        *,
        penalty: Annotated[float, Field(gt=0)] = 500.0,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
        neighbours: PositiveInt = 200,
        exact_items: PositiveInt = 8000,
        base: Part[Decoder] | None = Catalogue,
    ) -> None:
        super().__init__(spec, latent, likelihood, base)
        self.part: LinearPart
        if spec.size <= exact_items:
            self.part = Ease(spec, latent, likelihood, penalty=penalty, dropout=dropout, base=None)
        else:
            self.part = SparseLinear(spec, latent, likelihood, penalty=penalty, dropout=dropout, neighbours=neighbours, base=None)
        self.learnt_anew = tuple(f"part.{name}" for name in self.part.learnt_anew)

    @property
    def solved(self) -> LinearPart:
        """The one of the two that was made."""
        return self.part

    def learn(self, matrix: csr_array) -> None:
        """The weights between items from the rows of all users (U, I)."""
        self.part.learn(matrix)

    def linear_scores(self, history: Tensor) -> Scores:
        """x B of histories (B, I) in CSR."""
        return self.part.linear_scores(history)

    def dense_weights(self) -> Tensor:
        """B, written out (I, I)."""
        return self.part.dense_weights()

    def weights_to(self, item: int, items: Tensor) -> Tensor:
        """The weights of some items (n,) in the score of an item: (n,)."""
        return self.part.weights_to(item, items)

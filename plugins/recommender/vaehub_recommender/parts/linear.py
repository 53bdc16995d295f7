"""The linear part that fits the catalogue: exact where its items are few, sparse where they are many."""

from __future__ import annotations

from typing import Annotated, Any, final

from pydantic import Field, PositiveInt
from torch import Tensor
from torch.distributions import Distribution

from vaehub import Decoder, Likelihood, Part, Spec
from vaehub_recommender.parts.catalogue import Catalogue
from vaehub_recommender.parts.ease import Ease
from vaehub_recommender.parts.sparse_linear import SparseLinear


@final
class Linear(Decoder):
    """Decoder ease for catalogues of at most `exact_items`, decoder sparse_linear for larger ones: one of the two is made.

    Arguments:
        penalty: Ridge penalty of the linear part.
        dropout: Share of the inputs that the linear part learns to do without.
        neighbours: How many items the score of an item reads, in larger catalogues.
        exact_items: The largest catalogue whose linear part is exact: 12 bytes of memory for each pair of items, and time as the cube of items.
        base: The other decoder; null leaves the linear part alone.

    Example:
        >>> from vaehub_recommender.parts.implicit import ImplicitMultinomial
        >>> [type(Linear(Spec((n,)), 1, ImplicitMultinomial(Spec((n,))), exact_items=4)).__name__ for n in (4, 5)]
        ['Ease', 'SparseLinear']
    """

    def __new__(
        cls,
        spec: Spec,
        latent: int,
        likelihood: Likelihood,
        *,
        penalty: Annotated[float, Field(gt=0)] = 500.0,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
        neighbours: PositiveInt = 200,
        exact_items: PositiveInt = 8000,
        base: Part[Decoder] | None = Catalogue,
    ) -> Any:
        """One of the two."""
        if spec.size <= exact_items:
            return Ease(spec, latent, likelihood, penalty=penalty, dropout=dropout, base=base)
        return SparseLinear(spec, latent, likelihood, penalty=penalty, dropout=dropout, neighbours=neighbours, base=base)

    __init__: Any = __new__  # never called, as no Linear is made: it is where the options of a part are read

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Distribution:
        """That of the part that is made."""
        raise NotImplementedError

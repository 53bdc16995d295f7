"""The nearest items of every item, by the users who have both.

Letters of shapes: U users, I items, K neighbours, n items of a history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, final

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, PositiveInt
from scipy.sparse import csr_array

from vaehub import Decoder, Likelihood, Part, Spec
from vaehub_recommender.parts.catalogue import Catalogue
from vaehub_recommender.parts.linear_part import DenseLinearPart
from vaehub_recommender.rank import best_of_row

ROWS = 1_000  # items whose neighbours are found at once
TINY = 1e-12  # of items that nobody has


@final
class ItemKnn(DenseLinearPart):
    """Scores x W, x the user's items, W_ij the cosine of the users of items i and j where i is one of the `neighbours` nearest of j, else 0.

    cos_ij = x_i'x_j / (|x_i| |x_j| + shrink): "Item-based Top-N Recommendation Algorithms" (Deshpande & Karypis, 2004),
    doi:10.1145/963770.963776; `shrink` pulls items that few users have towards 0. A base is another decoder, to whose scores `share` times these are
    added, as decoder ease does; `base: null` leaves the neighbours alone. Needs rows with their history in cond (domain.history).

    Arguments:
        neighbours: Items that count for the score of an item.
        shrink: What is added to the denominator of the cosine.
        base: The other decoder; null leaves the neighbours alone.

    Raises:
        UsageError: more items than memory holds, or rows without their history.

    Example:
        >>> from vaehub_recommender.interactions import Interactions
        >>> from vaehub_recommender.parts.implicit import ImplicitMultinomial
        >>> rows = Interactions.of(csr_array([[1.0, 1, 0], [1, 1, 0], [0, 1, 1]]), history=True)
        >>> decoder = ItemKnn(Spec((3,), cond=3), 1, ImplicitMultinomial(Spec((3,))), neighbours=1, shrink=0, base=None)
        >>> decoder.initialise(rows)
        >>> [[round(w, 2) for w in row] for row in decoder.weights.tolist()]
        [[0.0, 0.82, 0.0], [0.82, 0.0, 0.58], [0.0, 0.0, 0.0]]
    """

    def __init__(
        self,
        spec: Spec,
        latent: int,
        likelihood: Likelihood,
        *,
        neighbours: PositiveInt = 200,
        shrink: Annotated[float, Field(ge=0)] = 10.0,
        base: Part[Decoder] | None = Catalogue,
    ) -> None:
        super().__init__(spec, latent, likelihood, base)
        self.neighbours, self.shrink = neighbours, shrink

    def learn(self, matrix: csr_array) -> None:
        """The neighbours by interactions (U, I), in place of those of before."""
        self.weights.copy_(torch.from_numpy(nearest(matrix, self.neighbours, self.shrink).weights(self.neighbours).toarray()))


@final
@dataclass(frozen=True)
class Nearest:
    """The nearest items of every item, the nearest first: positions and cosines (I, K)."""

    items: NDArray[np.int64]
    cosines: NDArray[np.float32]

    def weights(self, neighbours: int) -> csr_array:
        """W (I, I): in column j the cosines of so many items that are nearest to j; none where nobody has both."""
        size = len(self.items)
        cosines, items = self.cosines[:, :neighbours], self.items[:, :neighbours]
        ends = np.arange(size + 1) * items.shape[1]
        by_target = csr_array((cosines.ravel(), items.ravel(), ends), shape=(size, size))
        by_target.eliminate_zeros()
        return by_target.T.tocsr()


def nearest(matrix: csr_array, neighbours: int, shrink: float) -> Nearest:
    """The nearest items by cosine; of equally near ones those that stand first.

    Arguments:
        matrix: interactions (U, I).
        neighbours: K.
        shrink: what is added to the denominator.
    """
    users = matrix.astype(np.float32).tocsr()
    own, items = users.T.tocsr(), users.shape[1]
    length = np.sqrt(np.bincount(matrix.indices, matrix.data.astype(np.float64) ** 2, items)).astype(np.float32)
    found = []
    for start in range(0, items, ROWS):
        rows = slice(start, min(start + ROWS, items))
        both = (own[rows] @ users).toarray()
        cosine = torch.from_numpy(both / (length[rows, None] * length + np.float32(shrink)).clip(TINY))
        cosine[torch.arange(len(cosine)), torch.arange(rows.start, rows.stop)] = 0
        found.append(best_of_row(cosine, neighbours))
    cosines, at = (torch.cat(parts).numpy() for parts in zip(*found, strict=True))
    return Nearest(at, cosines)

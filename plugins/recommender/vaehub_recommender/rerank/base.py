"""What re-rankers share: one item after the other is chosen by its relevance less what it costs beside those chosen before.

Letters of shapes: N items of a shortlist, H items of a history, I items of the catalogue.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub_recommender.tables import Ids

Floats: TypeAlias = NDArray[np.float64]
Positions: TypeAlias = NDArray[np.int64]


@final
@dataclass(frozen=True)
class Shortlist:
    """The best items of one user by a model's scores, from which a list is chosen.

    Arguments:
        items: (N,) positions in the catalogue, the best first.
        scores: (N,) of the model.
        history: (H,) positions of the user's items.
        weights: (H,) of these.
    """

    items: Positions
    scores: Floats
    history: Positions
    weights: Floats

    @property
    def relevance(self) -> Floats:
        """(s - min s) / (max s - min s) over the shortlist (N,): the same scale for all models and users; 1 where all scores are equal."""
        low, high = self.scores.min(), self.scores.max()
        return (self.scores - low) / (high - low) if high > low else np.ones(len(self.scores))


@final
@dataclass(frozen=True)
class ItemFacts:
    """What re-rankers may ask of the catalogue.

    Arguments:
        ids: (I,) of the items.
        log_popularity: (I,) log of the share of users who have each item.
        similarity: of items at positions (N,): cosines (N, N).
        frame: what else is known of the items, where there is such a table.
        column: that holds the items' ids in it; found by its name, if None.
    """

    ids: Ids
    log_popularity: Floats
    similarity: Callable[[Positions], Floats]
    frame: pd.DataFrame | None = None
    column: str | None = None


class Cost(ABC):
    """What each item of one shortlist costs, as a part of relevance, beside those that are chosen already."""

    @abstractmethod
    def of_next(self) -> Floats:
        """The cost (N,) of each item, were it the next on the list."""

    @abstractmethod
    def choose(self, at: int) -> None:
        """Note that the item at this place of the shortlist is on the list."""


class Reranker(ABC):
    """A way to choose lists; it knows its options, and learns what there is to know of the items from `costs`."""

    @abstractmethod
    def costs(self, facts: ItemFacts) -> Callable[[Shortlist], Cost]:
        """How the items of any shortlist cost. Raises UsageError where what it needs is not known of the items."""


def choose(shortlist: Shortlist, costs: Sequence[Cost], k: int) -> Positions:
    """Places (min(k, N),) in the shortlist: each the argmax of relevance less all costs among those not chosen; equal ones by score.

    Arguments:
        shortlist: of one user.
        costs: of its items.
        k: how many are wanted.

    Example:
        >>> shortlist = Shortlist(np.array([5, 7]), np.array([2.0, 1.0]), np.array([1]), np.ones(1))
        >>> choose(shortlist, [], k=1).tolist()
        [0]
    """
    value = shortlist.relevance
    order: list[int] = []
    for _ in range(min(k, len(value))):
        now = value - np.sum([cost.of_next() for cost in costs], 0)
        now[order] = -np.inf
        at = int(now.argmax())
        order.append(at)
        for cost in costs:
            cost.choose(at)
    return np.array(order, np.int64)

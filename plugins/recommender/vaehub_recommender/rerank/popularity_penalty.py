"""Less of what everybody has."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import final

from vaehub import UsageError
from vaehub_recommender.rerank.base import Cost, Floats, ItemFacts, Reranker, Shortlist


@final
@dataclass(frozen=True)
class PopularityPenalty(Reranker):
    """Items in the order of r(i) - λ log p(i), p the share of users who have item i and r the scores brought to 0 … 1.

    With r a log-probability and λ = 1 it is the logit adjustment of "Long-tail Learning via Logit Adjustment" (Menon et al., 2021), arXiv:2007.07314.

    Arguments:
        strength: λ, at least 0; 0 leaves the list as it is.

    Raises:
        UsageError: a λ that is negative or not finite.

    Example:
        >>> from vaehub_recommender.example import film_recommender
        >>> lists = film_recommender().recommend({"new": ["Noir film 01"]}, k=3, rerank=PopularityPenalty(0.0))
        >>> lists.equals(film_recommender().recommend({"new": ["Noir film 01"]}, k=3))
        True
    """

    strength: float = 0.1

    def __post_init__(self) -> None:
        if not (isinstance(self.strength, Real) and 0 <= self.strength < math.inf):
            raise UsageError(f"PopularityPenalty: strength={self.strength!r}: give a finite number of at least 0")

    def costs(self, facts: ItemFacts) -> Callable[[Shortlist], Cost]:
        """λ log p."""
        return lambda shortlist: Fixed(self.strength * facts.log_popularity[shortlist.items])


@final
class Fixed(Cost):
    """Costs (N,) that do not depend on the list."""

    def __init__(self, cost: Floats) -> None:
        self.cost = cost

    def of_next(self) -> Floats:
        """Always the same."""
        return self.cost

    def choose(self, at: int) -> None:
        """Changes nothing."""

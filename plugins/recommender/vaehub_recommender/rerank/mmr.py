"""Diversity: no item that is like those above it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import final

import numpy as np

from vaehub import UsageError
from vaehub_recommender.rerank.base import Cost, Floats, ItemFacts, Reranker, Shortlist


@final
@dataclass(frozen=True)
class MMR(Reranker):
    """Maximal marginal relevance: the next item is argmax_i λ r(i) - (1 - λ) max_{j chosen} cos(i, j), r the scores brought to 0 … 1.

    The cosine is that of the items' codes, or, in a model without codes, of what each item alone adds to all scores. "The Use of MMR, Diversity-Based
    Reranking for Reordering Documents and Producing Summaries" (Carbonell & Goldstein, 1998), doi:10.1145/290941.291025.

    Arguments:
        relevance: λ, above 0; 1 leaves the list as it is.

    Raises:
        UsageError: λ that is not above 0 and at most 1.

    Example:
        >>> from vaehub_recommender.example import film_recommender
        >>> history = {"new": ["Noir film 01", "Noir film 02"]}
        >>> film_recommender().recommend(history, k=3, rerank=MMR(0.3))["item"].tolist()[0]
        'Noir film 03'
    """

    relevance: float = 0.7

    def __post_init__(self) -> None:
        if not (isinstance(self.relevance, Real) and 0 < self.relevance <= 1):
            raise UsageError(f"MMR: relevance={self.relevance!r}: give the share of relevance, above 0 and at most 1")

    def costs(self, facts: ItemFacts) -> Callable[[Shortlist], Cost]:
        """(1 - λ) / λ times the similarity."""
        weight = (1 - self.relevance) / self.relevance
        return lambda shortlist: Nearness(weight * facts.similarity(shortlist.items))


@final
class Nearness(Cost):
    """The greatest similarity (N, N) to an item on the list."""

    def __init__(self, similarity: Floats) -> None:
        self.similarity, self.nearest = similarity, np.zeros(len(similarity))
        self.empty = True

    def of_next(self) -> Floats:
        """Nothing for the first."""
        return self.nearest

    def choose(self, at: int) -> None:
        """Those like this one cost more."""
        self.nearest = self.similarity[at] if self.empty else np.maximum(self.nearest, self.similarity[at])
        self.empty = False

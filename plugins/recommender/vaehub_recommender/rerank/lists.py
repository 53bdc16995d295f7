"""Re-ranking of a model's lists.

Letters of shapes: B users, N items of a shortlist, K wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vaehub import UsageError
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.query import Query
from vaehub_recommender.api.similar import single_item_rows
from vaehub_recommender.rerank.base import Cost, Floats, ItemFacts, Positions, Reranker, Shortlist, choose

SHORTLIST = 100  # items from which a list is chosen, or twice its length where that is more


@final
@dataclass(frozen=True)
class Reranking:
    """Re-rankers that know a catalogue, and how long lists are to be; none: lists stay as they are."""

    costs: Sequence[Callable[[Shortlist], Cost]]
    k: int

    @property
    def depth(self) -> int:
        """How many of the best items it needs."""
        return max(SHORTLIST, 2 * self.k) if self.costs else self.k

    def __call__(self, query: Query, values: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Scores and positions (B, K) from those of shortlists (B, N), each chosen by itself; what is merely popular stays as it is."""
        if not self.costs:
            return values, items
        order = np.tile(np.arange(min(self.k, items.shape[1])), (len(query), 1))
        for row in np.flatnonzero(~query.empty).tolist():
            shortlist = shortlist_of(query, values, items, row)
            if len(shortlist.items):
                chosen = choose(shortlist, [cost(shortlist) for cost in self.costs], self.k)
                order[row, : len(chosen)] = chosen
        at = torch.from_numpy(order)
        return values.gather(1, at), items.gather(1, at)


def shortlist_of(query: Query, values: Tensor, items: Tensor, row: int) -> Shortlist:
    """The shortlist of one user, with the user's history."""
    own = slice(*query.matrix.indptr[row : row + 2])
    there = items[row] >= 0
    return Shortlist(
        items[row][there].numpy(),
        values[row][there].double().numpy(),
        query.matrix.indices[own].astype(np.int64),
        query.matrix.data[own].astype(np.float64),
    )


def reranking(given: Reranker | Sequence[Reranker] | None, fitted: Fitted, k: int) -> Reranking:
    """One re-ranker or several for the lists of a model. Raises UsageError for what is none."""
    rerankers = [] if given is None else list(given) if isinstance(given, Iterable) else [given]
    for one in rerankers:
        if not isinstance(one, Reranker):
            raise UsageError(
                f"rerank: {one!r} is no re-ranker; give one or a list of MMR(), Calibration(column) or PopularityPenalty()"
            )
    facts = ItemFacts(
        fitted.items,
        fitted.popularity.double().numpy(),
        lambda at: cosines(fitted, at),
        fitted.frames["item"],
        fitted.columns.item,
    )
    return Reranking([one.costs(facts) for one in rerankers], k)


@torch.inference_mode()
def cosines(fitted: Fitted, at: Positions) -> Floats:
    """Cosines (N, N) of items: of their codes, or of what each alone adds to all scores where the model has no codes."""
    if fitted.has_codes:
        vectors = fitted.item_codes[torch.from_numpy(at)]
    else:
        scores = fitted.ranker.scores(single_item_rows(at, len(fitted.items)))
        vectors = scores.block(0, scores.items).cpu() - fitted.empty_history_scores
    unit = F.normalize(vectors.double())
    found: Floats = (unit @ unit.T).numpy()
    return found

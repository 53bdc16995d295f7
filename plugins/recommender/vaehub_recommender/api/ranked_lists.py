"""The best items of users, as a table.

Letters of shapes: B users, I items, K wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaehub import sparse
from vaehub_recommender.api.allowed_items import AllowedItems
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.query import Query
from vaehub_recommender.rank import best_of_row, csr_tensor, top
from vaehub_recommender.scores import DenseScores

SPARE = 16  # items more than wanted that are scored again
Rerank: TypeAlias = Callable[[Query, Tensor, Tensor], tuple[Tensor, Tensor]]  # of scores and positions (B, N), the best K
REASON = pd.CategoricalDtype(["history", "popular", "features"])


@final
@dataclass(frozen=True)
class ListMaker:
    """How lists are made: by which model, how long, whether items of the history may be on them, and which may at all."""

    fitted: Fitted
    k: int
    exclude_seen: bool
    allowed_items: AllowedItems
    rerank: Rerank = lambda query, values, items: (values, items)

    def frame(self, query: Query) -> pd.DataFrame:
        """user, item, rank, score, reason: users as they were given, ranks from 1."""
        slices = self.fitted.ranker.slices(len(query))
        parts = [self.as_frame(query.part(rows), *self.best(query.part(rows), self.allowed_items.part(rows))) for rows in slices]
        if len(parts) == 1:
            return parts[0]
        return (
            pd.concat(parts, ignore_index=True)
            if parts
            else self.as_frame(query, torch.zeros(0, 1), torch.zeros(0, 1, dtype=torch.long))
        )

    def best(self, query: Query, allowed: Tensor | None) -> tuple[Tensor, Tensor]:
        """Scores and positions (B, K) for a batch of users, re-ranked."""
        return self.rerank(query, *self.best_by_score(query, allowed))

    @torch.inference_mode()
    def best_by_score(self, query: Query, allowed: Tensor | None) -> tuple[Tensor, Tensor]:
        """The same before they are re-ranked; those without a history get a list by their features, or else what is popular."""
        allowed = None if allowed is None else allowed.to(self.fitted.run.device)
        empty, described = (torch.from_numpy(np.flatnonzero(rows)) for rows in (query.empty, query.described))
        if len(empty) == len(query):
            return self.most_popular(query, empty, allowed)
        if len(described) == len(query):
            return self.best_by_features(query, described, allowed)
        values, items = self.best_of_single(query, allowed) if len(query) == 1 else self.best_of_batch(query, allowed)
        if len(empty):
            values[empty], items[empty] = self.most_popular(query, empty, allowed)
        if len(described):
            values[described], items[described] = self.best_by_features(query, described, allowed)
        return values, items

    def best_of_batch(self, query: Query, allowed: Tensor | None) -> tuple[Tensor, Tensor]:
        """For several users at once."""
        ranker = self.fitted.ranker
        return on_host(top(ranker.scores(query.matrix, query.side), self.k, self.ruled_out(query), allowed))

    def best_of_single(self, query: Query, allowed: Tensor | None) -> tuple[Tensor, Tensor]:
        """For one user: the best by a quick product are scored again as among other users, and all are where these might miss one."""
        scores = self.fitted.ranker.scores(query.matrix, query.side)
        guessed, shortlist = (t[0] for t in top(scores.approximate(), self.k + SPARE, self.ruled_out(query), allowed))
        shortlist, order = shortlist[shortlist >= 0].sort()
        exact = scores.at(shortlist)
        values, at = best_of_row(exact, self.k)
        if len(shortlist) == self.k + SPARE and may_have_missed(guessed[order], exact[0], values[0, -1]):
            return self.best_of_batch(query, allowed)
        return on_host((values, shortlist[at]))

    def most_popular(self, query: Query, rows: Tensor, allowed: Tensor | None) -> tuple[Tensor, Tensor]:
        """For users (n,) without a history."""
        scores = DenseScores(self.fitted.popularity.expand(len(rows), -1))
        chosen = rows_of(allowed, rows)
        return top(scores, self.k, self.hidden(query, rows), None if chosen is None else chosen.cpu())

    def best_by_features(self, query: Query, rows: Tensor, allowed: Tensor | None) -> tuple[Tensor, Tensor]:
        """For users (n,) without a history whose features are known."""
        assert query.side is not None  # or they would not be described
        scores = self.fitted.scores_by_features(query.side[rows])
        device = scores.block(0, 1).device
        chosen, hidden = rows_of(allowed, rows), self.hidden(query, rows)
        return on_host(
            top(scores, self.k, None if hidden is None else hidden.to(device), None if chosen is None else chosen.to(device))
        )

    def hidden(self, query: Query, rows: Tensor) -> Tensor | None:
        """What may not be on the lists of some of the users (n,)."""
        cells = query.ruled_out(self.exclude_seen)
        return None if cells is None else csr_tensor(cells[rows.numpy()])

    def ruled_out(self, query: Query) -> Tensor | None:
        """What may not be on the lists, as `top` takes it."""
        cells = query.ruled_out(self.exclude_seen)
        return None if cells is None else self.fitted.ranker.seen(cells)

    def reasons(self, query: Query) -> NDArray[np.int8]:
        """Why every user has this list (B,), as codes of REASON; by features only where these say anything."""
        described = query.described
        by_features = 2 if described.any() and self.fitted.ranks_by_features else 1
        return np.where(described, by_features, query.empty).astype(np.int8)

    def as_frame(self, query: Query, values: Tensor, items: Tensor) -> pd.DataFrame:
        """A row for every item on a list."""
        there = (items >= 0).numpy()
        lengths = there.sum(1)
        list_start = np.repeat(lengths.cumsum() - lengths, lengths)
        reason = np.repeat(self.reasons(query), lengths)
        return pd.DataFrame(
            {
                "user": query.users.repeat(lengths),
                "item": self.fitted.items.take(items.numpy()[there]),
                "rank": np.arange(len(list_start)) - list_start + 1,
                "score": values.numpy()[there],
                "reason": pd.Categorical.from_codes(reason, dtype=REASON),
            },
            copy=False,
        )


def rows_of(allowed: Tensor | None, rows: Tensor) -> Tensor | None:
    """What is allowed for some users (n,), where each has a row of it."""
    return sparse.take(allowed, rows.to(allowed.device)) if allowed is not None and sparse.is_sparse(allowed) else allowed


def may_have_missed(guessed: Tensor, exact: Tensor, last: Tensor) -> bool:
    """Whether an item below all that were guessed (n,) may be above the last on the list, for an error thrice as large as any of these."""
    error = (guessed - exact).abs().max()
    return bool(guessed.min() + 3 * error >= last)


def on_host(found: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Scores and positions on the processor."""
    return found[0].cpu(), found[1].cpu()

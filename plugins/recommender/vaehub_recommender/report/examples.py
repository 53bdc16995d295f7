"""A few known users: what they have, what they are recommended, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vaehub_recommender.report.findings import Example, Suggestion, Words

if TYPE_CHECKING:
    from vaehub_recommender.recommender import Recommender

USER_QUANTILES = (0.1, 0.4, 0.7, 0.95)  # of the users by the number of their items
RECOMMENDED, REASONS, HISTORY = 8, 3, 12


def examples(recommender: Recommender, names: Words) -> tuple[Example, ...]:
    """Users with few to many items."""
    lengths = np.diff(recommender.fitted.log.matrix.indptr)
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    chosen = dict.fromkeys(int(order[int(share * (len(order) - 1))]) for share in USER_QUANTILES)
    return tuple(example(recommender, at, names) for at in chosen)


def example(recommender: Recommender, at: int, names: Words) -> Example:
    """The user at this position; of the history, what counts most for the recommendations."""
    fitted = recommender.fitted
    user = fitted.users.take(np.array([at])).tolist()[0]
    matrix = fitted.log.matrix
    own = matrix.indices[matrix.indptr[at] : matrix.indptr[at + 1]]
    best = fitted.items.positions(recommender.recommend([user], k=RECOMMENDED)["item"])
    why = pd.DataFrame({item: contributions(recommender, user, item, len(own)) for item in best}, index=own, dtype=float)
    first = why.sum(axis=1).sort_values(ascending=False, kind="stable").index[:HISTORY]
    return Example(str(user), len(own), tuple(names[first]), tuple(suggestion(item, why[item], names) for item in best))


def contributions(recommender: Recommender, user: object, item: int, k: int) -> pd.Series[float]:
    """How much each item of a user, by position, adds to the score of an item."""
    fitted = recommender.fitted
    found = recommender.explain(user, fitted.items.take(np.array([item])).tolist()[0], k)
    return found["contribution"].set_axis(fitted.items.positions(found["item"]))


def suggestion(item: int, why: pd.Series[float], names: Words) -> Suggestion:
    """An item with the greatest of its reasons."""
    most = why[why > 0].nlargest(REASONS)
    return Suggestion(names[item], tuple(zip(names[most.index], most.tolist(), strict=True)))

"""The best items for histories, by a model."""

from __future__ import annotations

from collections.abc import Iterator

from vaehub_recommender.api.query import Query, side_of
from vaehub_recommender.api.ranked_lists import ListMaker
from vaehub_recommender.bulk.output import RankedBatch
from vaehub_recommender.tables import History, Ids


def rank_histories(lister: ListMaker, history: History) -> Iterator[RankedBatch]:
    """Lists for all users of some histories, a batch at a time; what else is known of them is used where the model knows the users."""
    positions = lister.fitted.users.positions(history.users)
    query = Query(history.users, history.matrix, side_of(positions, lister.fitted.side), positions)
    users = Ids(history.users).arrow()
    for rows in lister.fitted.ranker.slices(len(query)):
        part = query.part(rows)
        values, items = lister.best(part, lister.allowed_items.part(rows))
        yield RankedBatch(users[rows], items.numpy(), values.numpy(), part.empty, int(history.unknown[rows].sum()))

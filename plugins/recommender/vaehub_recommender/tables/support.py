"""Users and items of too few interactions, left out."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from vaehub import UsageError
from vaehub_recommender.tables.cells import Positions, rows_of_entries
from vaehub_recommender.tables.columns import Seen
from vaehub_recommender.tables.ids import Ids
from vaehub_recommender.tables.log import Log, UserItems, csr, indptr_of, together


def with_support(log: Log, min_user: int, min_item: int, seen: Seen | None = None) -> Log:
    """The users of at least `min_user` interactions and the items of at least `min_item`, counted among themselves.

    Arguments:
        log: all interactions.
        min_user: least interactions of a user, with items that stay.
        min_item: least interactions of an item, with users who stay.
        seen: whether what is left out counts as seen: "all", as by default, or "learnt": it does not.

    Returns:
        The log without the others; a warning says how many these are.

    Raises:
        UsageError: nobody stays.

    Example:
        >>> import pandas as pd
        >>> from vaehub_recommender.tables import Columns, interaction_log
        >>> log = interaction_log(pd.DataFrame({"user": [1, 1, 2, 2, 3], "item": ["a", "b", "a", "b", "b"]}), Columns())
        >>> with warnings.catch_warnings(action="ignore"):
        ...     with_support(log, min_user=2, min_item=1).users.values.tolist()
        [1, 2]
    """
    user, item = rows_of_entries(log.matrix), log.matrix.indices
    stays = supported(user, item, min_user, min_item)
    if stays.all():
        return log
    if not stays.any():
        raise UsageError(
            f"no interaction is left of users with {min_user:,} or more and items with {min_item:,} or more; lower min_user or min_item"
        )
    (users, row), (items, column) = (np.unique(of[stays], return_inverse=True) for of in (user, item))
    gone = (
        f"{len(log.users) - len(users):,} users, {len(log.items) - len(items):,} items and {int((~stays).sum()):,} interactions"
    )
    warnings.warn(f"min_user={min_user}, min_item={min_item}: {gone} are left out", UserWarning, stacklevel=5)
    matrix = csr(log.matrix.data[stays], column, indptr_of(np.bincount(row)), (len(users), len(items)))
    tally = replace(log.tally, users=len(users), items=len(items), interactions=matrix.nnz)
    times = None if log.times is None else log.times[stays]
    left_out = None if seen == "learnt" else UserItems.of(log.users.take(user[~stays]), log.items.take(item[~stays]))
    also_seen = together(log.also_seen, left_out)
    known_users, known_items = Ids(log.users.take(users)), Ids(log.items.take(items))
    return replace(log, users=known_users, items=known_items, matrix=matrix, times=times, tally=tally, also_seen=also_seen)


def supported(user: Positions, item: Positions, min_user: int, min_item: int) -> np.ndarray:
    """Which interactions (n,) stay, when others are left out again and again until both counts hold."""
    stays = np.ones(len(user), bool)
    while True:
        users, items = np.bincount(user[stays], minlength=user.max() + 1), np.bincount(item[stays], minlength=item.max() + 1)
        still = stays & (users[user] >= min_user) & (items[item] >= min_item)
        if still.sum() == stays.sum():
            return stays
        stays = still

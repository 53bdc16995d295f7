"""Questions about a single user and a single item."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from vaehub import UsageError, hints
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.query import Query, are_histories, is_single_user, query_of


def single_query(given: Any, fitted: Fitted) -> Query:
    """One known user, or one history: also a bare list of items. Raises UsageError for none or several."""
    if not is_single_user(given, fitted.users) and not are_histories(given, fitted.users):
        given = [list(given)]
    query = query_of(given, fitted)
    if len(query) != 1:
        raise UsageError(f"{len(query)} users given; give one user, or the items of one")
    return query


def item_position(given: Any, fitted: Fitted) -> int:
    """The position of an item. Raises UsageError where the model does not know it."""
    at = int(fitted.items.positions([given])[0])
    if at < 0:
        raise UsageError(f"item {hints.quoted(given)} is unknown to the model, which knows {len(fitted.items):,}")
    return at


def item_positions(given: Any, fitted: Fitted) -> np.ndarray:
    """The positions of items, or of one. Raises UsageError where the model does not know one of them, and for none."""
    bare = isinstance(given, str | bytes | tuple) or not isinstance(given, Iterable)
    items = [given] if bare else list(given)
    if not items:
        raise UsageError("items: none given; give the id of one item or more")
    return np.array([item_position(item, fitted) for item in items])

"""Questions about a single user and a single item."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from vaehub import UsageError, hints
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.query import Query, are_histories, is_single_user, query_of
from vaehub_recommender.tables.frames import pandas_of
from vaehub_recommender.tables.given_ids import given_ids, read_once, type_hint


def single_query(given: Any, fitted: Fitted) -> Query:
    """One known user, or one history: also a bare list of items. Raises UsageError for none or several."""
    given = read_once(given)
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
        hint = type_hint([given], fitted.items)
        raise UsageError(f"item {hints.quoted(given)} is unknown to the model, {hint or f'which knows {len(fitted.items):,}'}")
    return at


def item_positions(given: Any, fitted: Fitted) -> np.ndarray:
    """The positions of items, or of one. Raises UsageError where the model does not know one of them, and for none."""
    given = pandas_of("items", given)
    bare = isinstance(given, str | bytes) or not isinstance(given, Iterable)
    single = bare or (isinstance(given, tuple) and fitted.items.positions([given])[0] >= 0)
    items = [given] if single else given_ids("items", given, fitted.items, fitted.columns.item)
    if not items:
        raise UsageError("items: none given; give the id of one item or more")
    at = fitted.items.positions(items)
    if (at < 0).any():
        item_position(items[int((at < 0).argmax())], fitted)
    return at

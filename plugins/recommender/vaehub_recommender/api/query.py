"""Whom a question is about: known users, or histories."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_array, issparse
from torch import Tensor

from vaehub import UsageError, hints
from vaehub_recommender.api.described_users import are_described, described_users
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.tables import History, Ids, histories
from vaehub_recommender.tables.frames import ArrowColumn, is_foreign
from vaehub_recommender.tables.given_ids import read_once, refuse_mask, type_hint
from vaehub_recommender.tables.log import UserItems, union

NAMED = (pd.DataFrame, pd.Series, Mapping)  # forms in which histories come with the ids of their users
LISTS = (list, set, frozenset, np.ndarray, pd.Series, ArrowColumn, type(None))


@final
@dataclass(frozen=True)
class Query:
    """users (B,), their items (B, I), what else is known of them (B, S), and where they stand among the known users (B,), -1 for others.

    also_seen (B, I): what they have seen beside their items. blocked (B, I): what may never be shown to them.
    """

    users: pd.Index[Any]
    matrix: csr_array
    side: Tensor | None
    positions: np.ndarray
    also_seen: csr_array | None = None
    blocked: csr_array | None = None

    def __len__(self) -> int:
        return len(self.users)

    def part(self, rows: slice) -> Query:
        """Some rows."""
        if rows.start == 0 and rows.stop == len(self):
            return self
        side, also_seen, blocked = (None if part is None else part[rows] for part in (self.side, self.also_seen, self.blocked))
        return Query(self.users[rows], self.matrix[rows], side, self.positions[rows], also_seen, blocked)

    def with_blocked(self, blocked: UserItems | None) -> Query:
        """The same users, to whom these items may never be shown."""
        return self if blocked is None else replace(self, blocked=blocked.rows(self.users))

    def ruled_out(self, exclude_seen: bool) -> csr_array | None:
        """What may not be on the lists (B, I): what is blocked, and what was seen unless that may come again."""
        return union([self.matrix, self.also_seen, self.blocked] if exclude_seen else [self.blocked])

    @property
    def described(self) -> np.ndarray:
        """Of whom features are known, and nothing else (B,)."""
        found: np.ndarray = (np.diff(self.matrix.indptr) == 0) & ~self.empty
        return found

    @property
    def empty(self) -> np.ndarray:
        """Of whom nothing is known at all (B,)."""
        nothing: np.ndarray = np.diff(self.matrix.indptr) == 0
        return nothing if self.side is None else nothing & (self.side == 0).all(1).numpy()


def query_of(given: Any, fitted: Fitted) -> Query:
    """The rows for users or histories, of all known users by default. Unknown items are left out, with one warning.

    Raises UsageError for a user who is not known, and for what is neither.
    """
    if are_described(given, fitted):
        ids, nothing, side = described_users(given, fitted)
        return Query(ids, nothing, side, np.full(len(ids), -1))
    if given is None:
        return query_of_known(np.arange(len(require_users(fitted).users)), fitted)
    given = read_once(given)
    if are_histories(given, fitted.users):
        return query_of_histories(given, fitted)
    users = [given] if is_single_user(given, fitted.users) else list(given)
    refuse_mask("users", users, fitted.users)
    return query_of_known(user_positions(users, fitted), fitted)


def query_of_known(at: np.ndarray, fitted: Fitted) -> Query:
    """Known users with their stored items."""
    everyone = len(at) == len(fitted.users) and bool((at == np.arange(len(at))).all())
    matrix = fitted.log.matrix if everyone else fitted.log.matrix[at]
    side = None if fitted.side is None else fitted.side[torch.from_numpy(at)]
    also_seen = fitted.also_seen_by_known
    if also_seen is not None and not everyone:
        also_seen = also_seen[at]
    return Query(fitted.users.take(at), matrix, side, at, also_seen)


def query_of_histories(given: Any, fitted: Fitted) -> Query:
    """Histories as they are given, also of known users; what else is known of these is used."""
    found = histories(given, fitted.items, fitted.columns, fitted.codec.decay)
    warn_of_unknown_items(found, fitted.items)
    if isinstance(given, NAMED) or is_foreign(given):
        return query_of_named(found, fitted)
    nobody = np.full(len(found), -1)
    return Query(found.users, found.matrix, side_of(nobody, fitted.side), nobody, found.also_seen)


def query_of_named(found: History, fitted: Fitted) -> Query:
    """Histories of users with ids; what else is known of these users is used, and so is what they have seen beside their items."""
    positions = fitted.users.positions(found.users)
    stored = None if fitted.also_seen is None else fitted.also_seen.rows(found.users)
    return Query(found.users, found.matrix, side_of(positions, fitted.side), positions, union([found.also_seen, stored]))


def side_of(positions: np.ndarray, side: Tensor | None) -> Tensor | None:
    """What is known of users at these positions, nothing where they are -1: (B, S)."""
    if side is None:
        return None
    rows = side[torch.from_numpy(positions.clip(0))]
    return rows * torch.from_numpy(positions >= 0)[:, None]


def are_histories(given: Any, users: Ids) -> bool:
    """Whether these are lists of items, and not ids of users."""
    if isinstance(given, pd.DataFrame | Mapping) or issparse(given) or is_foreign(given):
        return True
    if is_single_user(given, users):
        return False
    for one in given:
        if one is not None:
            return is_list_of_items(one, users)
    if len(given):
        raise UsageError(
            f"users: {len(given):,} times None; give ids or lists of items, [] for somebody of whom nothing is known"
        )
    return False


def is_list_of_items(one: Any, users: Ids) -> bool:
    """Whether one of several things is a list of items, and not the id of a user."""
    if isinstance(one, tuple):
        return bool(users.positions([one])[0] < 0)
    return isinstance(one, (*LISTS, Iterator))


def is_single_user(given: Any, users: Ids) -> bool:
    """Whether this is the id of one user."""
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        return True
    return isinstance(given, tuple) and isinstance(given, Hashable) and bool(users.positions([given])[0] >= 0)


def user_positions(users: list[Any], fitted: Fitted) -> np.ndarray:
    """Where users stand. Raises UsageError that names the first who is not known."""
    at = require_users(fitted).users.positions(users) if users else np.zeros(0, np.int64)
    if (at < 0).any():
        missing = users[int((at < 0).argmax())]
        hint = type_hint([user for user, place in zip(users, at.tolist(), strict=True) if place < 0], fitted.users)
        remedy = hint or f"for others give their items, as in {{{missing!r}: [items, …]}}"
        raise UsageError(f"user {hints.quoted(missing)} is not known ({int((at < 0).sum())} of {len(at)} are not); {remedy}")
    return at


def require_users(fitted: Fitted) -> Fitted:
    """The same, if it knows users. Raises UsageError where their interactions are not at hand."""
    if not len(fitted.users):
        raise UsageError(
            "this model knows no users: the table that it was trained on is not at hand; give histories, such as {user: [items, …]}"
        )
    return fitted


def warn_of_unknown_items(found: History, items: Ids) -> None:
    """Say how many items were left out, and whether the model knows them under another type."""
    count, rows = int(found.unknown.sum()), int((found.unknown > 0).sum())
    if count:
        hint = type_hint(found.strangers, items)
        what = f"{count:,} {'item' if count == 1 else 'items'} in {rows:,} {'history' if rows == 1 else 'histories'}"
        said = f"{what} {'is' if count == 1 else 'are'} unknown to the model and left out{hint and '; '}{hint}"
        warnings.warn(said, UserWarning, stacklevel=5)

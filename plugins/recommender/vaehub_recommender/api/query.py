"""Whom a question is about: known users, or histories."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_array, issparse
from torch import Tensor

from vaehub import UsageError, arguments, hints
from vaehub_recommender.api.described_users import are_described, described_users
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.tables import Ids, histories

NAMED = (pd.DataFrame, pd.Series, Mapping)  # forms in which histories come with the ids of their users
LISTS = (list, set, frozenset, np.ndarray, pd.Series, type(None))


@final
@dataclass(frozen=True)
class Query:
    """users (B,), their items (B, I), what else is known of them (B, S), and where they stand among the known users (B,), -1 for others."""

    users: pd.Index[Any]
    matrix: csr_array
    side: Tensor | None
    positions: np.ndarray

    def __len__(self) -> int:
        return len(self.users)

    def part(self, rows: slice) -> Query:
        """Some rows."""
        if rows.start == 0 and rows.stop == len(self):
            return self
        return Query(self.users[rows], self.matrix[rows], None if self.side is None else self.side[rows], self.positions[rows])

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
    if are_histories(given, fitted.users):
        return query_of_histories(given, fitted)
    users = [given] if is_single_user(given, fitted.users) else list(given)
    return query_of_known(user_positions(users, fitted), fitted)


def query_of_known(at: np.ndarray, fitted: Fitted) -> Query:
    """Known users with their stored items."""
    everyone = len(at) == len(fitted.users) and bool((at == np.arange(len(at))).all())
    matrix = fitted.log.matrix if everyone else fitted.log.matrix[at]
    side = None if fitted.side is None else fitted.side[torch.from_numpy(at)]
    return Query(fitted.users.take(at), matrix, side, at)


def query_of_histories(given: Any, fitted: Fitted) -> Query:
    """Histories as they are given, also of known users; what else is known of these is used."""
    found = histories(given, fitted.items, fitted.columns, fitted.codec.decay)
    warn_of_unknown_items(found.unknown)
    positions = fitted.users.positions(found.users) if isinstance(given, NAMED) else np.full(len(found), -1)
    return Query(found.users, found.matrix, side_of(positions, fitted.side), positions)


def side_of(positions: np.ndarray, side: Tensor | None) -> Tensor | None:
    """What is known of users at these positions, nothing where they are -1: (B, S)."""
    if side is None:
        return None
    rows = side[torch.from_numpy(positions.clip(0))]
    return rows * torch.from_numpy(positions >= 0)[:, None]


def are_histories(given: Any, users: Ids) -> bool:
    """Whether these are lists of items, and not ids of users."""
    if isinstance(given, pd.DataFrame | Mapping) or issparse(given):
        return True
    if is_single_user(given, users):
        return False
    for one in given:
        if one is not None:
            return isinstance(one, LISTS) or (isinstance(one, tuple) and users.positions([one])[0] < 0)
    return len(given) > 0


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
        raise UsageError(
            f"user {hints.quoted(missing)} is not known ({int((at < 0).sum())} of {len(at)} are not); for others give their items, as in "
            f"{{{missing!r}: [items, …]}}"
        )
    return at


def require_users(fitted: Fitted) -> Fitted:
    """The same, if it knows users. Raises UsageError where their interactions are not at hand."""
    if not len(fitted.users):
        raise UsageError(
            "this model knows no users: the table that it was trained on is not at hand; give histories, such as {user: [items, …]}"
        )
    return fitted


def warn_of_unknown_items(unknown: np.ndarray) -> None:
    """Say how many items were left out."""
    if unknown.sum():
        rows = int((unknown > 0).sum())
        warnings.warn(
            f"{int(unknown.sum()):,} items in {rows:,} histories are unknown to the model and were left out",
            UserWarning,
            stacklevel=5,
        )


def require_frame(name: str, value: object) -> pd.DataFrame:
    """A DataFrame. Raises UsageError for anything else, and says how a file becomes one."""
    if not isinstance(value, pd.DataFrame):
        hint = "; read the file first, with pandas.read_csv or read_parquet" if isinstance(value, str | Path) else ""
        raise UsageError(f"{arguments.wrong_argument(name, value, 'a pandas DataFrame')}{hint}")
    return value

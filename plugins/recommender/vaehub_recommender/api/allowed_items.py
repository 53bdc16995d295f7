"""Which items may be shown, and to whom: candidates, blocks, filters by attribute, windows of time.

Letters of shapes: B users, I items.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from vaehub import UsageError, hints
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.rank import csr_tensor
from vaehub_recommender.rules import ItemTable, time_of
from vaehub_recommender.tables import Columns, History, Ids, histories
from vaehub_recommender.tables.columns import USER, with_usual_names
from vaehub_recommender.tables.frames import Frame, as_frame, pandas_of
from vaehub_recommender.tables.given_ids import given_ids, known_positions, require_known, type_hint
from vaehub_recommender.tables.lists import holds_lists
from vaehub_recommender.tables.log import UserItems

Items: TypeAlias = "Iterable[Any] | Mapping[Any, Iterable[Any]] | pd.DataFrame | None"
Bools: TypeAlias = NDArray[np.bool_]


@final
@dataclass(frozen=True)
class Rules:
    """What a caller asks for.

    Arguments:
        candidates: nothing but these items, for all users or by user.
        block: none of these items, for all users or by user.
        filter: an expression over columns of items, see `rules.passing`.
        available: a table of item, from and until; by default such columns of the items' own table, where a moment is given.
        at: the moment in which items are to be available; by default now, where such a table is given.
    """

    candidates: Items = None
    block: Items = None
    filter: str | None = None
    available: Frame | None = None
    at: Any = None


@final
@dataclass(frozen=True)
class AllowedItems:
    """Nothing but these: positions (n,) for all users or a matrix (B, I) for each; None: everything. blocked: by user."""

    columns: Tensor | None = None
    matrix: csr_array | None = None
    blocked: UserItems | None = None

    def part(self, rows: slice) -> Tensor | None:
        """As `rank.top` takes it, for some of the users."""
        return self.columns if self.matrix is None else csr_tensor(self.matrix[rows])


def allowed_items(rules: Rules, users: pd.Index[Any], fitted: Fitted) -> AllowedItems:
    """What rules leave for users (B,). Items that the model does not know are left out with a warning.

    Raises UsageError where it knows none of the candidates or blocked items, for a user without candidates, and for what is none of these.
    """
    free, blocked = passing_items(rules, fitted), None
    if is_by_user(rules.block, fitted.columns):
        blocked = blocked_by_user(rules.block, users, fitted)
    elif rules.block is not None and (listed := given_ids("block", rules.block, fitted.items, fitted.columns.item)):
        free[known_positions("block", listed, fitted.items)] = False
    if is_by_user(rules.candidates, fitted.columns):
        return AllowedItems(matrix=candidates_by_user(rules.candidates, users, free, fitted), blocked=blocked)
    if rules.candidates is not None:
        listed = given_ids("candidates", rules.candidates, fitted.items, fitted.columns.item)
        at = np.unique(known_positions("candidates", listed, fitted.items))
        return AllowedItems(torch.from_numpy(at[free[at]]), blocked=blocked)
    return AllowedItems(None if free.all() else torch.from_numpy(np.flatnonzero(free)), blocked=blocked)


def allowed_for_all(rules: Rules, fitted: Fitted) -> Tensor | None:
    """The positions of the items that rules leave where there are no users to tell apart. Raises UsageError for items by user."""
    for name, given in (("candidates", rules.candidates), ("block", rules.block)):
        if is_by_user(given, fitted.columns):
            raise UsageError(f"{name}: items by user, and there are no users here; give a list of items")
    return allowed_items(rules, pd.RangeIndex(0), fitted).columns


def passing_items(rules: Rules, fitted: Fitted) -> Bools:
    """Which items the filter lets pass and are available (I,), with a warning where none is left."""
    free = np.ones(len(fitted.items), bool)
    if rules.filter is not None:
        free &= required_table(fitted, "filter").passing(rules.filter)
    windows = windows_of(rules, fitted)
    if windows is not None:
        free &= windows.available(time_of("now" if rules.at is None else rules.at))
    if not free.any():
        warnings.warn("no item passes the filter and is available: all lists are empty", UserWarning, stacklevel=4)
    return free


def windows_of(rules: Rules, fitted: Fitted) -> ItemTable | None:
    """When items are available, where that is asked for."""
    if rules.available is not None:
        frame = as_frame("available", rules.available)
        table = ItemTable.of(frame, fitted.columns.item, fitted.items)
        listed = given_ids("available", frame, fitted.items, fitted.columns.item)
        known_positions("available", listed, fitted.items)
        return table
    if rules.at is None:
        return None
    table = required_table(fitted, "at")
    if not table.has_windows:
        raise UsageError("at: the items have no columns from and until; give available=, a table of item, from and until")
    return table


def required_table(fitted: Fitted, name: str) -> ItemTable:
    """What is known of the items. Raises UsageError where nothing is."""
    if fitted.item_table is None:
        raise UsageError(
            f"{name}: nothing is known of the items; give fit(…, items=), a table with a row for each (domain.items=FILE)"
        )
    return fitted.item_table


def is_by_user(given: Any, columns: Columns) -> bool:
    """Whether items are given for each user apart: {user: items}, a Series of lists, or a frame with a column of users."""
    given = pandas_of("items", given)
    if isinstance(given, pd.DataFrame):
        return user_column(given, columns) is not None
    return isinstance(given, Mapping) or (isinstance(given, pd.Series) and holds_lists(given))


def user_column(frame: pd.DataFrame, columns: Columns) -> str | None:
    """The column of users: called as in training, or by a usual name."""
    names = list(frame.columns)
    return columns.user if columns.user in names else next(iter(with_usual_names(names, USER)), None)


def lists_by_user(name: str, given: Any, fitted: Fitted) -> History:
    """The items of each user. Items that the model does not know are left out with a warning. Raises UsageError where it knows none."""
    columns, given = Columns(), pandas_of(name, given)
    if isinstance(given, pd.DataFrame):
        columns = Columns(
            user_column(given, fitted.columns), fitted.columns.item if fitted.columns.item in given.columns else None
        )
    try:
        found = histories(given, fitted.items, columns)
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None
    unknown = int(found.unknown.sum())
    if unknown:
        require_known(name, found.strangers, found.matrix.nnz + unknown, fitted.items, unknown)
    return found


def blocked_by_user(given: Any, users: pd.Index[Any], fitted: Fitted) -> UserItems | None:
    """What may never be shown to each user. Raises UsageError where none of its users is known or asked for."""
    found = lists_by_user("block", given, fitted)
    require_users_asked_for(found.users, users, fitted)
    return UserItems.of_rows(Ids(found.users), fitted.items, found.matrix) if len(found) else None


def require_users_asked_for(named: pd.Index[Any], users: pd.Index[Any], fitted: Fitted) -> None:
    """Warn of users who are neither asked for nor known. Raises UsageError where all are: it would block nothing."""
    asked = Ids.of(users)
    strange = named[(asked.positions(named) < 0) & (fitted.users.positions(named) < 0)].tolist()
    if not strange:
        return
    hint = (
        type_hint(strange, asked)
        or type_hint(strange, fitted.users)
        or "give users as they are in the training table, or as they are asked for"
    )
    said = f"block: {len(strange):,} of {len(named):,} users are not known ({hints.quoted(strange[0])}{', …' if len(strange) > 1 else ''}); {hint}"
    if len(strange) == len(named):
        raise UsageError(said)
    warnings.warn(said, UserWarning, stacklevel=4)


def candidates_by_user(given: Any, users: pd.Index[Any], free: Bools, fitted: Fitted) -> csr_array:
    """The candidates of each user as cells (B, I). Raises UsageError for a user who has none."""
    found = lists_by_user("candidates", given, fitted)
    at = Ids(found.users).positions(users)
    absent = users[at < 0].tolist()
    if absent:
        hint = type_hint(found.users, Ids.of(users)) or "give each user some"
        raise UsageError(f"candidates: none for user {absent[0]!r} ({len(absent)} of {len(users)} have none); {hint}")
    matrix = found.matrix[at]
    matrix.data = free[matrix.indices].astype(np.float32)
    matrix.eliminate_zeros()
    return matrix

"""Which items a user wants to be chosen from.

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
from scipy.sparse import csr_array
from torch import Tensor

from vaehub import UsageError, arguments, hints
from vaehub_recommender.rank import csr_tensor
from vaehub_recommender.tables import Ids, histories

Candidates: TypeAlias = "Iterable[Any] | Mapping[Any, Iterable[Any]] | None"
EXAMPLES = 3  # of the unknown candidates are named


@final
@dataclass(frozen=True)
class AllowedItems:
    """Nothing but these: positions (n,) for all users or a matrix (B, I) for each; None: everything."""

    columns: Tensor | None = None
    matrix: csr_array | None = None

    def part(self, rows: slice) -> Tensor | None:
        """As `rank.top` takes it, for some of the users."""
        return self.columns if self.matrix is None else csr_tensor(self.matrix[rows])


def allowed_items(candidates: Candidates, block: Iterable[Any] | None, users: pd.Index[Any], items: Ids) -> AllowedItems:
    """Candidates for all users, or {user: candidates}, less the blocked items. Unknown ones are left out with a warning.

    Raises UsageError where none of them is known, and for a user without candidates.
    """
    free = not_blocked(block, items)
    if candidates is None:
        return AllowedItems() if block is None else AllowedItems(torch.from_numpy(np.flatnonzero(free)))
    if isinstance(candidates, Mapping):
        return AllowedItems(matrix=allowed_matrix(candidates, users, items, free))
    at = np.unique(known_positions(as_list("candidates", candidates), items))
    return AllowedItems(torch.from_numpy(at[free[at]]))


def not_blocked(block: Iterable[Any] | None, items: Ids) -> np.ndarray:
    """Which items may be shown (I,); what is blocked and unknown cannot be shown anyway."""
    free = np.ones(len(items), bool)
    if block is not None:
        at = items.positions(as_list("block", block))
        free[at[at >= 0]] = False
    return free


def as_list(name: str, given: object) -> list[Any]:
    """Items as a list; a lone word, which would be taken apart into its letters, is refused."""
    if not isinstance(given, Iterable) or isinstance(given, str | bytes):
        raise arguments.wrong_argument(name, given, "a list of items")
    return list(given)


def known_positions(candidates: list[Any], items: Ids) -> np.ndarray:
    """The positions of the candidates that the model knows."""
    at = items.positions(candidates) if candidates else np.zeros(0, np.int64)
    require_known([c for c, place in zip(candidates, at, strict=True) if place < 0], len(at))
    return at[at >= 0]


def allowed_matrix(candidates: Mapping[Any, Iterable[Any]], users: pd.Index[Any], items: Ids, free: np.ndarray) -> csr_array:
    """The candidates of each user as cells (B, I)."""
    absent = [user for user in users if user not in candidates]
    if absent:
        raise UsageError(
            f"candidates: none for user {absent[0]!r} ({len(absent)} of {len(users)} have none); give each user some"
        )
    lists = [list(candidates[user]) for user in users]
    found = histories(lists, items)
    if found.unknown.sum():
        at = [item for row in lists for item, place in zip(row, items.positions(row), strict=True) if place < 0]
        require_known(at, sum(map(len, lists)))
    matrix = found.matrix
    matrix.data = free[matrix.indices].astype(np.float32)
    matrix.eliminate_zeros()
    return matrix


def require_known(unknown: list[Any], count: int) -> None:
    """Warn of candidates that the model does not know. Raises UsageError where it knows none."""
    if not count or len(unknown) == count:
        raise UsageError(
            f"candidates: the model knows none of {count} ({example_ids(unknown)}); give ids as they are in the training table"
        )
    if unknown:
        warnings.warn(
            f"candidates: {len(unknown)} of {count} are unknown to the model and left out ({example_ids(unknown)})",
            UserWarning,
            stacklevel=6,
        )


def example_ids(unknown: list[Any]) -> str:
    """Some of them."""
    return ", ".join(map(hints.quoted, unknown[:EXAMPLES])) + (", …" if len(unknown) > EXAMPLES else "") or "no candidates given"

"""Users' items as rows for the engine: CSR on the training device, from which batches are cut without a loop or a dense matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from vaehub import Batch, Data, sparse


@final
@dataclass(frozen=True)
class InteractionFacts:
    """What the plugin's parts ask of rows: item_features (I, F), and the targets (U, I) that the lists of each user are to hold."""

    item_features: Tensor | None = None
    targets: csr_array | None = None


@final
class Interactions(Data):
    """U users x I items: row u has items[indptr[u]:indptr[u + 1]] with these weights.

    Arguments:
        indptr: (U + 1,) int64, so that there may be more than 2^31 interactions.
        items: (n,) positions of the items, sorted within a row.
        weights: (n,) their weights.
        columns: I.
        side: (U, S) what else is known of the users.
        history: give the row to the decoder as well, in the last I columns of cond.

    Example:
        >>> from scipy.sparse import csr_array
        >>> rows = Interactions.of(csr_array([[1.0, 0, 1], [0, 1, 0]]))
        >>> batch = rows[torch.tensor([1, 0])]
        >>> batch.x.to_dense().tolist()
        [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]
        >>> rows.popularity().tolist()
        [1, 1, 1]
    """

    def __init__(
        self, indptr: Tensor, items: Tensor, weights: Tensor, columns: int, side: Tensor | None = None, history: bool = False
    ) -> None:
        self.indptr, self.items, self.weights, self.columns = indptr, items, weights, columns
        self.side, self.history = side, history

    @staticmethod
    def of(matrix: Any, side: Tensor | None = None, history: bool = False) -> Interactions:
        """The rows of a scipy CSR array (U, I) with sorted columns."""
        return Interactions(
            torch.from_numpy(np.asarray(matrix.indptr, np.int64)),
            torch.from_numpy(np.asarray(matrix.indices, np.int32)),
            torch.from_numpy(np.asarray(matrix.data, np.float32)),
            matrix.shape[1],
            side,
            history,
        )

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def __getitem__(self, index: Tensor) -> Batch:
        crow, at = sparse.rows_at(self.indptr, index)
        x = sparse.csr(crow.int(), self.items[at], self.weights[at], self.columns)
        side = None if self.side is None else self.side[index]
        return Batch(x, join_condition(side, x) if self.history else side)

    def popularity(self) -> Tensor:
        """How many users have each item: (I,)."""
        return self.items.long().bincount(minlength=self.columns)

    def matrix(self) -> csr_array:
        """The rows as a scipy CSR array (U, I)."""
        parts = (t.cpu().numpy() for t in (self.weights, self.items, self.indptr))
        return csr_array(tuple(parts), shape=(len(self), self.columns))

    def to(self, device: torch.device | str) -> Interactions:
        """The same rows on another device."""
        side = None if self.side is None else self.side.to(device)
        indptr, items, weights = (t.to(device) for t in (self.indptr, self.items, self.weights))
        moved = Interactions(indptr, items, weights, self.columns, side, self.history)
        moved.facts = self.facts
        return moved


def join_condition(side: Tensor | None, history: Tensor) -> Tensor:
    """cond (B, S + I): what is known of the users, and their items."""
    if side is None:
        return history
    crow, width = history.crow_indices(), side.shape[1]
    index = torch.arange(len(side), device=side.device)
    at = torch.cat([index.repeat_interleave(width), index.repeat_interleave(crow.diff())]).argsort(stable=True)
    columns = torch.cat([torch.arange(width, device=side.device).repeat(len(side)), history.col_indices() + width])[at]
    values = torch.cat([side.flatten(), history.values()])[at]
    return sparse.csr(
        crow + width * torch.arange(len(crow), device=side.device, dtype=crow.dtype),
        columns.int(),
        values,
        width + history.shape[1],
    )


def split_condition(cond: Tensor | None, items: int) -> tuple[Tensor | None, Tensor | None]:
    """What is known of the users (B, S) and their items (B, I), each where cond has it: the inverse of `join_condition`."""
    if cond is None or cond.shape[1] < items:
        return cond, None
    width = cond.shape[1] - items
    if not sparse.is_sparse(cond):
        return cond[:, :width] if width else None, cond[:, width:].to_sparse_csr()
    if not width:
        return None, cond
    crow, col = cond.crow_indices(), cond.col_indices()
    known = col < width
    side = cond.values()[known].view(len(cond), width)
    crow = crow - width * torch.arange(len(crow), device=crow.device, dtype=crow.dtype)
    return side, sparse.csr(crow, col[~known] - width, cond.values()[~known], items)


def side_width(cond: int, items: int) -> int:
    """How many columns of a condition say what is known of the user, its history apart."""
    return cond - items if cond >= items else cond

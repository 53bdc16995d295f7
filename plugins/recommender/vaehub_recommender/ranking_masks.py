"""Which items may be shown to whom, applied to a block of scores at a time.

Letters of shapes: B rows, I items, W width of a block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from vaehub import sparse

NEVER = float("-inf")  # the score of an item that may not be shown


@final
@dataclass(frozen=True)
class Cells:
    """The cells (row, column) of a sparse matrix (B, I)."""

    rows: Tensor
    columns: Tensor

    @staticmethod
    def of(matrix: Tensor) -> Cells:
        """The cells of a CSR matrix."""
        return Cells(sparse.row_of(matrix.crow_indices()), matrix.col_indices().long())

    def within(self, start: int, width: int) -> tuple[Tensor, Tensor]:
        """Those in the block of columns, counted from its start."""
        if start == 0 and (not len(self.columns) or int(self.columns.max()) < width):
            return self.rows, self.columns
        inside = (self.columns >= start) & (self.columns < start + width)
        return self.rows[inside], self.columns[inside] - start

    def without(self, block: Tensor, start: int) -> Tensor:
        """The block (B, W) at `start`, which is overwritten, with these cells ruled out."""
        return block.index_put_(self.within(start, block.shape[1]), block.new_tensor(NEVER))

    def only(self, block: Tensor, start: int) -> Tensor:
        """The block (B, W) at `start` with all but these cells ruled out."""
        cells = self.within(start, block.shape[1])
        return torch.full_like(block, NEVER).index_put_(cells, block[cells])


@final
@dataclass(frozen=True)
class AllowedColumns:
    """Columns to choose from, the same for every row: closed (I,) says which are not."""

    closed: Tensor

    @staticmethod
    def of(positions: Tensor, items: int) -> AllowedColumns:
        """The columns at some positions (n,) among all items."""
        closed = torch.ones(items, dtype=torch.bool, device=positions.device)
        closed[positions] = False
        return AllowedColumns(closed)

    def only(self, block: Tensor, start: int) -> Tensor:
        """The block (B, W) at `start`, which is overwritten, with all other columns ruled out."""
        return block.masked_fill_(self.closed[start : start + block.shape[1]], NEVER)


@final
@dataclass(frozen=True)
class Mask:
    """What a ranking rules out: cells that were seen, and all but what is allowed."""

    seen: Cells | None
    allowed: Cells | AllowedColumns | None

    @staticmethod
    def of(seen: Tensor | None, allowed: Tensor | None, items: int) -> Mask:
        """seen: CSR (B, I). allowed: positions (n,), or CSR (B, I)."""
        cells = None if seen is None else Cells.of(seen)
        if allowed is None:
            return Mask(cells, None)
        return Mask(cells, Cells.of(allowed) if sparse.is_sparse(allowed) else AllowedColumns.of(allowed, items))

    def __call__(self, block: Tensor, start: int) -> Tensor:
        """The scores (B, W) of the block at `start`, which is overwritten, -inf where nothing may be shown."""
        if self.allowed is not None:
            block = self.allowed.only(block, start)
        return block if self.seen is None else self.seen.without(block, start)

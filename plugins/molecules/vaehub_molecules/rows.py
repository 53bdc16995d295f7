"""Molecules as rows of symbols, kept small, with what conditions them and what is predicted of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from vaehub.base import Batch, Data


@final
class Rows(Data):
    """Rows x (N, T) of symbols; `symbols` says what they spell, `smiles` whence they came."""

    def __init__(
        self, x: Tensor, symbols: Sequence[str], smiles: Sequence[str] = (), cond: Tensor | None = None, y: Tensor | None = None
    ) -> None:
        self.x, self.symbols, self.smiles, self.cond, self.y = x, symbols, smiles, cond, y
        self.lengths: Tensor = (x != 0).sum(1).cpu()

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: Tensor) -> Batch:
        cond, y = (None if t is None else t.index_select(0, index) for t in (self.cond, self.y))
        return Batch(self.x.index_select(0, index).long(), cond, None, y)

    def to(self, device: torch.device | str) -> Rows:
        """The same rows on another device."""
        cond, y = (None if t is None else t.to(device) for t in (self.cond, self.y))
        return Rows(self.x.to(device), self.symbols, self.smiles, cond, y)

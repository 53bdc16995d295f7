"""Molecules as rows of symbols, kept small, with what conditions them and what is predicted of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from vaehub import Batch, Data


@final
@dataclass(frozen=True)
class MoleculeFacts:
    """What the plugin's parts ask of rows: what their symbols spell, and the SMILES that they came from."""

    symbols: Sequence[str]
    smiles: Sequence[str]


@final
class MoleculeRows(Data):
    """Rows x (N, T) of symbols; `symbols` says what they spell, `smiles` whence they came."""

    facts: MoleculeFacts

    def __init__(
        self, x: Tensor, symbols: Sequence[str], smiles: Sequence[str] = (), cond: Tensor | None = None, y: Tensor | None = None
    ) -> None:
        self.x, self.cond, self.y = x, cond, y
        self.facts = MoleculeFacts(symbols, smiles)
        self.lengths: Tensor = (x != 0).sum(1).cpu()

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: Tensor) -> Batch:
        cond, y = (None if t is None else t.index_select(0, index) for t in (self.cond, self.y))
        return Batch(self.x.index_select(0, index).long(), cond, None, y)

    def to(self, device: torch.device | str) -> MoleculeRows:
        """The same rows on another device."""
        cond, y = (None if t is None else t.to(device) for t in (self.cond, self.y))
        return MoleculeRows(self.x.to(device), self.facts.symbols, self.facts.smiles, cond, y)

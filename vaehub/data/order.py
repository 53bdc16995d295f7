"""The order in which rows are visited: a function of seed, epoch and rank."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from vaehub.base import Data
from vaehub.data.seeds import derive_seed
from vaehub.errors import UsageError

POOL = 50  # batches among which rows of like length find each other


@dataclass
class Order:
    """The batches of row numbers that one process visits in an epoch: a function of (seed, epoch, rank) alone.

    In training no batch is a single row where that can be helped, since batch norm has no deviation of one: it joins the one before.
    """

    data: Data
    batch_size: int
    seed: int = 0
    shuffle: bool = True
    balanced: bool = False
    epoch: Callable[[], int] = lambda: 0
    rank: int = 0
    world: int = 1

    def __len__(self) -> int:
        return -(-self._per_rank() // self.batch_size) - self._joins(self._per_rank())

    def __iter__(self) -> Iterator[Tensor]:
        mine = self._mine(self.permutation(self.epoch()))
        if self.shuffle and self.data.lengths is not None:
            yield from self._alike(mine, self.data.lengths)
        else:
            yield from self._joined(list(mine.split(self.batch_size)))

    def permutation(self, epoch: int) -> Tensor:
        """All row numbers (N,) in the order of this epoch."""
        n = len(self.data)
        if not self.shuffle:
            return torch.arange(n)
        generator = torch.Generator().manual_seed(derive_seed("order", self.seed, epoch))
        if not self.balanced:
            return torch.randperm(n, generator=generator)
        return torch.multinomial(self._class_weights(), n, replacement=True, generator=generator)

    def _alike(self, order: Tensor, lengths: Tensor) -> list[Tensor]:
        """Batches of rows of like length, in random order: within every `POOL` batches rows are sorted by length."""
        pools = order.split(POOL * self.batch_size)
        batches = self._joined([b for pool in pools for b in pool[lengths[pool].argsort(stable=True)].split(self.batch_size)])
        generator = torch.Generator().manual_seed(derive_seed("alike", self.seed, self.epoch(), self.rank))
        return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]

    def _joins(self, rows: int) -> bool:
        """Whether the last of so many rows would be a batch of its own, and there is one before it to join."""
        return self.shuffle and rows > self.batch_size > 1 and rows % self.batch_size == 1

    def _joined(self, batches: list[Tensor]) -> list[Tensor]:
        """The batches, a last one of a single row joined to the one before."""
        if not self._joins(sum(map(len, batches))):
            return batches
        return [*batches[:-2], torch.cat(batches[-2:])]

    def _class_weights(self) -> Tensor:
        if self.data.labels is None:
            raise UsageError("train.balanced: this domain has no labels to balance; set train.balanced=false")
        labels = self.data.labels.cpu()
        wrong = (labels < 0) | (labels != labels.long())
        if bool(wrong.any()):
            row = int(wrong.nonzero()[0])
            raise UsageError(f"train.balanced: row {row} has the label {labels[row].item()}; labels are whole numbers from 0")
        labels = labels.long()
        return 1.0 / labels.bincount()[labels].double()

    def _per_rank(self) -> int:
        return -(-len(self.data) // self.world)

    def _mine(self, order: Tensor) -> Tensor:
        """This rank's share; in training the short ranks wrap around, so that all take as many steps."""
        if self.shuffle and self.world > 1:
            order = torch.cat([order, order[: self._per_rank() * self.world - len(order)]])
        return order[self.rank :: self.world]

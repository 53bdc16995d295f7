"""Rows in memory, and views of them."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import Tensor

from vaehub.base import Batch, Data
from vaehub.convert import as_mask, as_tensor
from vaehub.errors import UsageError
from vaehub.sparse import take


class TensorData(Data):
    """Rows that are tensors already.

    Arguments:
        x: rows (N, *shape), dense or CSR (N, D); booleans are taken as 0 and 1.
        cond: conditions (N, C).
        mask: True or 1 where x is observed, with N rows and broadcastable to x.
        labels: classes (N,), integers.
        y: what else is to be predicted from z (N, P).

    Raises:
        UsageError: one of them has another number of rows than x, or the mask holds more than 0 and 1.

    >>> data = TensorData(torch.arange(6.0).view(3, 2), labels=torch.tensor([0, 1, 0]))
    >>> data[torch.tensor([2])].x.tolist()
    [[4.0, 5.0]]
    """

    def __init__(
        self,
        x: Tensor,
        cond: Tensor | None = None,
        mask: Tensor | None = None,
        labels: Tensor | None = None,
        y: Tensor | None = None,
    ) -> None:
        for name, given in (("cond", cond), ("labels", labels), ("y", y)):
            if given is not None and len(given) != len(x):
                raise UsageError(f"{name}: {len(given):,} rows do not go with the {len(x):,} rows of x")
        batch = Batch(as_tensor(x), cond, None if mask is None else as_mask(mask), y)
        self.rows, self.labels = batch._replace(mask=batch.observed), labels

    def __len__(self) -> int:
        return len(self.rows.x)

    def __getitem__(self, index: Tensor) -> Batch:
        return self.rows.map(lambda t: take(t, index))

    def take(self, index: Tensor) -> TensorData:
        """Some of the rows alone, copied.

        Arguments:
            index: their numbers (B,).
        """
        x, cond, mask, y = self[index]
        return TensorData(x, cond, mask, None if self.labels is None else self.labels[index], y)

    def to(self, device: torch.device | str) -> TensorData:
        """The same rows on another device.

        Arguments:
            device: such as "cpu" or "cuda".
        """
        x, cond, mask, y = self.rows.to(device)
        return TensorData(x, cond, mask, self.labels, y)


class Subset(Data):
    """Some rows of other data, in an order of their own.

    Arguments:
        data: all the rows.
        index: numbers of those to take (M,).

    >>> half = Subset(TensorData(torch.arange(4.0).unsqueeze(1)), torch.tensor([3, 1]))
    >>> len(half), half[torch.tensor([0])].x.tolist()
    (2, [[3.0]])
    """

    def __init__(self, data: Data, index: Tensor) -> None:
        self.data, self.index, self.facts = data, index, data.facts
        self.labels = None if data.labels is None else data.labels[index]
        self.lengths = None if data.lengths is None else data.lengths[index]

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, index: Tensor) -> Batch:
        return self.data[self.index[index]]

    def to(self, device: torch.device | str) -> Subset:
        """The same rows on another device.

        Arguments:
            device: such as "cpu" or "cuda".
        """
        moved = copy.copy(self)
        moved.data, moved.index = self.data.to(device), self.index.to(device)
        return moved


class Conditioned(Data):
    """The rows of other data under another condition (N, C)."""

    def __init__(self, data: Data, cond: Tensor) -> None:
        self.data, self.cond, self.facts = data, cond, data.facts
        self.labels, self.lengths = data.labels, data.lengths

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: Tensor) -> Batch:
        return self.data[index]._replace(cond=self.cond.index_select(0, index))

    def to(self, device: torch.device | str) -> Conditioned:
        """The same rows on another device."""
        return Conditioned(self.data.to(device), self.cond.to(device))


def batches(data: Data, size: int, device: torch.device | str | None = None) -> Iterator[Batch]:
    """All rows in order, so many at a time.

    Arguments:
        data: the rows.
        size: rows in a batch; the last one may have fewer.
        device: to bring them to; None leaves them where they are.

    >>> [len(batch.x) for batch in batches(TensorData(torch.zeros(5, 2)), 2)]
    [2, 2, 1]
    """
    for index in torch.arange(len(data)).split(size):
        batch = data[index]
        yield batch if device is None else batch.to(device)

"""Rows in memory, the order they are visited in, and random numbers that depend on nothing but their key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from vaehub.base import Batch, Data, Likelihood, Spec
from vaehub.errors import UsageError
from vaehub.sparse import stored

POOL = 50  # batches among which rows of like length find each other


def derive_seed(*key: int | str) -> int:
    """A 63-bit seed from a key such as (seed, epoch, step, rank): equal keys, equal noise."""
    return int.from_bytes(hashlib.blake2b(repr(key).encode(), digest_size=8).digest(), "big") >> 1


def reseed(*key: int | str) -> None:
    """Seed torch's global generators by `key`. torch.manual_seed would format three stack traces a call where there is no GPU."""
    seed = derive_seed(*key)
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)


@contextmanager
def seeded(*key: int | str) -> Iterator[None]:
    """Torch's global generators seeded by `key` inside the block and left as they were after it."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        reseed(*key)
        yield


class TensorData(Data):
    """Rows that are tensors already: x (N, *shape), cond (N, C), mask like x, labels (N,), y (N, P)."""

    def __init__(
        self,
        x: Tensor,
        cond: Tensor | None = None,
        mask: Tensor | None = None,
        labels: Tensor | None = None,
        y: Tensor | None = None,
    ) -> None:
        self.rows, self.labels = Batch(x, cond, mask, y), labels

    def __len__(self) -> int:
        return len(self.rows.x)

    def __getitem__(self, index: Tensor) -> Batch:
        return self.rows.map(lambda t: t.index_select(0, index))

    def to(self, device: torch.device | str) -> TensorData:
        """The same rows on another device."""
        x, cond, mask, y = self.rows.to(device)
        return TensorData(x, cond, mask, self.labels, y)


class Subset(Data):
    """The rows `index` of other data, in that order."""

    def __init__(self, data: Data, index: Tensor) -> None:
        self.data, self.index = data, index
        self.labels = None if data.labels is None else data.labels[index]
        self.lengths = None if data.lengths is None else data.lengths[index]

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, index: Tensor) -> Batch:
        return self.data[self.index[index]]

    def to(self, device: torch.device | str) -> Subset:
        """The same rows on another device."""
        moved = Subset(self.data.to(device), self.index)
        moved.index = self.index.to(device)
        return moved


class Conditioned(Data):
    """The rows of other data under another condition (N, C)."""

    def __init__(self, data: Data, cond: Tensor) -> None:
        self.data, self.cond, self.labels, self.lengths = data, cond, data.labels, data.lengths

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: Tensor) -> Batch:
        return self.data[index]._replace(cond=self.cond.index_select(0, index))

    def to(self, device: torch.device | str) -> Conditioned:
        """The same rows on another device."""
        return Conditioned(self.data.to(device), self.cond.to(device))


def batches(data: Data, size: int, device: torch.device | str | None = None) -> Iterator[Batch]:
    """All rows in order, `size` at a time."""
    for index in torch.arange(len(data)).split(size):
        batch = data[index]
        yield batch if device is None else batch.to(device)


@dataclass
class Order:
    """The batches of row numbers that one process visits in an epoch: a function of (seed, epoch, rank) alone."""

    data: Data
    batch_size: int
    seed: int = 0
    shuffle: bool = True
    balanced: bool = False
    epoch: Callable[[], int] = lambda: 0
    rank: int = 0
    world: int = 1

    def __len__(self) -> int:
        return -(-self._per_rank() // self.batch_size)

    def __iter__(self) -> Iterator[Tensor]:
        mine = self._mine(self.permutation(self.epoch()))
        if self.shuffle and self.data.lengths is not None:
            yield from self._alike(mine, self.data.lengths)
        else:
            yield from mine.split(self.batch_size)

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
        batches = [b for pool in pools for b in pool[lengths[pool].argsort(stable=True)].split(self.batch_size)]
        generator = torch.Generator().manual_seed(derive_seed("alike", self.seed, self.epoch(), self.rank))
        return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]

    def _class_weights(self) -> Tensor:
        if self.data.labels is None:
            raise UsageError("train.balanced: this domain has no labels to balance; set train.balanced=false")
        labels = self.data.labels.cpu().long()
        return 1.0 / labels.bincount()[labels].double()

    def _per_rank(self) -> int:
        return -(-len(self.data) // self.world)

    def _mine(self, order: Tensor) -> Tensor:
        """This rank's share; in training the short ranks wrap around, so that all take as many steps."""
        if self.shuffle and self.world > 1:
            order = torch.cat([order, order[: self._per_rank() * self.world - len(order)]])
        return order[self.rank :: self.world]


def check_rows(spec: Spec, likelihood: Likelihood, batch: Batch) -> None:
    """Raise UsageError where rows do not fit the model: shape, condition, or values outside the likelihood's support."""
    if tuple(batch.x.shape[1:]) != spec.shape:
        raise UsageError(f"x has rows of shape {tuple(batch.x.shape[1:])}; this model expects {spec.shape}")
    width = 0 if batch.cond is None else batch.cond.shape[-1]
    if width != spec.cond:
        raise UsageError(f"the condition has {width} numbers a row; this model expects {spec.cond}")
    hides = batch.mask is not None and batch.mask.dim() == batch.x.dim()
    observed = batch.x[batch.mask.expand_as(batch.x)] if hides else stored(batch.x)  # type: ignore[union-attr]
    if observed.numel() and not bool(likelihood.support.check(observed).all()):
        raise UsageError(unsupported(likelihood, observed))


def unsupported(likelihood: Likelihood, x: Tensor) -> str:
    """What is wrong with values outside the support."""
    expected = f"likelihood: {type(likelihood).__name__.lower()} expects {likelihood.expects}"
    unknown = int(x.isnan().sum())
    if unknown:
        return f"{expected}, x holds {unknown} NaN; leave those rows out, or mark gaps in the data's mask"
    return f"{expected}, x spans [{x.min().item():g}, {x.max().item():g}]; scale the data or choose another likelihood"

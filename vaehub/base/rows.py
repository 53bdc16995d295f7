"""Rows: what the engine moves about, and all that a network may know of them.

Letters of shapes: B batch, S samples of z per row, L latent, C condition, D data elements, K parameters of a family per element.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import torch
from torch import Tensor

from vaehub.errors import UsageError
from vaehub.sparse import dense, is_sparse

Json: TypeAlias = dict[str, Any]
KindName: TypeAlias = Literal["real", "count", "category", "ordinal"]


class Batch(NamedTuple):
    """Some rows, with what is known besides.

    Arguments:
        x: rows (B, *shape), or sparse CSR (B, D) for rows that are mostly zeros.
        cond: conditions (B, C), CSR likewise.
        mask: broadcastable to x; True where an element is observed.
        y: what else is to be predicted from z (B, P), NaN where unknown.

    >>> batch = Batch(torch.tensor([[1.0, torch.nan], [3.0, 4.0]]), mask=torch.tensor([[True, False], [True, True]]))
    >>> batch.without_hidden().x.tolist()
    [[1.0, 0.0], [3.0, 4.0]]
    """

    x: Tensor  # (B, *shape), or sparse CSR (B, D) for rows that are mostly zeros
    cond: Tensor | None = None  # (B, C), CSR likewise
    mask: Tensor | None = None  # broadcastable to x; True = observed
    y: Tensor | None = None  # (B, P) what else is to be predicted from z, NaN where unknown

    @property
    def observed(self) -> Tensor | None:
        """Which elements of x are observed, written out to (B, *shape), or None where all are: the one reading of `mask`.

        Raises:
            UsageError: the mask has no shape that broadcasts to x, or x is sparse.
        """
        if self.mask is None:
            return None
        if is_sparse(self.x):
            raise UsageError("mask: sparse rows have no gaps; give dense x, or leave the mask out")
        try:
            return self.mask.bool().expand(self.x.shape)
        except RuntimeError as error:
            raise UsageError(
                f"mask: shape {tuple(self.mask.shape)} does not broadcast to x of shape {tuple(self.x.shape)}; give one flag an element"
            ) from error

    def without_hidden(self) -> Batch:
        """The batch with its mask written out and unobserved x replaced by 0.

        `where(mask, log_prob(nan), 0)` alone would still have NaN gradients.
        """
        observed = self.observed
        if observed is None:
            return self
        zero = torch.zeros((), dtype=self.x.dtype, device=self.x.device)
        return self._replace(x=torch.where(observed, self.x, zero), mask=observed)

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device.

        Arguments:
            device: such as "cpu" or "cuda".
        """
        return self.map(lambda t: t.to(device))

    def map(self, change: Callable[[Tensor], Tensor]) -> Batch:
        """The batch with all its tensors changed alike.

        Arguments:
            change: takes a tensor and gives the one in its place.
        """
        return Batch(change(self.x), *(None if t is None else change(t) for t in self[1:]))

    def dense(self) -> Batch:
        """The batch with sparse tensors written out."""
        return self.map(dense)


class Kind(NamedTuple):
    """What one column of a mixed row holds.

    Arguments:
        name: "real", "count", "category" (no order) or "ordinal" (levels in order).
        size: levels of a category or an ordinal, else 1.

    >>> Kind("category", 4)
    Kind(name='category', size=4)
    """

    name: KindName
    size: int = 1  # levels of a category or an ordinal, else 1


@dataclass(frozen=True)
class Spec:
    """All that a network may know of the data.

    Arguments:
        shape: of one row.
        cond: numbers in the condition of a row.
        classes: levels of a discrete x, 0 where x is continuous.
        targets: numbers y that are to be predicted from z besides.
        kinds: what each of the D columns of a mixed row holds; empty where all elements are alike.

    >>> Spec((1, 28, 28), classes=256).size
    784
    """

    shape: tuple[int, ...]
    cond: int = 0
    classes: int = 0
    targets: int = 0
    kinds: tuple[Kind, ...] = ()

    @property
    def size(self) -> int:
        """Number of elements D of one row."""
        return math.prod(self.shape)


class Step(NamedTuple):
    """Where training stands: what a schedule may depend on.

    Arguments:
        step: optimiser steps done.
        epoch: passes over the training rows done.
        examples: size of the training set.

    >>> Step(epoch=3, examples=60_000).epoch
    3
    """

    step: int = 0  # optimiser steps done
    epoch: int = 0
    examples: int = 1  # size of the training set


class Data(ABC):
    """Rows that are fetched a batch at once, never one by one.

    A subclass gives `__len__`, `__getitem__` and `to`; `TensorData` is the one for rows that are tensors already.

    >>> class Squares(Data):
    ...     def __len__(self):
    ...         return 5
    ...
    ...     def __getitem__(self, index):
    ...         return Batch(index.float().square().unsqueeze(1))
    ...
    ...     def to(self, device):
    ...         return self
    >>> Squares()[torch.tensor([1, 3])].x.tolist()
    [[1.0], [9.0]]
    """

    labels: Tensor | None = None  # (N,) integers, where rows have a class
    lengths: Tensor | None = None  # (N,) integers, where rows differ in length: training puts those of like length together
    facts: object = None  # what a plugin's own parts may ask of these rows besides (features of items); every view keeps it

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: Tensor) -> Batch:
        """Some rows as a batch.

        Random augmentation draws from torch's global generator, which the engine seeds for every step.

        Arguments:
            index: numbers of the rows (B,).
        """

    @abstractmethod
    def to(self, device: torch.device | str) -> Data:
        """The same rows kept on another device, where their numbers are then given too; labels and lengths stay on the CPU.

        Arguments:
            device: such as "cpu" or "cuda".
        """

"""Where a family's positive parameter comes from: a fixed number, one learnt number, or the network."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Literal, TypeAlias, final

import torch
from pydantic import PositiveFloat
from torch import Tensor, nn
from torch.nn.functional import softplus

from vaehub.errors import UsageError

Source: TypeAlias = PositiveFloat | Literal["learnt", "element"]


class Positive(nn.Module, ABC):
    """A positive parameter that takes `width` reals an element from the network."""

    width: int = 0

    @abstractmethod
    def forward(self, raw: Tensor) -> Tensor:
        """Its value from raw (B, width or more, *shape): () or (B, *shape)."""


@final
class Fixed(Positive):
    """A number that stays as it is."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, raw: Tensor) -> Tensor:
        """The number: ()."""
        return raw.new_full((), self.value)


@final
class Learnt(Positive):
    """One learnt number for all elements: minimum + softplus(raw)."""

    def __init__(self, minimum: float, start: float) -> None:
        super().__init__()
        self.minimum = minimum
        self.raw = nn.Parameter(torch.tensor(inverse_softplus(max(start - minimum, minimum))))

    def forward(self, raw: Tensor) -> Tensor:
        """The number: ()."""
        return softplus(self.raw.to(raw.dtype)) + self.minimum


@final
class Element(Positive):
    """One number for every element, from the network: minimum + softplus(raw)."""

    width = 1

    def __init__(self, minimum: float, start: float) -> None:
        super().__init__()
        self.minimum = minimum

    def forward(self, raw: Tensor) -> Tensor:
        """The numbers: (B, *shape)."""
        return softplus(raw[:, 0]) + self.minimum


SOURCES: dict[str, type[Learnt] | type[Element]] = {"learnt": Learnt, "element": Element}


def inverse_softplus(y: float) -> float:
    """The x at which softplus(x) = y, for y > 0."""
    return y + math.log(-math.expm1(-y))


def positive(name: str, source: Source, *, minimum: float, start: float = 1.0) -> Positive:
    """The parameter `name` from `source`: above `minimum`, at `start` before training, unless fixed. Raises UsageError."""
    if isinstance(source, str) and source in SOURCES:
        return SOURCES[source](minimum, start)
    if not isinstance(source, (int, float)) or not 0 < source < math.inf:
        raise UsageError(f'{name} = {source!r}: give a positive number, "learnt" or "element"')
    return Fixed(float(source))

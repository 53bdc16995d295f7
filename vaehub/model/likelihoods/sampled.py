"""What the distributions that torch lacks, or has less precisely, share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

from vaehub.base import Outcome


class Sampled(Outcome, ABC):
    """A distribution that checks no arguments and is drawn from without gradients."""

    def __init__(self, batch_shape: torch.Size, event_shape: torch.Size = torch.Size()) -> None:  # noqa: B008 - an immutable tuple
        super().__init__(batch_shape, event_shape, validate_args=False)

    @torch.no_grad()
    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draws (*sample_shape, *batch, *event)."""
        return self.draw(self._extended_shape(torch.Size(sample_shape)))

    @abstractmethod
    def draw(self, shape: torch.Size) -> Tensor:
        """Independent draws (*sample_shape, *batch, *event), the whole shape given."""

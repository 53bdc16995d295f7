"""Windows of series as rows of a model, cut when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from vaehub import Batch, Data
from vaehub_timeseries.model.em import Autocovariance


@final
@dataclass(frozen=True)
class SeriesFacts:
    """What the linear parts ask of windows: the series (T_i, C) that they were cut from, and their process, where it is fitted already."""

    series: Sequence[Tensor]
    process: Autocovariance | None = None


@final
class Windows(Data):
    """Windows (T, C) of series (T_i, C) in scaled units, NaN = missing; x = 0 there and mask False.

    Arguments:
        series: (T_i, C) each.
        steps: T of a window; a shorter series is one window, unobserved after its end.
        stride: Steps between the beginnings of windows; the last one of a series is flush with its end.
        shift: Standard deviation of a random change of level of half of the windows, drawn anew each time: levels move in the future too.
        process: The Gaussian process of the series, where it is fitted already.

    >>> windows = Windows([torch.arange(5.0).unsqueeze(1)], steps=3, stride=2)
    >>> windows[torch.arange(len(windows))].x.squeeze(2).tolist()
    [[0.0, 1.0, 2.0], [2.0, 3.0, 4.0]]
    """

    def __init__(
        self,
        series: Sequence[Tensor],
        steps: int,
        stride: int = 1,
        shift: float = 0.0,
        process: Autocovariance | None = None,
    ) -> None:
        self.steps, self.shift, self.facts = steps, shift, SeriesFacts(series, process)
        padded = [torch.nn.functional.pad(x, (0, 0, 0, max(0, steps - len(x))), value=torch.nan) for x in series]
        self.cells = torch.cat(padded).float() if padded else torch.zeros(0, 1)
        self.starts = starts([len(x) for x in padded], steps, stride)

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: Tensor) -> Batch:
        x = self.cells[self.starts[index].unsqueeze(1) + torch.arange(self.steps, device=self.cells.device)]
        mask = ~x.isnan()
        if self.shift:
            moved = torch.rand(len(x), 1, 1, device=x.device) < 0.5
            x = x + self.shift * moved * torch.randn(len(x), 1, x.shape[2], device=x.device)
        return Batch(torch.where(mask, x, 0.0), None, mask)

    def to(self, device: torch.device | str) -> Windows:
        """The same windows on another device."""
        moved = Windows([], self.steps, shift=self.shift)
        moved.facts, moved.cells, moved.starts = self.facts, self.cells.to(device), self.starts.to(device)
        return moved


def starts(lengths: Sequence[int], steps: int, stride: int) -> Tensor:
    """First steps, in the series laid end to end, of windows `stride` apart, the last one of each series flush with its end."""
    found, offset = [], 0
    for length in lengths:
        last = length - steps
        found += [offset + start for start in (*range(0, last, stride), last)]
        offset += length
    return torch.tensor(found, dtype=torch.long)

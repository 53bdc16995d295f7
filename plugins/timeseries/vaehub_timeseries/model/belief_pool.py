"""A pool of windows with cells hidden and what the closed form says of them, computed once: the rows that a correction is trained on.

Letters of shapes: N windows, T steps, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor

from vaehub import Batch, Data, derive_seed
from vaehub_timeseries import masks
from vaehub_timeseries.impute.experts import ClosedForm, Floats, Mask, Prediction
from vaehub_timeseries.model.em import Cover
from vaehub_timeseries.model.gaussian import CLIP
from vaehub_timeseries.parts.beliefs import joined

RATES = (0.05, 0.6)  # of the cells of a window that are hidden
OWN_GAPS = 0.15  # of the observed cells, where the table's own gaps are laid elsewhere


@dataclass(frozen=True)
class BeliefPool:
    """Truth, mean and sd (N, T, C) of windows in float32, the cells `hidden` from the closed form, and the place (N,) that each was cut from."""

    truth: Tensor
    mean: Tensor
    sd: Tensor
    hidden: Tensor
    place: Tensor

    @classmethod
    def of(cls, base: ClosedForm, series: Sequence[Floats], rounds: int, seed: int) -> BeliefPool:
        """Windows that cover the series, `rounds` times, each time with other cells hidden, from another first step.

        In every other round each window is by itself, as in a short series; else the closed form has the whole series to go by, and windows
        lie half over each other.
        """
        parts = [
            cls._round(base, series, bool(i % 2), np.random.default_rng(derive_seed("pool", seed, i))) for i in range(rounds)
        ]
        whole = cls(*(torch.cat(part) for part in zip(*parts, strict=True)))
        kept = whole.hidden.flatten(1).any(1)
        return cls(whole.truth[kept], whole.mean[kept], whole.sd[kept], whole.hidden[kept], whole.place[kept])

    @staticmethod
    def _round(base: ClosedForm, series: Sequence[Floats], alone: bool, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Truth, mean, sd, hidden cells (N, T, C) and place (N,) of all windows."""
        steps = base.steps
        cut, starts = cut_series(series, steps, alone, rng)
        hidden = [cells_to_hide(~np.isnan(values), steps, rng) for values in cut]
        given = [np.where(h, np.nan, values) for values, h in zip(cut, hidden, strict=True)]
        truth = [np.where(h, values, 0.0) for values, h in zip(cut, hidden, strict=True)]
        inputs = belief_inputs(given, base.predict(given), steps)
        place = [(starts[i] + start) // steps for i, start in Cover.of([torch.from_numpy(x) for x in cut], steps).places]
        return belief_windows(truth, steps), *inputs, belief_windows(hidden, steps) > 0, torch.tensor(place)

    def together_with(self, other: BeliefPool) -> BeliefPool:
        """The windows of both, those of the other at places of their own."""
        own, more = ((p.truth, p.mean, p.sd, p.hidden) for p in (self, other))
        truth, mean, sd, hidden = (torch.cat(pair) for pair in zip(own, more, strict=True))
        return BeliefPool(truth, mean, sd, hidden, torch.cat([self.place, other.place + self.place.max() + 1]))

    def rows(self, shift: float = 0.0) -> BeliefRows:
        """Rows for a model of beliefs: its loss is taken at the hidden cells. `shift`: see `BeliefRows`."""
        return BeliefRows(self.truth, self.mean, self.sd, self.hidden, shift)

    def relative_gain(self, move: Tensor) -> tuple[float, float]:
        """By how much a move (N, T, C) in units of sd lowers the absolute error on hidden cells, as a share of it, and its standard error.

        The errors of all windows cut from one place count as one.
        """
        before = (self.mean - self.truth).abs() * self.hidden
        after = (self.mean + self.sd * move - self.truth).abs() * self.hidden
        _, number = self.place.unique(return_inverse=True)
        total, gain = (torch.zeros(int(number.max()) + 1).index_add(0, number, e.sum((1, 2))) for e in (before, before - after))
        share = gain.sum() / total.sum()
        apart = gain - share * total
        return float(share), float((apart.square().sum() * len(total) / max(1, len(total) - 1)).sqrt() / total.sum())


@final
class BeliefRows(Data):
    """Windows (N, T, C) with the belief as condition and the hidden cells as mask.

    shift: standard deviation of a random change of level of half of the windows, drawn anew each time: levels move in the future too, and a
    closed form whose level drifts moves along.
    """

    def __init__(self, truth: Tensor, mean: Tensor, sd: Tensor, hidden: Tensor, shift: float) -> None:
        self.truth, self.mean, self.sd, self.hidden, self.shift = truth, mean, sd, hidden, shift

    def __len__(self) -> int:
        return len(self.truth)

    def __getitem__(self, index: Tensor) -> Batch:
        truth, mean, sd, hidden = (tensor[index] for tensor in (self.truth, self.mean, self.sd, self.hidden))
        if self.shift:
            moved = torch.rand(len(truth), 1, 1, device=truth.device) < 0.5
            change = self.shift * moved * torch.randn(len(truth), 1, truth.shape[2], device=truth.device)
            truth, mean = truth + change, mean + change
        return Batch(torch.where(hidden, truth, 0.0), joined(mean, sd), hidden)

    def to(self, device: torch.device | str) -> BeliefRows:
        """The same rows on another device."""
        truth, mean, sd, hidden = (tensor.to(device) for tensor in (self.truth, self.mean, self.sd, self.hidden))
        return BeliefRows(truth, mean, sd, hidden, self.shift)


def cut_series(series: Sequence[Floats], steps: int, alone: bool, rng: np.random.Generator) -> tuple[list[Floats], list[int]]:
    """Series from a random one of their first steps on, `alone`: in pieces of a window; and where each begins in all of them, end to end."""
    cut, starts, before = [], [], 0
    for values in series:
        first = int(rng.integers(max(1, min(steps, len(values) - steps + 1))))
        length = steps if alone else len(values)
        for start in range(first, len(values), length):
            cut.append(values[start : start + length])
            starts.append(before + start)
        before += len(values)
    return cut, starts


def belief_inputs(series: Sequence[Floats], beliefs: Sequence[Prediction], steps: int) -> tuple[Tensor, Tensor]:
    """Mean and sd (N, T, C) of windows that cover series: the clipped value and 0 where a cell is observed."""
    means = [np.where(np.isnan(x), b.mean, x).clip(-CLIP, CLIP) for x, b in zip(series, beliefs, strict=True)]
    return belief_windows(means, steps), belief_windows([b.sd for b in beliefs], steps)


def belief_windows(arrays: Sequence[Floats] | Sequence[Mask], steps: int) -> Tensor:
    """Windows (N, T, C) of arrays (T_i, C) in float32, half over each other; 0 after the end of a short one."""
    cut: Tensor = Cover.of([torch.from_numpy(np.asarray(array, dtype=np.float32)) for array in arrays], steps).values
    return cut.nan_to_num(0.0)


def cells_to_hide(observed: Mask, steps: int, rng: np.random.Generator) -> Mask:
    """Observed cells (T, C): in every stretch of a window's length points, runs, blocks or the data's own gaps, at a rate of its own."""
    hidden = masks.transplant(observed, OWN_GAPS, rng)
    for start in range(0, len(observed), steps):
        part = hidden[start : start + steps]
        rate, (length, channels) = rng.uniform(*RATES), part.shape
        match rng.integers(4):
            case 0:
                part[:] = masks.mcar(part.shape, rate, rng)
            case 1:
                part[:] = masks.runs(part.shape, rate, int(rng.integers(2, max(3, length))), rng)
            case 2:
                sizes = (int(rng.integers(2, max(3, length // 2))), int(rng.integers(1, channels + 1)))
                part[:] = masks.blocks(part.shape, rate, *sizes, rng)
    return hidden & observed

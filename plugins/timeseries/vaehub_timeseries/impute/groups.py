"""Averages per channel and gap length that borrow from coarser groups where there are few held-out cells.

A group's mean is (Σ own + κ · mean of the coarser group) / (n + κ): channel x gap length borrows from its channel, a channel from all
cells, and all cells from a prior. This is the posterior mean under nested Dirichlet priors of weight κ: no threshold decides which level
counts. Letters of shapes: C channels, B bins of gap lengths, A quantities averaged, n held-out cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaehub_timeseries.impute.experts import Floats, Integers

EDGES = (1, 2, 4, 9, 25)  # gaps of 1, 2-3, 4-8, 9-24 and 25 steps or more
SHRINKAGE = 45.0  # κ: cells' worth of trust in the coarser group


def gap_bins(lengths: Integers) -> Integers:
    """The bin 0 … B-1 of each gap length; observed cells (length 0) are put in the first."""
    return np.maximum(np.digitize(lengths, EDGES) - 1, 0)


@dataclass(frozen=True)
class GroupSums:
    """Sums (C, B, A) over held-out cells and how many cells there were (C, B)."""

    total: Floats
    count: Floats

    @classmethod
    def of(cls, group: Integers, values: Floats, weight: Floats, channels: int) -> GroupSums:
        """Weighted sums of `values` (A, n) by `group` (n,) = channel * B + bin."""
        size = channels * len(EDGES)
        total = np.stack([np.bincount(group, weight * row, size) for row in values], -1)
        shape = (channels, len(EDGES))
        return cls(
            total.reshape(*shape, len(values)).astype(float), np.bincount(group, weight, size).reshape(shape).astype(float)
        )

    def means(self, prior: Floats | None = None, trust: float = 1.0) -> Floats:
        """Mean of every group (C, B, A), drawn towards its channel, a channel towards all cells, and these to `prior` (A,) of weight `trust`."""
        channel, number = self.total.sum(1), self.count.sum(1)[:, None]
        whole, everything = channel.sum(0), number.sum()
        top = whole / max(everything, 1.0) if prior is None else (whole + trust * prior) / (everything + trust)
        middle = (channel + SHRINKAGE * top) / (number + SHRINKAGE)
        means: Floats = (self.total + SHRINKAGE * middle[:, None]) / (self.count[..., None] + SHRINKAGE)
        return means

"""The gate: how much weight each expert has, per channel and gap length.

weights = argmin over the simplex of the mean absolute error on held-out cells, each group's error drawn towards that of its channel and of
all cells. The simplex is searched on a lattice that holds every vertex, so a single expert, linear interpolation too, is always a choice.
Letters of shapes: C channels, B bins of gap lengths, K experts, A points of the lattice, n held-out cells.
"""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from vaehub_timeseries.impute.experts import Floats
from vaehub_timeseries.impute.groups import GroupSums
from vaehub_timeseries.impute.held_out import HeldOut

STEPS = {1: 1, 2: 40, 3: 20, 4: 10, 5: 8}  # of the lattice along an edge, by the number of experts
COARSE = 6


@cache
def lattice(experts: int) -> Floats:
    """All weights (A, K) that are multiples of 1 / STEPS, the vertices first in order of the experts."""
    steps = STEPS.get(experts, COARSE)
    counts = np.array([c for c in product(range(steps + 1), repeat=experts) if sum(c) == steps], dtype=np.int64)
    ordered: Floats = counts[np.lexsort((*-counts.T[::-1], -counts.max(1)))] / steps
    return ordered


def lattice_losses(held_out: HeldOut, channels: int) -> GroupSums:
    """Absolute errors of every point of the lattice, by group."""
    errors = held_out.error(lattice(len(held_out.means)) @ held_out.means)
    return GroupSums.of(held_out.group, errors, held_out.weight, channels)


def best_weights(pool: GroupSums, experts: int) -> Floats:
    """The best weights (C, B, K) by the pooled errors."""
    best: Floats = lattice(experts)[pool.means().argmin(-1)]
    return best

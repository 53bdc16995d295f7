"""Several objectives at once: who is beaten by nobody, and how much the front covers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaehub_molecules.search.buffer import Floats

BLOCK = 1024


def front(values: Floats) -> NDArray[np.bool_]:
    """(N,) whether no other row is as good in all K objectives and better in one. Rows with NaN are never on the front.

    >>> front(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])).tolist()
    [True, True, False]
    """
    out = ~np.asarray(np.isnan(values).any(1))
    rows = np.flatnonzero(out)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        out[block] = ~dominated(values[block], values[rows])
    return out


def dominated(values: Floats, others: Floats) -> NDArray[np.bool_]:
    """(n,) whether some row of `others` (m, K) beats the row of `values` (n, K)."""
    as_good = np.all(others[None] >= values[:, None], axis=2)
    better = np.any(others[None] > values[:, None], axis=2)
    return np.asarray(np.any(as_good & better, axis=1))


def hypervolume(values: Floats, reference: Floats) -> float:
    """The volume that rows (N, K) dominate above `reference` (K,): exact, by slices along the last objective.

    "The Hypervolume Indicator" (Guerreiro et al., 2021), doi:10.1145/3453474, dimension sweep; meant for fronts of 2 or 3 objectives.

    >>> hypervolume(np.array([[1.0, 0.5], [0.5, 1.0]]), np.zeros(2))
    0.75
    """
    points = values[front(values)]
    points = points[(points > reference).all(1)]
    if not len(points):
        return 0.0
    if points.shape[1] == 1:
        return float(points.max() - reference[0])
    points = points[np.argsort(-points[:, -1])]
    depths = points[:, -1] - np.append(points[1:, -1], reference[-1])
    return sum(float(d) * hypervolume(points[: i + 1, :-1], reference[:-1]) for i, d in enumerate(depths) if d > 0)


def chebyshev(values: Floats, weights: Floats) -> Floats:
    """(N,) one number for K objectives, whose maximum is on the front: min_k w_k v_k + 0.05 sum_k w_k v_k of values scaled to 0..1.

    "ParEGO" (Knowles, 2006), doi:10.1109/TEVC.2005.851274, for objectives to maximise.

    >>> chebyshev(np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]), np.array([0.5, 0.5])).tolist()
    [-0.525, -0.525, -0.275]
    """
    if values.shape[1] == 1:
        return values[:, 0]
    low, high = np.nanmin(values, 0), np.nanmax(values, 0)
    gap = weights * (1 - (values - low) / np.maximum(high - low, 1e-12))
    out: Floats = -gap.max(1) - 0.05 * gap.sum(1)
    return out

"""Several objectives at once, whatever their units: who is beaten by nobody, how much the front covers, and one number for all."""

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
    out = np.zeros(len(values), dtype=bool)
    rows = np.flatnonzero(~np.isnan(values).any(1))
    rows = rows[np.lexsort(-values[rows].T[::-1])]  # whoever beats a row comes before it
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        block = block[~dominated(values[block], values[out])]
        out[block[~dominated(values[block], values[block])]] = True
    return out


def front_numbers(values: Floats, enough: int) -> NDArray[np.int64]:
    """(N,) 1 on the front, 2 on the front of all others, and so on, until at least `enough` rows have a number; 0 for the others.

    The non-dominated sorting of "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II" (Deb et al., 2002), doi:10.1109/4235.996017.

    >>> front_numbers(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [-1.0, 0.0]]), enough=3).tolist()
    [1, 1, 2, 0]
    """
    out = np.zeros(len(values), dtype=np.int64)
    left = np.flatnonzero(~np.isnan(values).any(1))
    number = 1
    while len(left) and (out > 0).sum() < enough:
        on_front = front(values[left])
        out[left[on_front]] = number
        left, number = left[~on_front], number + 1
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
    points = values[(values > reference).all(1)]
    points = points[np.argsort(-points[:, -1])]
    if points.shape[1] > 2:
        points = points[front(points)]  # fewer slices; two objectives are a sum, which beaten rows do not change
    depths = points[:, -1] - np.append(points[1:, -1], reference[-1])
    if points.shape[1] == 1:
        return float(depths.sum())
    if points.shape[1] == 2:
        return float(depths @ (np.maximum.accumulate(points[:, 0]) - reference[0]))
    return sum(float(d) * hypervolume(points[: i + 1, :-1], reference[:-1]) for i, d in enumerate(depths) if d > 0)


def scaled(values: Floats) -> Floats:
    """(N, K) values from 0, the worst seen of an objective, to 1, its best; 1 where all are alike. NaN stays NaN.

    >>> scaled(np.array([[9.0, 0.2], [5.0, 0.2], [7.0, 0.2]])).T.tolist()
    [[1.0, 0.0, 0.5], [1.0, 1.0, 1.0]]
    """
    if np.isnan(values).all():
        return values
    low, high = np.nanmin(values, 0), np.nanmax(values, 0)
    return np.where(high > low, 1 - (high - values) / np.where(high > low, high - low, 1), 1 + 0 * values)


def balanced_score(values: Floats) -> Floats:
    """(N,) for K objectives in any units: (min_k s_k + 0.05 sum_k s_k) / (1 + 0.05 K) of scaled values s, 0 to 1.

    It is 1 for a row that is best in every objective and small where one is near its worst: `chebyshev` with equal weights, made to lie
    between 0 and 1. The highest is always on the front. One objective is its own score.

    >>> balanced_score(np.array([[9.0, 0.1], [5.2, 0.95], [5.0, 0.4], [8.0, 0.9]])).round(2).tolist()
    [0.05, 0.09, 0.02, 0.76]
    """
    count = values.shape[1]
    if count == 1:
        return values[:, 0]
    scores = scaled(values)
    out: Floats = (scores.min(1) + 0.05 * scores.sum(1)) / (1 + 0.05 * count)
    return out


def chebyshev(values: Floats, weights: Floats) -> Floats:
    """(N,) one number for K objectives, whose maximum is on the front: min_k w_k v_k + 0.05 sum_k w_k v_k of values scaled to 0..1.

    "ParEGO" (Knowles, 2006), doi:10.1109/TEVC.2005.851274, for objectives to maximise.

    >>> chebyshev(np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]), np.array([0.5, 0.5])).tolist()
    [-0.525, -0.525, -0.275]
    """
    if values.shape[1] == 1:
        return values[:, 0]
    gap = weights * (1 - scaled(values))
    out: Floats = -gap.max(1) - 0.05 * gap.sum(1)
    return out

"""How good ranked lists are: a number for every user and measure.

Letters of shapes: B users, K places of a list, I items.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from vaehub import UsageError, hints

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.integer[Any]]
Mask: TypeAlias = NDArray[np.bool_]
Measure: TypeAlias = Callable[[Mask, Integers, int], Floats]

USUAL = ("ndcg@100", "recall@20", "recall@50", "map@100", "mrr@100", "hit@10")


def metrics(top_items: Integers, held: csr_array, names: Sequence[str] = USUAL) -> pd.DataFrame:
    """Measures of ranked lists for every user.

    Arguments:
        top_items: positions (B, K) from the best on, -1 behind the end of a shorter list; K >= the greatest k, or the whole catalogue.
        held: CSR (B, I), what is stored is what the user liked.
        names: measures such as "ndcg@100": ndcg, recall, map, mrr or hit, and how many places count.

    Returns:
        A row for every user with held-out items (its number as index), a column for every measure.

    Raises:
        UsageError: a measure that is not known, lists too short for it, items out of range or twice in a list.

    Example:
        >>> metrics(np.array([[2, 0, 1]]), csr_array([[1.0, 0.0, 0.0]]), ["recall@1", "mrr@3"]).to_dict("records")
        [{'recall@1': 0.0, 'mrr@3': 0.5}]
    """
    parsed = {name: parse(name) for name in names}
    lists, held = checked(np.asarray(top_items), held, max(k for _, k in parsed.values()))
    relevant = np.diff(held.indptr)
    judged = np.flatnonzero(relevant)
    hits, relevant = hits_of(lists, held)[judged], relevant[judged]
    figures = {name: f(hits[:, :k], relevant, min(k, held.shape[1])) for name, (f, k) in parsed.items()}
    return pd.DataFrame(figures, index=judged)


def hits_of(lists: Integers, held: csr_array) -> Mask:
    """Which places (B, K) of the lists hold an item of the user's: binary search among the sorted cells of the CSR matrix (B, I)."""
    rows, items = held.shape
    if not held.nnz:
        return np.zeros(lists.shape, dtype=bool)
    cells = np.repeat(np.arange(rows) * items, np.diff(held.indptr)) + held.indices
    wanted = np.arange(rows)[:, None] * items + lists
    at = np.minimum(np.searchsorted(cells, wanted), len(cells) - 1)
    return np.asarray((cells[at] == wanted) & (lists >= 0))


def ndcg(hits: Mask, relevant: Integers, k: int) -> Floats:
    """Σ_r hit_r / log2(r + 1) over its greatest possible value, of r = 1 … k.

    "Variational Autoencoders for Collaborative Filtering" (Liang et al., 2018), arXiv:1802.05814.

    Example:
        >>> ndcg(np.array([[False, True]]), np.array([1]), 2).round(2).tolist()
        [0.63]
    """
    gain = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(gain)
    return np.asarray((hits * gain[: hits.shape[1]]).sum(1) / ideal[np.minimum(relevant, k) - 1])


def recall(hits: Mask, relevant: Integers, k: int) -> Floats:
    """Hits among the first k over min(k, held-out items), as Liang et al. (2018), arXiv:1802.05814.

    Example:
        >>> recall(np.array([[False, True]]), np.array([1]), 2).round(2).tolist()
        [1.0]
    """
    return np.asarray(hits.sum(1) / np.minimum(relevant, k))


def average_precision(hits: Mask, relevant: Integers, k: int) -> Floats:
    """Σ_r hit_r · (share of hits among the first r) over min(k, held-out items): its mean over users is MAP@k.

    "Introduction to Information Retrieval" (Manning, Raghavan & Schütze, 2008), section 8.4.

    Example:
        >>> average_precision(np.array([[False, True]]), np.array([1]), 2).round(2).tolist()
        [0.5]
    """
    precision = np.cumsum(hits, 1) / np.arange(1, hits.shape[1] + 1)
    return np.asarray((precision * hits).sum(1) / np.minimum(relevant, k))


def reciprocal_rank(hits: Mask, relevant: Integers, k: int) -> Floats:
    """1 / the place of the first hit, 0 where there is none among the first k: its mean over users is MRR@k.

    Example:
        >>> reciprocal_rank(np.array([[False, True]]), np.array([1]), 2).round(2).tolist()
        [0.5]
    """
    return np.asarray(hits.any(1).astype(np.float64) / (hits.argmax(1) + 1))


def hit(hits: Mask, relevant: Integers, k: int) -> Floats:
    """1 where there is any hit among the first k.

    Example:
        >>> hit(np.array([[False, True]]), np.array([1]), 2).round(2).tolist()
        [1.0]
    """
    return np.asarray(hits.any(1), dtype=np.float64)


MEASURES: Mapping[str, Measure] = {
    "ndcg": ndcg,
    "recall": recall,
    "map": average_precision,
    "mrr": reciprocal_rank,
    "hit": hit,
}


def parse(name: str) -> tuple[Measure, int]:
    """The measure and the k of "ndcg@100". Raises UsageError for what is none."""
    measure, _, k = name.partition("@")
    if measure not in MEASURES:
        raise UsageError(f"metric {name!r}: no measure is called {measure!r}; {hints.did_you_mean(measure, MEASURES)}")
    if not k.isdecimal() or int(k) < 1:
        raise UsageError(f"metric {name!r}: say how many places of the list count, such as {measure}@20")
    return MEASURES[measure], int(k)


def deepest(names: Sequence[str]) -> int:
    """How long lists must be for these measures."""
    return max(parse(name)[1] for name in names)


def checked(lists: Integers, held: csr_array, k: int) -> tuple[Integers, csr_array]:
    """The first k places of the lists (B, K), and the held-out items with sorted columns. Raises UsageError where they do not fit."""
    rows, items = held.shape
    if lists.ndim != 2 or len(lists) != rows or lists.shape[1] < min(k, items):
        raise UsageError(
            f"ranked lists of shape {lists.shape}: give ({rows}, {min(k, items)}) or longer ones for measures at {k}"
        )
    lists = lists[:, :k].astype(np.int64)
    if lists.size and not -1 <= lists.min() <= lists.max() < items:
        raise UsageError(f"ranked lists hold {lists.min()} … {lists.max()}: give positions of the {items} items, or -1 for none")
    ordered = np.sort(lists, 1)
    twice = np.argwhere((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0))
    if len(twice):
        row, place = twice[0]
        raise UsageError(f"ranked lists: row {row} holds item {ordered[row, place]} twice; give every item once")
    return lists, held if held.has_sorted_indices else held.sorted_indices()

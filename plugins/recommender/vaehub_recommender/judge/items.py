"""What training says of the items, and what it says of a list: how popular, how surprising.

Letters of shapes: B users, K places of a list, I items.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.stats import rankdata

from vaehub_recommender.held_out import subset
from vaehub_recommender.judge.metrics import Floats, Integers, Mask

LIST = 20  # places of a list that are looked at, whoever it is for
BANDS = ("head", "middle", "tail")


@final
@dataclass(frozen=True)
class Items:
    """How many of the training users have each item (I,)."""

    counts: Integers
    users: int

    @staticmethod
    def of(train: csr_array) -> Items:
        """The items of the training users (U, I)."""
        return Items(np.bincount(train.indices, minlength=train.shape[1]), train.shape[0])

    @cached_property
    def information(self) -> Floats:
        """-log2 of the share of training users that have an item, in bits (I,); one that nobody has counts as one that a single user has."""
        return -np.log2(np.maximum(self.counts, 1) / self.users)

    @cached_property
    def rank(self) -> Floats:
        """The place of every item (I,) by popularity, 0 = the least, 1 = the most popular; equal ones share theirs."""
        return np.asarray((rankdata(self.counts) - 0.5) / len(self.counts))

    @cached_property
    def band(self) -> Integers:
        """0, 1 or 2 (I,): the most popular items that together have a third of all interactions, those with the next third, the rest."""
        order = np.argsort(-self.counts, kind="stable")
        before = np.cumsum(self.counts[order]) - self.counts[order]
        band = np.empty(len(order), dtype=np.int64)
        band[order] = len(BANDS) * before // max(int(self.counts.sum()), 1)
        return band.clip(max=len(BANDS) - 1)

    def of_band(self, held: csr_array, band: int) -> csr_array:
        """The cells (B, I) in items of one band alone."""
        return subset(held, self.band[held.indices] == band)

    def of_lists(self, lists: Integers, seen: csr_array) -> pd.DataFrame:
        """Novelty and popularity bias of lists (B, K), a row for each, for users with these histories (B, I).

        novelty: mean of -log2(share of users that have the item): "Solving the apparent diversity-accuracy dilemma of recommender
        systems" (Zhou et al., 2010), doi:10.1073/pnas.1000488107. popularity_bias: mean popularity rank of the list less that of the
        history, after "The Unfairness of Popularity Bias in Recommendation" (Abdollahpouri et al., 2019), arXiv:1907.13286. NaN where a
        list or a history is empty.
        """
        first = lists[:, :LIST]
        bias = mean_of(self.rank, first, first >= 0) - mean_of_rows(self.rank, seen)
        novelty = mean_of(self.information, first, first >= 0)
        return pd.DataFrame({f"novelty@{LIST}": novelty, f"popularity_bias@{LIST}": bias})


def mean_of(values: Floats, lists: Integers, counted: Mask) -> Floats:
    """The mean of the items' values (I,) over the places that count (B, K); NaN where there are none."""
    return ratio(np.where(counted, values[lists], 0.0).sum(1), counted.sum(1))


def mean_of_rows(values: Floats, seen: csr_array) -> Floats:
    """The mean of the items' values (I,) over every history (B, I); NaN where it is empty."""
    sums = np.concatenate([[0.0], np.cumsum(values[seen.indices])])[seen.indptr]
    return ratio(np.diff(sums), np.diff(seen.indptr))


def ratio(total: Floats, count: Integers) -> Floats:
    """Total over count; NaN where nothing was counted."""
    return np.asarray(np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0))


def times_shown(lists: Integers, items: int) -> Integers:
    """How often each item (I,) is among the first places of the lists (B, K)."""
    first = lists[:, :LIST]
    return np.bincount(first[first >= 0], minlength=items)


def coverage(shown: Integers) -> float:
    """The share of the items that anyone was shown."""
    return float((shown > 0).mean())


def gini(shown: Integers) -> float:
    """How unevenly the items are shown: Σ_i (2i - I - 1) n_i / (I Σ n) of the sorted counts; 0 = all alike, near 1 = one alone.

    NaN where nothing was shown. "Blockbuster Culture's Next Rise or Fall" (Fleder & Hosanagar, 2009), doi:10.1287/mnsc.1080.0974.
    """
    counts, items = np.sort(shown), len(shown)
    if not counts.any():
        return float("nan")
    return float(((2 * np.arange(1, items + 1) - items - 1) * counts).sum() / (items * counts.sum()))

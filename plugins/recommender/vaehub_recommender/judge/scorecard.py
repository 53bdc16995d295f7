"""What one model got: measures of every user, of every band of items, and what it showed to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from vaehub_recommender.judge.items import BANDS, LIST, Items, coverage, gini, times_shown
from vaehub_recommender.judge.metrics import Integers, metrics

LENGTHS = (1, 2, 3, 5, 10, 20, 30, 50, 100)  # of lists, for the curves


@final
@dataclass(frozen=True)
class Scorecard:
    """Of one model, for the users with held-out items.

    users: a row for each, a column for every measure. bands: the same of the held-out items of one band of popularity. times_shown: how often each
    item (I,) was among the first places of a list. by_length: a row for each user, NDCG and recall of the first 1, 2, 5, … places.
    """

    users: pd.DataFrame
    bands: Mapping[str, pd.DataFrame]
    times_shown: Integers
    by_length: pd.DataFrame = field(default_factory=pd.DataFrame)

    @staticmethod
    def of(lists: Integers, seen: csr_array, held: csr_array, items: Items, names: Sequence[str]) -> Scorecard:
        """The scorecard of ranked lists (B, K) for users with these histories and these held-out items (B, I)."""
        users = metrics(lists, held, names)
        users = users.join(items.of_lists(lists, seen))
        bands = {band: metrics(lists, items.of_band(held, i), names) for i, band in enumerate(BANDS)}
        return Scorecard(users, bands, times_shown(lists[users.index], held.shape[1]), metrics(lists, held, by_length(lists)))

    @staticmethod
    def together(parts: Sequence[Scorecard], starts: Sequence[int]) -> Scorecard:
        """The scorecard of all users from those of consecutive rows; `starts` are the first row of each part."""
        users = stacked([part.users for part in parts], starts)
        bands = {band: stacked([part.bands[band] for part in parts], starts) for band in BANDS}
        lengths = stacked([part.by_length for part in parts], starts)
        return Scorecard(users, bands, np.sum([part.times_shown for part in parts], axis=0), lengths)

    @property
    def overall(self) -> dict[str, float]:
        """Figures of all lists together: the share of the catalogue that was shown, and how unevenly."""
        return {f"coverage@{LIST}": coverage(self.times_shown), f"gini@{LIST}": gini(self.times_shown)}


def by_length(lists: Integers) -> list[str]:
    """NDCG and recall of the first 1, 2, 5, … places of lists (B, K)."""
    return [f"{measure}@{k}" for measure in ("ndcg", "recall") for k in LENGTHS if k <= max(lists.shape[1], 1)]


def stacked(parts: Sequence[pd.DataFrame], starts: Sequence[int]) -> pd.DataFrame:
    """The rows of all parts, numbered on."""
    return pd.concat([part.set_axis(part.index + start) for part, start in zip(parts, starts, strict=True)])

"""Lists with the user's own mixture of kinds.

Letters of shapes: N items of a shortlist, I items of the catalogue, G kinds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, final

import numpy as np
import pandas as pd

from vaehub import UsageError
from vaehub_recommender.rerank.base import Cost, Floats, ItemFacts, Reranker, Shortlist
from vaehub_recommender.tables import Frame, as_frame
from vaehub_recommender.tables.columns import ITEM, id_column, named_column
from vaehub_recommender.traits import MOST_WORDS, split_words

SMOOTHING = 0.01  # α of the paper: how much of the user's own mixture is put into the list's, so that no share is 0


@final
@dataclass(frozen=True)
class Calibration(Reranker):
    """Lists whose kinds of items are mixed as in the history: the next item is argmax_i (1 - λ) Σ_{j chosen or i} r(j) - λ KL(p, q~).

    p(g) is the mean of p(g|i) over the history, by its weights, q(g) that over the list, q~ = (1 - α) q + α p with α = 0.01, and
    KL(p, q~) = Σ_g p(g) log(p(g) / q~(g)). An item of several kinds (`Comedy|Drama`) has an equal share of each; items of none are left out.
    "Calibrated Recommendations" (Steck, 2018), doi:10.1145/3240323.3240372.

    Arguments:
        column: of the table of items, with their kinds.
        strength: λ, from 0 (the list as it is) to below 1.
        items: the table of items; by default that of `fit`, or `domain.items` of a run.

    Raises:
        UsageError: a λ out of its range; when it is used: no table of items, or no such column.

    Example:
        >>> from vaehub_recommender.example import film_recommender
        >>> films = pd.DataFrame({"item": ["Noir film 01", "Noir film 03", "War film 01"], "kind": ["noir", "noir", "war"]})
        >>> lists = film_recommender().recommend({"new": ["Noir film 01"]}, k=2, rerank=Calibration("kind", items=films))
        >>> len(lists)
        2
    """

    column: str
    strength: float = 0.5
    items: Frame | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not (isinstance(self.strength, Real) and 0 <= self.strength < 1):
            raise UsageError(f"Calibration: strength={self.strength!r}: give a number from 0 to below 1")

    def costs(self, facts: ItemFacts) -> Callable[[Shortlist], Cost]:
        """λ / (1 - λ) times the divergence."""
        frame = facts.frame if self.items is None else as_frame("items", self.items)
        if frame is None:
            raise UsageError(
                f"Calibration({self.column!r}): nothing else is known of the items; give items=… (--items), a table with that column"
            )
        kinds, weight = kinds_of_items(frame, self.column, facts), self.strength / (1 - self.strength)
        return lambda shortlist: Divergence(weight, own_mixture(kinds, shortlist), kinds[shortlist.items])


def kinds_of_items(frame: pd.DataFrame, column: str, facts: ItemFacts) -> Floats:
    """p(g|i) (I, G): equal shares of each kind of an item, 0 where none is known."""
    name = id_column(facts.column if facts.column in frame.columns else None, list(frame.columns), "item", ITEM)
    cells: pd.Series[Any] = frame[named_column(column, list(frame.columns), "column")]
    place = facts.ids.positions(frame[name])
    if not (place >= 0).any():
        raise UsageError(
            f"Calibration({column!r}): the model knows none of the {len(frame):,} items of the table; give ids as in training"
        )
    keep = (place >= 0) & ~frame[name].duplicated().to_numpy(bool)
    row, word = split_words(cells[keep])
    code, words = pd.factorize(np.array(word, dtype=object), sort=True)
    if len(words) > MOST_WORDS:
        raise UsageError(f"Calibration({column!r}): {len(words):,} kinds, more than {MOST_WORDS:,}; give a column of kinds")
    shares = np.zeros((len(facts.ids), len(words)))
    shares[place[keep][row], code] = 1
    found: Floats = shares / np.maximum(shares.sum(1, keepdims=True), 1)
    return found


def own_mixture(kinds: Floats, shortlist: Shortlist) -> Floats:
    """p (G,) of the history, 0 where nothing is known."""
    total = shortlist.weights @ kinds[shortlist.history]
    mixture: Floats = total / max(total.sum(), 1e-300)
    return mixture


@final
class Divergence(Cost):
    """KL(p, q~) of the list with each item, of kinds (N, G), added, times a weight."""

    def __init__(self, weight: float, own: Floats, kinds: Floats) -> None:
        there = own > 0
        self.weight, self.own, self.kinds = weight, own[there], kinds[:, there]
        self.counted = kinds.sum(1)  # (N,): 1 for an item of any kind
        self.total, self.count = np.zeros(there.sum()), 0.0

    def of_next(self) -> Floats:
        """The divergence after each item."""
        listed = (self.total + self.kinds) / np.maximum(self.count + self.counted, 1)[:, None]
        mixed = (1 - SMOOTHING) * listed + SMOOTHING * self.own
        divergence: Floats = (self.own * np.log(self.own / mixed)).sum(1)
        return self.weight * divergence

    def choose(self, at: int) -> None:
        """Its kinds count from now on."""
        self.total = self.total + self.kinds[at]
        self.count += self.counted[at]

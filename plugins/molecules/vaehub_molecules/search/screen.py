"""The pool as a proposer: molecules that exist, as the surrogate ranks them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from vaehub_molecules.search.initial import pool_places
from vaehub_molecules.search.method import SearchState
from vaehub_molecules.search.proposers import Draft, Parents, Proposer


@final
@dataclass(frozen=True)
class Screen(Proposer):
    """The molecules of the pool with the highest mean + `boldness` deviations, of as many as `looked_at` for each that is wanted.

    Arguments:
        looked_at: molecules of the pool that are ranked, for each that is wanted.
        most: that are ranked at once.
        boldness: standard deviations that are added to the mean.
    """

    looked_at: int = 200
    most: int = 20_000
    boldness: float = 1.0
    name: str = "pool"

    def draft(self, state: SearchState, parents: Parents, count: int) -> Draft:
        """The most promising, or random ones where there is no surrogate."""
        places = pool_places(state, min(self.most, self.looked_at * count))
        if parents.surrogate is not None and places:
            mean, deviation = parents.surrogate.predict(state.pool.rows(places))
            order = np.argsort(-(mean + self.boldness * deviation), kind="stable")
            places = [places[i] for i in order]
        texts = [state.pool.smiles[place] for place in places[:count]]
        return Draft([""] * len(texts), texts=texts)

"""Which proposer may spend the next calls: the one whose calls of late were among the best."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from vaehub_molecules.search.buffer import Floats
from vaehub_molecules.search.method import SearchState

LEAST, MOST, SHARE = (
    10,
    100,
    0.1,
)  # a hit is a call among the best tenth of those before it, of at least 10 and at most 100 of them


def hits(scores: Floats) -> NDArray[np.bool_]:
    """(N,) whether each call, when it was answered, came among the best so far; a call without a score (NaN) never does.

    >>> hits(np.array([0.1] * 20 + [0.3, 0.05]))[-2:].tolist()
    [True, False]
    """
    ordered: list[float] = []
    out = np.zeros(len(scores), dtype=bool)
    for i, score in enumerate(scores):
        if np.isnan(score):
            continue
        best = int(np.clip(SHARE * len(ordered), LEAST, MOST))
        out[i] = len(ordered) < best or score > ordered[-best]
        insort(ordered, float(score))
    return out


@final
@dataclass(frozen=True)
class Bandit:
    """Thompson sampling: a call goes to the proposer whose draw from Beta(1 + hits, 1 + misses), of its latest calls, is highest.

    "An Empirical Evaluation of Thompson Sampling" (Chapelle & Li, 2011), NeurIPS 24. Only the latest calls count, since a proposer may be
    good early and not late; one that had no call among them is tried anew.

    Arguments:
        memory: latest calls that are looked at.

    """

    memory: int = 600

    def slots(self, state: SearchState, names: Sequence[str], count: int) -> dict[str, int]:
        """How many of the next `count` calls each of the proposers gets."""
        success = hits(state.targets())[-self.memory :]
        latest = [call.proposal.by for call in state.buffer.calls[-self.memory :]]
        tried, won = Counter(latest), Counter(name for name, hit in zip(latest, success, strict=True) if hit)
        a = np.array([1 + won[name] for name in names])
        b = np.array([1 + tried[name] - won[name] for name in names])
        winners = Counter(state.rng("bandit").beta(a, b, (count, len(names))).argmax(1).tolist())
        return {name: winners[place] for place, name in enumerate(names)}

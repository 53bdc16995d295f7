"""Which candidates are called: the most promising of each proposer, of different scaffolds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from vaehub_molecules.domains.scaffold import scaffold
from vaehub_molecules.search.buffer import Floats, Proposal


def diverse_batch(
    candidates: Sequence[Proposal],
    mean: Floats,
    deviation: Floats,
    slots: Mapping[str, int],
    boldest: float,
    alike: float,
) -> list[int]:
    """Rows to call, each the best of mean + kappa sd among those of its proposer, and of a scaffold that is not yet too frequent.

    kappa goes from 0 to `boldest`, so that a batch both uses and explores: upper confidence bounds, "Gaussian Process Optimization in the
    Bandit Setting" (Srinivas et al., 2010), arXiv:0912.3995. What a proposer cannot fill goes to the others.

    Arguments:
        candidates: N of them.
        mean: (N,) of the surrogate.
        deviation: (N,) of the surrogate.
        slots: calls of each proposer.
        boldest: standard deviations that the boldest call adds to the mean.
        alike: the largest share of the batch with one scaffold.

    >>> candidates = [Proposal(smiles, "pool") for smiles in ("Cc1ccccc1", "Fc1ccccc1", "Cc1ccncc1")]
    >>> diverse_batch(candidates, np.array([3.0, 2.0, 1.0]), np.zeros(3), {"pool": 2}, boldest=1.0, alike=0.5)
    [0, 2]
    """
    owners, count = np.array([proposal.by for proposal in candidates]), sum(slots.values())
    most, frames = max(1, math.ceil(alike * count)), Counter[str]()
    free, chosen = np.ones(len(candidates), dtype=bool), list[int]()
    turns = sorted((share, name) for name, number in slots.items() for share in (np.arange(number) + 0.5) / max(number, 1))
    for share, name in turns:
        while free.any():
            among = free & (owners == name) if (free & (owners == name)).any() else free
            row = int(np.where(among, mean + share * boldest * deviation, -np.inf).argmax())
            free[row] = False
            frame = scaffold(candidates[row].smiles)
            if frames[frame] < most:
                frames[frame] += 1
                chosen.append(row)
                break
    return chosen

"""Validation users who are asked several times, so that few of them tell more.

Letters of shapes: V users, F folds, I items.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from vaehub_recommender.held_out import HeldOut, Split, canonical, subset
from vaehub_recommender.splits import places_from_last

FOLDS = 5  # parts of a user's items; one at a time is held out
ENOUGH = 600  # rows of validation users: fewer users are asked several times
MOST_CELLS = 2**26  # scores of validation rows that are held at once


def folded(split: Split, seed: int) -> Split:
    """The split with validation rows that compare models best: few strangers are asked for every fifth of their items in turn, many but once.

    A user's rows are averaged before users are compared (`by_user`), for they are no independent trials. Users who are in training as well are
    asked for what the split holds out of them alone.
    """
    held = split.val
    most = max(1, MOST_CELLS // held.history.shape[1])
    if len(held) > most:
        at = np.linspace(0, len(held) - 1, most).astype(np.int64)
        return replace(split, val=HeldOut(held.users[at], held.history[at], held.targets[at]))
    folds = min(FOLDS, ENOUGH // len(held), most // len(held))
    if split.known_users or folds < 2:
        return split
    items = canonical(csr_array(held.history + held.targets))
    fold = places_from_last(items, np.zeros(items.nnz, np.int64), seed) % FOLDS
    parts = [(subset(items, fold != number), subset(items, fold == number)) for number in range(folds)]
    history, targets = (csr_array(vstack(kind, format="csr")) for kind in zip(*parts, strict=True))
    asked = np.flatnonzero(np.diff(targets.indptr) * np.diff(history.indptr))
    return replace(split, val=HeldOut(np.tile(held.users, folds)[asked], history[asked], targets[asked]))


def by_user(rows: NDArray[np.float64], held: HeldOut) -> NDArray[np.float64]:
    """The mean of every user's rows, users in order; rows without anything held out have no figure."""
    users = held.users[np.diff(held.targets.indptr) > 0]
    _, place = np.unique(users, return_inverse=True)
    mean: NDArray[np.float64] = np.bincount(place, rows) / np.bincount(place)
    return mean

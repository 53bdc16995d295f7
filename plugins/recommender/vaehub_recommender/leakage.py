"""Whether what a model is judged by was kept from it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from typing import final

import numpy as np
from scipy.sparse import csr_array

from vaehub_recommender.held_out import HeldOut, Positions, Split, occupied


@final
@dataclass(frozen=True)
class Leakage:
    """Counts of what a split should not have, and of what a reader should know of it."""

    known_users: bool  # by design, those who are judged are among the users to learn from
    shared_users: int  # in two of training, validation and test
    shown_pairs: int  # held out, and shown as history of the same user
    learnt_pairs: int  # held out, and in training under the same user
    tested_twice: int  # held out in the test, and in validation
    unlearnt: int  # held out with an item that training never has
    dropped: int  # the same, left out before
    twins: int  # held-out users whose items are exactly those of a training user
    notes: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing leaks; users of the same items may be chance, and items that no one learnt only cost."""
        strangers = self.known_users or not self.shared_users
        return strangers and not (self.shown_pairs or self.learnt_pairs or self.tested_twice)

    def lines(self) -> list[str]:
        """For people."""
        users = "as this way of splitting has it" if self.known_users else "none expected"
        counts = {
            f"users in more than one part ({users})": self.shared_users,
            "held-out interactions that the model is shown": self.shown_pairs,
            "held-out interactions that the model learnt from": self.learnt_pairs,
            "interactions held out for both validation and test": self.tested_twice,
            "held-out interactions with items that training lacks": self.unlearnt,
            "interactions left out, as training lacks the item": self.dropped,
            "held-out users with exactly the items of a training user": self.twins,
        }
        verdict = "no leak found" if self.clean else "LEAK: figures from this split are too good"
        return [verdict, *(f"{what}: {count:,}" for what, count in counts.items()), *self.notes]


def check_leakage(split: Split) -> Leakage:
    """What of the held-out interactions the model could know.

    Arguments:
        split: what is learnt from, chosen by and judged by.

    Returns:
        Counts; `clean` says whether anything leaks, `lines()` all of it as text.

    Example:
        >>> from vaehub_recommender.example import film_ratings
        >>> from vaehub_recommender.splits import strong
        >>> from vaehub_recommender.tables import Columns, training_log
        >>> leakage = check_leakage(strong(training_log(film_ratings(), Columns()).matrix, held_out=10))
        >>> leakage.clean, leakage.lines()[0]
        (True, 'no leak found')
    """
    parts = (split.val, split.test)
    return Leakage(
        known_users=split.known_users,
        shared_users=users_in_several_parts(split.users, split.val.users, split.test.users),
        shown_pairs=sum(common_pairs(held.users, held.targets, held.users, held.history) for held in parts),
        learnt_pairs=sum(common_pairs(held.users, held.targets, split.users, split.train) for held in parts),
        tested_twice=common_pairs(split.val.users, split.val.targets, split.test.users, split.test.targets),
        unlearnt=sum(count_unlearnt(held, split.train) for held in parts),
        dropped=split.dropped,
        twins=0 if split.known_users else sum(count_twins(held, split.train) for held in parts),
        notes=split.notes,
    )


def users_in_several_parts(*parts: Positions) -> int:
    """How many users are in more than one part."""
    _, counts = np.unique(np.concatenate([np.unique(part) for part in parts]), return_counts=True)
    return int((counts > 1).sum())


def common_pairs(rows: Positions, matrix: csr_array, other_rows: Positions, other: csr_array) -> int:
    """How many pairs of a user and an item are in both."""
    users, at, other_at = np.intersect1d(rows, other_rows, return_indices=True)
    return int((matrix[at] != 0).multiply(other[other_at] != 0).nnz) if len(users) else 0


def count_unlearnt(held: HeldOut, train: csr_array) -> int:
    """How many interactions are held out with an item that training never has."""
    return int((~np.isin(held.targets.indices, occupied(train))).sum())


def count_twins(held: HeldOut, train: csr_array) -> int:
    """How many held-out users have exactly the items of a training user."""
    learnt = set(digests(train))
    return sum(own in learnt for own in digests(held.history + held.targets))


def digests(matrix: csr_array) -> list[bytes]:
    """One for each row (B,), the same for rows with the same items."""
    rows = csr_array(matrix).sorted_indices()
    indices = rows.indices.astype(np.int64)
    return [blake2b(indices[start:stop], digest_size=16).digest() for start, stop in pairwise(rows.indptr)]

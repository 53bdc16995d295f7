"""Three ways to keep interactions from a model: of strangers, the last of each user, any of each user."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from vaehub import UsageError
from vaehub_recommender.held_out import Bools, HeldOut, Positions, Split, canonical, occupied, subset
from vaehub_recommender.tables import Log
from vaehub_recommender.tables.cells import rows_of_entries

__all__ = ["HeldOut", "Split", "last_out", "random_out", "strong"]

SEED = 98765
MOST_USERS = 10_000  # for validation and for the test, unless told
FEWEST = 5  # interactions of a user who takes part in strong generalisation
HELD_SHARE = 0.2  # of a stranger's interactions, to be found
WEAK_FEWEST = 3  # interactions of a user who gives one to validation and one to the test


def strong(matrix: csr_array, held_out: float | None = None, seed: int = SEED) -> Split:
    """Strong generalisation: strangers, of whose interactions 80 % are shown and 20 % are to be found.

    Users of 5 interactions or more; items that a training user has; the draws are those of the reference protocol for sorted ids.
    "Variational Autoencoders for Collaborative Filtering" (Liang et al., 2018), arXiv:1802.05814.

    Arguments:
        matrix: interactions (U, I).
        held_out: strangers for validation, and as many for the test; a share below 1; None: a tenth, at most 10,000.
        seed: of the draws.

    Returns:
        The split; no user is in two of its parts.

    Raises:
        UsageError: too few users are left.

    Example:
        >>> from vaehub_recommender.example import film_ratings
        >>> from vaehub_recommender.tables import Columns, training_log
        >>> split = strong(training_log(film_ratings(), Columns()).matrix, held_out=10)
        >>> len(split.users), len(split.val), len(split.test)
        (60, 10, 10)
    """
    matrix = canonical(matrix)
    users = np.flatnonzero(np.diff(matrix.indptr) >= FEWEST)
    count = strangers_count(held_out, len(users))
    left_out = matrix.shape[0] - len(users)
    np.random.default_rng(seed).shuffle(users)
    test, val, rows = (np.sort(part) for part in np.split(users, [count, 2 * count]))
    items = occupied(matrix[rows])
    known = matrix[:, items]
    away = np.concatenate([val, test])
    notes = [f"{left_out:,} users of fewer than {FEWEST} interactions are left out"] if left_out else []
    dropped = matrix[away].nnz - known[away].nnz
    return Split(
        rows, known[rows], items, hold_out_fifth(known, val, 1), hold_out_fifth(known, test, 2), False, dropped, tuple(notes)
    )


def strangers_count(held_out: float | None, users: int) -> int:
    """How many users are kept for validation, and as many for the test."""
    wanted = max(1, min(users // 10, MOST_USERS)) if held_out is None else held_out
    count = int(wanted * users if 0 < wanted < 1 else wanted)
    if count < 1 or users - 2 * count < 1:
        what = f"{count:,} users each for validation and test, of {users:,} with {FEWEST} interactions or more"
        raise UsageError(f"held_out={held_out}: {what}; hold out from 1 to {max(0, (users - 1) // 2):,}, or split by 'random'")
    return count


def hold_out_fifth(matrix: csr_array, users: Positions, seed: int) -> HeldOut:
    """A fifth of the interactions of each user with 5 or more is held out. Raises UsageError where there is no such user."""
    counts = np.diff(matrix.indptr)[users]
    users = users[counts >= FEWEST]
    if len(users) == 0:
        raise UsageError(
            f"no held-out user has {FEWEST} interactions with items that others have; hold out more, or split by 'random'"
        )
    rows, rng = matrix[users], np.random.default_rng(seed)
    out = np.zeros(rows.nnz, bool)
    for start, size in zip(rows.indptr[:-1], np.diff(rows.indptr), strict=True):
        out[start + rng.choice(size, int(HELD_SHARE * size), replace=False)] = True
    return HeldOut(users, subset(rows, ~out), subset(rows, out))


def last_out(log: Log, seed: int = SEED) -> Split:
    """The last interaction of each user for the test, the one before for validation; users of fewer than 3 are only learnt from.

    Of interactions at the same time, chance tells which is the last; warns of that, and of test interactions that lie before training ones,
    as they do unless all users stop at once: "A Critical Study on Data Leakage in Recommender System Offline Evaluation" (Ji et al., 2023),
    doi:10.1145/3569930.

    Arguments:
        log: interactions with times.
        seed: of the draws.

    Raises:
        UsageError: a log without times, or nobody with 3 interactions.

    Example:
        >>> import warnings
        >>> from vaehub_recommender.example import film_ratings
        >>> from vaehub_recommender.tables import Columns, training_log
        >>> with warnings.catch_warnings(action="ignore"):
        ...     split = last_out(training_log(film_ratings(), Columns(time="time")))
        >>> set(np.diff(split.test.targets.indptr).tolist())  # one for each user
        {1}
    """
    if log.times is None:
        raise UsageError("the last interaction of each user is asked for, but there are no times; name their column with time=…")
    place = places_from_last(log.matrix, log.times, seed)
    part = np.where(user_counts(log.matrix) < WEAK_FEWEST, 0, np.maximum(2 - place, 0))
    notes = [*tie_notes(log.matrix, log.times, part), *time_notes(log.times, part)]
    for note in notes:
        warnings.warn(note, UserWarning, stacklevel=2)
    return weak_split(log.matrix, part, notes)


def random_out(log: Log, share: float = 0.1, seed: int = SEED) -> Split:
    """A share of each user's interactions for the test, drawn by chance, and the same share for validation, each one at least.

    Users of fewer than 3 are only learnt from.

    Arguments:
        log: interactions.
        share: of each user's interactions, between 0 and 0.5.
        seed: of the draws.

    Raises:
        UsageError: a share that is not between 0 and 0.5, or nobody with 3 interactions.

    Example:
        >>> from vaehub_recommender.example import film_ratings
        >>> from vaehub_recommender.tables import Columns, training_log
        >>> split = random_out(training_log(film_ratings(), Columns()), share=0.2)
        >>> split.known_users, len(split.test)
        (True, 80)
    """
    if not 0 < share < 0.5:
        raise UsageError(f"share={share}: give what part of each user's interactions is the test, between 0 and 0.5")
    counts = user_counts(log.matrix)
    place = places_from_last(log.matrix, np.zeros(log.matrix.nnz, np.int64), seed)
    size = np.maximum(1, (share * counts).astype(np.int64))
    part = np.where(counts < WEAK_FEWEST, 0, np.select([place < size, place < 2 * size], [2, 1], 0))
    return weak_split(log.matrix, part, ())


def user_counts(matrix: csr_array) -> Positions:
    """How many interactions the user of each interaction has (nnz,)."""
    return np.repeat(np.diff(matrix.indptr), np.diff(matrix.indptr))


def places_from_last(matrix: csr_array, times: Positions, seed: int) -> Positions:
    """How many interactions of the same user come after each (nnz,); chance orders those at the same time."""
    rows = rows_of_entries(matrix)
    order = np.lexsort((np.random.default_rng(seed).random(len(rows)), times, rows))
    after = np.empty(len(rows), np.int64)
    after[order] = matrix.indptr[1:][rows] - 1 - np.arange(len(rows))
    return after


def weak_split(matrix: csr_array, part: Positions, notes: Sequence[str]) -> Split:
    """Users are judged by interactions of part 2, chosen by those of part 1, and learnt from by those of part 0 (nnz,)."""
    train = subset(matrix, part == 0)
    items = occupied(train)
    val = held_out_of(matrix, part < 1, part == 1, items)
    test = held_out_of(matrix, part < 2, part == 2, items)
    if not len(val) or not len(test):
        raise UsageError(
            f"no user of {WEAK_FEWEST} interactions or more with items that are left for training; such a split judges nothing"
        )
    rows = np.flatnonzero(np.diff(train.indptr))
    dropped = int((part > 0).sum()) - val.targets.nnz - test.targets.nnz
    return Split(rows, train[rows][:, items], items, val, test, True, dropped, tuple(notes))


def held_out_of(matrix: csr_array, seen: Bools, held: Bools, items: Positions) -> HeldOut:
    """Users who have something held out among the items."""
    target = subset(matrix, held)[:, items]
    rows = np.flatnonzero(np.diff(target.indptr))
    return HeldOut(rows, subset(matrix, seen)[:, items][rows], target[rows])


def tie_notes(matrix: csr_array, times: Positions, part: Positions) -> list[str]:
    """A note where interactions at the same time are on both sides of the test."""
    rows = rows_of_entries(matrix)
    last = np.full(matrix.shape[0], -1, np.int64)
    test = part == 2
    last[rows[test]] = times[test]
    torn = len(np.unique(rows[(times == last[rows]) & ~test & np.isin(rows, rows[test])]))
    tested = int(test.sum())
    return (
        [f"the last interaction of {torn:,} of {tested:,} users has the same time as others of theirs; chance chose"]
        if torn
        else []
    )


def time_notes(times: Positions, part: Positions) -> list[str]:
    """A note where test interactions lie before training ones, which are then of other users."""
    early = times[part == 2] < times[part == 0].max(initial=np.iinfo(np.int64).min)
    count = f"{early.sum():,} of {len(early):,} test interactions"
    return [f"{count} lie before the last training interaction: the model knows what others did later"] if early.any() else []

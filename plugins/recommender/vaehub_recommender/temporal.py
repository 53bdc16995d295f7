"""One cut in time for everybody: what is before is learnt, what is after is asked for."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from vaehub import UsageError, hints
from vaehub_recommender.held_out import HeldOut, Positions, Split, occupied, subset
from vaehub_recommender.splits import held_out_of
from vaehub_recommender.tables import Log
from vaehub_recommender.tables.cells import rows_of_entries
from vaehub_recommender.tables.decay import places
from vaehub_recommender.tables.log import weighed
from vaehub_recommender.tables.times import Nanoseconds, nanoseconds

Moment: TypeAlias = Any  # a date or time in any form that a column of times has, or a share of the interactions below 1

SHARE = 0.8  # of the interactions that are before the cut, where none is asked for
VALIDATION = 0.1  # of the interactions before the cut: the latest, by which epochs and options are chosen


def temporal(log: Log, at: Moment = None) -> Split:
    """A global cut in time: users are judged by what they had from `at` on, models learn from what everybody had before.

    The latest tenth before the cut is for validation; users who are judged are shown all of theirs before it. Users and items that are there
    only from the cut on are counted, and judge nothing. Unlike the last item of each user, nothing of the future is in training:
    "A Critical Study on Data Leakage in Recommender System Offline Evaluation" (Ji et al., 2023), doi:10.1145/3569930.

    Arguments:
        log: interactions with times.
        at: when the cut is: a date or time as text, stamp or number; below 1 a share of the interactions; by default 0.8.

    Returns:
        The split; its notes say when the cut is and how many users and items are new.

    Raises:
        UsageError: a log without times, no time, or nothing to learn from or to be judged by on one side of it.

    Example:
        >>> from vaehub_recommender.example import film_ratings
        >>> from vaehub_recommender.tables import Columns, training_log
        >>> split = temporal(training_log(film_ratings(), Columns(time="time")), at="2024-06-01")
        >>> split.notes[0]
        'cut at 2024-06-01 00:00:00: 432 interactions before it, 523 from then on'
    """
    if log.times is None:
        raise UsageError("a split in time is asked for, but there are no times; name their column with time=…")
    moment = moment_of(log.times, SHARE if at is None else at)
    before = log.times < moment
    if not before.any() or before.all():
        raise UsageError(f"at={at!r}: {before.sum():,} of {len(before):,} interactions are before it; {time_span(log.times)}")
    latest = np.quantile(log.times[before], 1 - VALIDATION, method="lower")
    part = np.select([log.times < latest, before], [0, 1], 2)
    train = subset(log.matrix, part == 0)
    items, rows = occupied(train), np.flatnonzero(np.diff(train.indptr))
    val, test = (with_history(held_out_of(log.matrix, part < n, part == n, items)) for n in (1, 2))
    if not len(rows) or not len(val) or not len(test):
        raise UsageError(f"at={at!r}: no user has items on both sides of it that training has too; {time_span(log.times)}")
    if log.decay is not None:
        fresher = np.float32(1 / log.decay.ageing(int(log.times[part == 0].max())))
        train, val, test = fresher * train, *(HeldOut(h.users, fresher * h.history, h.targets) for h in (val, test))
    notes = (
        f"cut at {pd.Timestamp(moment)}: {before.sum():,} interactions before it, {(~before).sum():,} from then on",
        *new_notes(log, part),
    )
    dropped = int((part > 0).sum()) - val.targets.nnz - test.targets.nnz
    return Split(rows, train[rows][:, items], items, val, test, True, dropped, notes)


def redated(split: Split, log: Log) -> Split:
    """The split with the weights of a decay by place as they are without what is held out: the last that is shown has the first place."""
    decay, times = log.decay, log.times
    if decay is None or times is None or not decay.recency:
        return split
    width = log.matrix.shape[1]
    cells = rows_of_entries(log.matrix) * width + log.matrix.indices
    full = places(log.matrix, times)

    def weighed_anew(rows: csr_array, users: Positions) -> csr_array:
        own = np.repeat(users, np.diff(rows.indptr)) * width + split.items[rows.indices]
        at = np.searchsorted(cells, own)
        return weighed(rows, (full[at] / places(rows, times[at])) ** decay.recency)

    held = (HeldOut(h.users, weighed_anew(h.history, h.users), h.targets) for h in (split.val, split.test))
    val, test = held
    return replace(split, train=weighed_anew(split.train, split.users), val=val, test=test)


def moment_of(times: Nanoseconds, at: Moment) -> int:
    """The cut in nanoseconds. Raises UsageError for what is no time."""
    if isinstance(at, bool | np.bool_) or at is None:
        raise UsageError(f"at={at!r}: no time; give a date such as '2024-06-01', or a share of the interactions such as 0.8")
    with suppress(TypeError, ValueError):
        if 0 < float(at) < 1:
            return int(np.quantile(times, float(at), method="higher"))
    try:
        return int(nanoseconds(pd.Series([at]), "at")[0])
    except UsageError:
        raise UsageError(f"at={hints.quoted(at)}: no time; give a date such as '2024-06-01', or a share such as 0.8") from None


def with_history(held: HeldOut) -> HeldOut:
    """Those users who are shown something."""
    there = np.flatnonzero(np.diff(held.history.indptr))
    return HeldOut(held.users[there], held.history[there], held.targets[there])


def new_notes(log: Log, part: Positions) -> list[str]:
    """How many users and items of the test are new, and which share of it that leaves out."""
    user = rows_of_entries(log.matrix)
    asked = part == 2
    notes = []
    for kind, name, learnt in ((user, "users", part < 2), (log.matrix.indices, "items", part == 0)):
        new = asked & ~np.isin(kind, kind[learnt])
        count, total = len(np.unique(kind[new])), len(np.unique(kind[asked]))
        notes.append(f"{count:,} of {total:,} {name} of the test are new, and with them {new.sum():,} interactions: not judged")
    return notes


def time_span(times: Nanoseconds) -> str:
    """From when to when there are interactions."""
    return f"they are from {pd.Timestamp(times.min())} to {pd.Timestamp(times.max())}"

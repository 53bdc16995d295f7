"""From a user's table to a log: what is bad is named by its rows, what is double is merged."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pandas as pd

from vaehub import UsageError, hints
from vaehub_recommender.tables.bad_rows import reject
from vaehub_recommender.tables.columns import Columns
from vaehub_recommender.tables.ids import Ids
from vaehub_recommender.tables.lists import flattened, holds_lists
from vaehub_recommender.tables.log import Log, Tally, UserItems, merge, transformed
from vaehub_recommender.tables.support import with_support
from vaehub_recommender.tables.times import Nanoseconds, nanoseconds
from vaehub_recommender.tables.weights import weigh


def training_log(frame: pd.DataFrame, columns: Columns) -> Log:
    """The log that a model can be trained on.

    Arguments:
        frame: a row for every user and item.
        columns: which column is what.

    Raises:
        UsageError: as `interaction_log` does, for a table of one user or of one item, and where `min_user` and `min_item` leave nobody.

    Example:
        >>> training_log(pd.DataFrame({"user": [1, 1], "item": ["a", "b"]}), Columns())
        Traceback (most recent call last):
        vaehub.errors.UsageError: all 2 rows are of one user; a model needs several users
    """
    log = interaction_log(frame, replace(columns, transform=None))
    if not len(log.users):
        raise UsageError(nothing_left(frame, columns))
    return log_to_learn_from(log, columns)


def log_to_learn_from(log: Log, columns: Columns) -> Log:
    """Of a log with the weights of its table, the users and items of enough interactions, with weights as they are to count.

    Raises UsageError where nobody is left, and where one user or one item is.
    """
    if columns.min_user is not None or columns.min_item is not None:
        log = with_support(log, columns.min_user or 1, columns.min_item or 1, columns.seen)
    for count, one, many in ((len(log.users), "user", "users"), (len(log.items), "item", "items")):
        if count == 1:
            raise UsageError(
                f"all {log.tally.rows - log.tally.below_rating:,} rows are of one {one}; a model needs several {many}"
            )
    return transformed(log, columns.transform)


def interaction_log(frame: pd.DataFrame, columns: Columns) -> Log:
    """The log of any table, also of one user; rows of the same user and item are merged.

    Rows below the rating count as seen, unless `columns.seen` is "learnt"; a log may hold nothing else.

    Arguments:
        frame: a row for every user and item, or for every user with a list of items.
        columns: which column is what.

    Returns:
        Ids, a matrix (U, I), times where there are any, and what became of the rows.

    Raises:
        UsageError: names the column and the rows: no rows, a missing id, no number for a weight, a weight that is not above 0, no row of the
            rating asked for where the others do not count as seen.

    Example:
        >>> log = interaction_log(pd.DataFrame({"user": [1, 1, 2], "item": ["b", "a", "b"]}), Columns())
        >>> log.matrix.toarray().tolist()
        [[1.0, 1.0], [0.0, 1.0]]
        >>> log.tally.lines()
        ['3 rows: 3 interactions of 2 users with 2 items']
    """
    if not isinstance(frame, pd.DataFrame):
        raise UsageError(f"interactions: {type(frame).__name__} given; give a DataFrame with a column of users and one of items")
    resolved = columns.resolve(list(frame.columns))
    frame = one_row_a_pair(frame, resolved)
    if len(frame) == 0:
        raise UsageError("the table of interactions has no rows")
    require_ids(frame, resolved)
    weights, keep = weigh(frame, resolved)
    if keep is not None and not keep.any() and resolved.seen == "learnt":
        raise UsageError(nothing_left(frame, resolved))
    kept = frame[resolved.needed] if keep is None else frame.loc[keep, resolved.needed]
    users, user = Ids.coded(kept[resolved.user])
    items, item = Ids.coded(kept[resolved.item])
    matrix, times = merge(user, item, (len(users), len(items)), weights, times_of(kept, resolved, columns.time is not None))
    tally = Tally(len(frame), len(frame) - len(kept), len(kept) - matrix.nnz, len(users), len(items), matrix.nnz)
    log = Log(users, items, matrix, times, tally, None if keep is None else seen_below(frame[~keep], resolved))
    return transformed(log, columns.transform)


def seen_below(below: pd.DataFrame, columns: Columns) -> UserItems | None:
    """The pairs of the rows below the rating, where these count as seen."""
    if columns.seen == "learnt" or not len(below):
        return None
    return UserItems.of(below[columns.user], below[columns.item])


def nothing_left(frame: pd.DataFrame, columns: Columns) -> str:
    """What is said where no row has the rating."""
    resolved = columns.resolve(list(frame.columns))
    return (
        f"none of {len(frame):,} rows has {resolved.weight} >= {resolved.min_rating:g}; lower min_rating, or name another weight"
    )


def one_row_a_pair(frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """The rows with lists of items taken apart, and lists of weights or times with them. Raises UsageError where these are not as long."""
    if not holds_lists(frame[columns.item]):
        return frame
    items = flattened(frame[columns.item])
    parts = {}
    for name in columns.needed:
        lists = flattened(frame[name]) if holds_lists(frame[name]) else None
        if lists is not None and (lists.lengths != items.lengths).any():
            at = int((lists.lengths != items.lengths).argmax())
            raise UsageError(
                f"row {at}: {items.lengths[at]} items and {lists.lengths[at]} of {hints.quoted(name)}; give as many of each"
            )
        parts[name] = frame[name].array.take(items.rows) if lists is None else lists.items
    return pd.DataFrame(parts)


def require_ids(frame: pd.DataFrame, columns: Columns) -> None:
    """Raise UsageError where a row has no user or no item."""
    for name in (columns.user, columns.item):
        remedy = f"drop such rows: frame.dropna(subset=[{name!r}])"
        reject(frame[name].isna().to_numpy(bool), str(name), frame[name], "is no id", remedy)


def times_of(frame: pd.DataFrame, columns: Columns, named: bool) -> Nanoseconds | None:
    """The times (R,); a column that is only called like one and cannot be read is left out, with a warning."""
    if columns.time is None:
        return None
    try:
        return nanoseconds(frame[columns.time].reset_index(drop=True), columns.time)
    except UsageError as error:
        if named:
            raise
        warnings.warn(f"column {columns.time!r} is not used as time: {error}", UserWarning, stacklevel=4)
        return None

"""Windows of time in which items may be shown: from a first moment on, until another that is not in it any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub import UsageError, hints
from vaehub_recommender.tables.columns import only_one, with_usual_names
from vaehub_recommender.tables.times import nanoseconds

Bools: TypeAlias = NDArray[np.bool_]

FROM = {"from", "availablefrom", "validfrom"}  # as `tables.columns` has names: without case, blanks and underscores
UNTIL = {"until", "availableuntil", "validuntil"}


def window_columns(names: Sequence[Any]) -> tuple[str | None, str | None]:
    """The columns of beginnings and of ends, each None where there is none."""
    return only_one(with_usual_names(names, FROM)), only_one(with_usual_names(names, UNTIL))


def without_windows(table: pd.DataFrame | None) -> pd.DataFrame | None:
    """The columns that say what items are, and not when they may be shown; None where there are none but ids."""
    if table is None:
        return None
    described = table.drop(columns=[name for name in window_columns(list(table.columns)) if name is not None])
    return described if described.shape[1] > 1 else None


def open_at(table: pd.DataFrame, at: int) -> Bools:
    """Which rows have from <= at < until (R,); a window without a beginning or an end is open there.

    Arguments:
        table: with columns from and until, or one of them, in any form that a column of times may have.
        at: nanoseconds since 1970.

    Raises:
        UsageError: it has neither column, or one that cannot be read.

    Example:
        >>> windows = pd.DataFrame({"item": ["a", "b"], "from": ["2024-01-01", "2025-01-01"], "until": [None, "2026-01-01"]})
        >>> open_at(windows, time_of("2024-06-01")).tolist()
        [True, False]
    """
    start, end = window_columns(list(table.columns))
    if start is None and end is None:
        raise UsageError("available: no column of windows; give a table with item, from and until, or one of the two")
    found = np.ones(len(table), bool)
    if start is not None:
        found &= moments(table[start], np.iinfo(np.int64).min) <= at
    if end is not None:
        found &= at < moments(table[end], np.iinfo(np.int64).max)
    return found


def moments(column: pd.Series[Any], missing: int) -> NDArray[np.int64]:
    """A column of times as nanoseconds (R,)."""
    there = column.notna().to_numpy(bool)
    found = np.full(len(column), missing, np.int64)
    if there.any():
        found[there] = nanoseconds(column[there].reset_index(drop=True), str(column.name))
    return found


def time_of(at: Any) -> int:
    """A moment as nanoseconds since 1970: a stamp, a date, text, a count as in a column of times, or "now". Raises UsageError for all else.

    Example:
        >>> time_of("1970-01-02") // 10**9
        86400
    """
    if isinstance(at, str) and at == "now":
        return pd.Timestamp.now("UTC").value
    try:
        return int(nanoseconds(pd.Series([at]), "at")[0])
    except (UsageError, ValueError, TypeError, OverflowError):
        raise UsageError(
            f"at: {hints.quoted(at)} is no time; give a stamp such as '2024-12-31 18:00', a date, or 'now'"
        ) from None

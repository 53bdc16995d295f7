"""Rows of a long table, cut so that no user is torn in two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub import UsageError, hints
from vaehub_recommender.tables.cells import coded

SORT = "a file that is read in pieces has all rows of a user together: sort it by user"


def whole_users(frames: Iterable[pd.DataFrame], user: str) -> Iterator[pd.DataFrame]:
    """The same rows, cut between users. Raises UsageError where rows of a user are apart within a piece."""
    rest: pd.DataFrame | None = None
    for frame in frames:
        joined = frame if rest is None else pd.concat([rest, frame], ignore_index=True)
        cut = last_start(joined[user])
        rest = joined.iloc[cut:]
        if cut:
            yield joined.iloc[:cut]
    if rest is not None and len(rest):
        yield rest


def last_start(column: pd.Series[Any]) -> int:
    """Where the rows of the last user begin. Raises UsageError where a user begins twice."""
    codes, distinct = coded(column)
    starts = np.flatnonzero(np.diff(codes, prepend=-2))
    begun = codes[starts]
    if len(begun) > len(np.unique(begun)):
        again = begun[pd.Series(begun).duplicated().to_numpy()][0]
        raise UsageError(
            f"column {hints.quoted(column.name)}: rows of {hints.quoted(distinct.tolist()[again])} are not together; {SORT}"
        )
    return int(starts[-1]) if len(starts) else 0


@final
class UniqueUsers:
    """Which users there were, 8 bytes each, so that one who comes back is found out."""

    def __init__(self) -> None:
        self._seen: list[NDArray[np.uint64]] = []

    def add(self, users: pd.Index[Any]) -> None:
        """These users are done."""
        self._seen.append(np.asarray(pd.util.hash_pandas_object(pd.Series(users), index=False), np.uint64))

    def check(self) -> None:
        """Raise UsageError where a user came twice."""
        seen = np.concatenate(self._seen) if self._seen else np.zeros(0, np.uint64)
        twice = len(seen) - len(np.unique(seen))
        if twice:
            raise UsageError(f"{twice:,} of the users come again after others; {SORT}")

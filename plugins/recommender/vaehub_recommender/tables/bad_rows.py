"""Rows of the user's table, in messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub import UsageError, hints

Bools = NDArray[np.bool_]


def rows(bad: Bools, most: int = 3) -> str:
    """The first of the rows that are meant, counted from 0, and how many they are."""
    at = np.flatnonzero(bad)
    more = f" and {len(at) - most:,} more" if len(at) > most else ""
    return f"row {', '.join(map(str, at[:most]))}{more}"


def reject(bad: Bools, column: str, values: pd.Series[Any], what: str, remedy: str) -> None:
    """Raise UsageError that names the rows where something is bad, and the first bad value."""
    if bad.any():
        first = values.iloc[int(bad.argmax())]
        value = hints.quoted(first.item() if isinstance(first, np.generic) else first)
        raise UsageError(f"{rows(bad)}: column {hints.quoted(column)}: {value} {what}; {remedy}")

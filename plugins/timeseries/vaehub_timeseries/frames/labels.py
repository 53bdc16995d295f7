"""Names of columns and values of cells, in messages and in JSON."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import cast

import pandas as pd

from vaehub import UsageError, hints


def row_label(frame: pd.DataFrame, position: int) -> str:
    """A row as messages call it: counted from 0, with its label where the index has labels of its own."""
    return f"row {position}" if isinstance(frame.index, pd.RangeIndex) else f"row {position} ({frame.index[position]})"


def row_labels(frame: pd.DataFrame, positions: Iterable[int], most: int = 3) -> str:
    """The first of several rows."""
    found = list(positions)
    more = f" and {len(found) - most:,} more" if len(found) > most else ""
    return ", ".join(row_label(frame, position) for position in found[:most]) + more


def column_label(label: Hashable) -> str:
    """A column as messages call it; an index often has no name."""
    return "the index" if label is None else f"column {hints.quoted(label)}"


def find_label(label: Hashable, labels: Iterable[Hashable], option: str) -> Hashable:
    """`label`, where it is one of the labels. Raises UsageError that names the option and the nearest label."""
    choices = list(labels)
    if label in choices:
        return label
    raise UsageError(f"{option}={label!r} (--{option}): no such column; {hints.did_you_mean(str(label), map(str, choices[:50]))}")


def place_of(frame: pd.DataFrame, label: Hashable) -> int:
    """Where a column stands; names are unique."""
    return cast(int, frame.columns.get_loc(label))


def column_of(frame: pd.DataFrame, label: Hashable) -> pd.Series:
    """A column by its name, its rows numbered from 0."""
    column = frame.iloc[:, place_of(frame, label)]
    return pd.Series(column.array, dtype=column.dtype, name=label, copy=False)

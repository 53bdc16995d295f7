"""Ids as callers give them: one reading of every container, and what is said of ids that a model does not know."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence, Sized
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import issparse

from vaehub import UsageError, arguments, hints
from vaehub_recommender.tables.cells import Cells
from vaehub_recommender.tables.columns import ITEM, find_column
from vaehub_recommender.tables.frames import pandas_of
from vaehub_recommender.tables.ids import Ids

NAMED = 3  # of the unknown ids in a message
PLENTY = 1000  # unknown ids that are compared with those of the model as text


def read_once(given: Any) -> Any:
    """What is given: an iterator as a list, as looking into it once would lose its first element; a column of Arrow as a list of values.

    An array without dimensions is its value.
    """
    if isinstance(given, pa.Array | pa.ChunkedArray):
        return given.to_pylist()
    if isinstance(given, np.ndarray) and given.ndim == 0:
        return given.item()
    one_shot = isinstance(given, Iterable) and not isinstance(given, Sized) and not issparse(given)
    return list(given) if one_shot else given


def given_ids(name: str, given: Any, ids: Ids, column: str | None = None) -> list[Any]:
    """The ids in a list, set, array, Series, Index, iterator, or frame with a column of items.

    Arguments:
        name: of the argument, for messages.
        given: the container.
        ids: those that the model knows.
        column: of the items in a frame; by default its only one, or the one with a usual name.

    Raises:
        UsageError: a lone word or number, a mapping, a table of several dimensions, a mask of True and False.

    Example:
        >>> given_ids("block", (n for n in [3, 4]), Ids.of([3]))
        [3, 4]
        >>> given_ids("block", "i5", Ids.of(["i5"]))
        Traceback (most recent call last):
        vaehub.errors.UsageError: block: should be a list of items, not 'i5'; give ['i5']
    """
    given = read_once(pandas_of(name, given))
    if isinstance(given, pd.DataFrame):
        given = given[item_column(list(given.columns), column)]
    if isinstance(given, str | bytes):
        raise UsageError(f"{arguments.wrong_argument(name, given, 'a list of items')}; give [{hints.quoted(given)}]")
    flat = not isinstance(given, np.ndarray) or given.ndim == 1
    if not isinstance(given, Iterable) or isinstance(given, Mapping) or issparse(given) or not flat:
        raise arguments.wrong_argument(name, given, "a list of items")
    values = given.tolist() if isinstance(given, pd.Series | pd.Index | np.ndarray) else list(given)
    refuse_mask(name, values, ids)
    return values


def item_column(names: Sequence[Any], column: str | None) -> Any:
    """The column that is called as in training, else the only one, else the one that looks like items."""
    if column in names or len(names) == 1:
        return column if column in names else names[0]
    return find_column(None, names, "item", ITEM)


def refuse_mask(name: str, values: Cells | Sequence[Any], ids: Ids) -> None:
    """Raise UsageError for flags in place of ids: Python takes True for 1 and False for 0."""
    if isinstance(values, np.ndarray) and values.dtype.kind not in "bO":
        return
    if not len(values) or not all(isinstance(value, bool | np.bool_) for value in values):
        return
    if not any(isinstance(value, bool | np.bool_) for value in ids.values):
        raise UsageError(
            f"{name}: {len(values):,} flags given, and ids wanted; give the ids where the mask is true, as items[mask]"
        )


def known_positions(name: str, values: list[Any], ids: Ids) -> NDArray[np.int64]:
    """The positions of the ids that the model knows; the others are counted in a warning. Raises UsageError where it knows none."""
    at = ids.positions(values) if values else np.zeros(0, np.int64)
    require_known(name, [values[place] for place in np.flatnonzero(at < 0)], len(at), ids)
    return at[at >= 0]


def require_known(name: str, unknown: Sequence[Any], count: int, ids: Ids, number: int | None = None) -> None:
    """Warn of ids that the model does not know. Raises UsageError where it knows none.

    Arguments:
        name: of the argument.
        unknown: those of the ids that are not known, or some of them.
        count: of all ids.
        ids: those that the model knows.
        number: of the ids that are not known, where not all of them are given.
    """
    number = len(unknown) if number is None else number
    if number == count:
        said = f"the model knows none of {count:,} ({example_ids(unknown)})"
        raise UsageError(f"{name}: {said}; {type_hint(unknown, ids) or 'give ids as they are in the training table'}")
    if number:
        hint = type_hint(unknown, ids)
        said = f"{number:,} of {count:,} are unknown to the model and left out ({example_ids(unknown)})"
        warnings.warn(f"{name}: {said}{hint and '; '}{hint}", UserWarning, stacklevel=2)


def type_hint(unknown: Iterable[Any], ids: Ids) -> str:
    """What is to be said where an id is known to the model under another type or with other blanks, else nothing.

    Example:
        >>> type_hint(["8", "7"], Ids.of([7]))
        "it knows 7 (int), and was given '7' (str)"
    """
    values = [value for value, _ in zip(unknown, range(PLENTY), strict=False)]
    texts = [value.decode(errors="replace") if isinstance(value, bytes) else str(value).strip() for value in values]
    for value, at in zip(values, ids.spelled(texts).tolist(), strict=True):
        if at >= 0:
            (known,) = ids.take(np.array([at])).tolist()
            return f"it knows {hints.quoted(known)} ({type(known).__name__}), and was given {hints.quoted(value)} ({type(value).__name__})"
    return ""


def example_ids(unknown: Sequence[Any]) -> str:
    """Some of the ids, as messages name them."""
    return ", ".join(map(hints.quoted, unknown[:NAMED])) + (", …" if len(unknown) > NAMED else "") or "none given"

"""The vocabulary: which id stands at which position."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd
import pyarrow as pa

from vaehub_recommender.tables import packing
from vaehub_recommender.tables.cells import Positions, Values, as_int64, coded

if TYPE_CHECKING:
    from vaehub import Json


@final
class Ids:
    """position <-> id. An id is whatever can be looked up, in the dtype it came with; two are one where Python calls them equal.

    Arguments:
        values: (n,) distinct ids, each at its position.

    Example:
        >>> ids = Ids.of(["b", "a", "b"])
        >>> ids.values.tolist(), ids.positions(["b", "c"]).tolist()
        (['a', 'b'], [1, -1])
        >>> Ids.of([7, 8]).spelled(["8"]).tolist()
        [1]
    """

    def __init__(self, values: pd.Index[Any]) -> None:
        self.values = values  # (n,) distinct

    @staticmethod
    def of(values: Values | Iterable[Any]) -> Ids:
        """The distinct ids among `values`, sorted where they can be, so that the order of rows does not matter; missing ones are left out."""
        return Ids.coded(values)[0]

    @staticmethod
    def coded(values: Values | Iterable[Any]) -> tuple[Ids, Positions]:
        """The ids and the position of each value (R,), -1 where it is missing. Raises UsageError for a value that cannot be looked up."""
        codes, distinct = coded(values)
        order = sort_order(distinct)
        place = np.full(len(order) + 1, -1)
        place[order] = np.arange(len(order))
        return Ids(distinct.take(order)), place[codes]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def whole(self) -> bool:
        """Whether all ids are whole numbers."""
        return self._numbers is not None

    def positions(self, values: Values | Iterable[Any]) -> Positions:
        """The position of each value (R,), -1 where it is unknown or missing."""
        codes, distinct = coded(values)
        return np.append(self._find(distinct), -1)[codes]

    def spelled(self, text: Iterable[str]) -> Positions:
        """The position of each id as it is written in a file or at a prompt (R,): "7" may be the text or the number 7, as may "7.0" where all ids
        are whole numbers; -1 where unknown.
        """
        codes, distinct = coded(pd.Series(list(text), dtype=object))
        ending = ".0" if self.whole else ""  # of whole numbers in a column of floats
        found = [self._of_id.get(word, self._of_text.get(word.removesuffix(ending), -1)) for word in distinct]
        return np.array([*found, -1], np.int64)[codes]

    def take(self, positions: Positions) -> pd.Index[Any]:
        """The ids at `positions` (R,), none of them negative."""
        return self.values.take(positions)

    def plus(self, values: Values | Iterable[Any]) -> Ids:
        """These ids at their positions, and after them the unknown among `values`, sorted."""
        distinct = coded(values).distinct
        new = Ids.of(distinct[self._find(distinct) < 0]).values
        return Ids(joined(self.values, new)) if len(new) else self

    def to_json(self) -> Json:
        """The ids with their types. Raises UsageError for one of a type that no file can hold."""
        return packing.pack(self.values)

    @staticmethod
    def from_json(packed: Json) -> Ids:
        """What `to_json` packed. Raises UsageError where it is damaged."""
        return Ids(packing.unpack(packed))

    def arrow(self) -> pa.Array:
        """The ids as an Arrow array (n,), the values of a dictionary; those that Arrow has no type for as text."""
        return packing.to_arrow(self.values)

    def _find(self, distinct: pd.Index[Any]) -> Positions:
        """The position of each distinct value, -1 where unknown."""
        numbers = as_int64(distinct)
        if self._numbers is not None and numbers is not None:
            return self._numbers.get_indexer(pd.Index(numbers)).astype(np.int64)
        return np.fromiter((self._of_id.get(value, -1) for value in distinct.tolist()), np.int64, len(distinct))

    @cached_property
    def _numbers(self) -> pd.Index[Any] | None:
        numbers = as_int64(self.values)
        return None if numbers is None else pd.Index(numbers)

    @cached_property
    def _of_id(self) -> dict[Hashable, int]:
        return {value: at for at, value in enumerate(self.values.tolist())}

    @cached_property
    def _of_text(self) -> dict[str, int]:
        return {str(value): at for at, value in enumerate(self.values.tolist())}


def sort_order(distinct: pd.Index[Any]) -> Positions:
    """The order in which values are sorted; values of several types by type first, and as they come where a type has no order."""
    with suppress(TypeError):
        return np.asarray(distinct.argsort(), np.int64)
    values = distinct.tolist()
    with suppress(TypeError):
        return np.array(sorted(range(len(values)), key=lambda at: (type(values[at]).__name__, values[at])), np.int64)
    return np.arange(len(values))


def joined(known: pd.Index[Any], new: pd.Index[Any]) -> pd.Index[Any]:
    """Both, in the dtype of the known ids where it holds all of them unchanged, else as Python's own objects."""
    if len(known) == 0:
        return new
    if known.dtype == new.dtype:
        return known.append(new)
    numbers = [part for part in (as_int64(known), as_int64(new)) if part is not None]
    if len(numbers) == 2:
        return pd.Index(np.concatenate(numbers))
    return pd.Index([*known.tolist(), *new.tolist()], dtype=object, tupleize_cols=False)

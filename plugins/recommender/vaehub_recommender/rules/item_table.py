"""What is known of the items of a catalogue, and which of them a filter or a moment lets pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub_recommender.rules.expression import passing
from vaehub_recommender.rules.windows import open_at, window_columns
from vaehub_recommender.tables import Ids
from vaehub_recommender.tables.columns import ITEM, find_column

Bools: TypeAlias = NDArray[np.bool_]


@final
@dataclass(frozen=True)
class ItemTable:
    """Rows of items (R,) at these positions (R,) of a catalogue of so many items; `column` has their ids.

    Example:
        >>> films = pd.DataFrame({"item": ["b", "x"], "year": [1994, 1994], "until": ["2024-01-01", None]})
        >>> table = ItemTable.of(films, None, Ids.of(["a", "b"]))
        >>> table.passing("year > 1990").tolist()  # of "a" nothing is known
        [False, True]
    """

    rows: pd.DataFrame
    positions: NDArray[np.int64]
    items: int
    column: str

    @staticmethod
    def of(frame: pd.DataFrame, column: str | None, ids: Ids) -> ItemTable:
        """Of a frame with a column of ids; rows of other items are left out. Raises UsageError where that column is absent or in doubt."""
        name = column if column is not None and column in frame.columns else find_column(None, list(frame.columns), "item", ITEM)
        place = ids.positions(frame[name])
        return ItemTable(frame[place >= 0].reset_index(drop=True), place[place >= 0], len(ids), name)

    @property
    def has_windows(self) -> bool:
        """Whether it says when items may be shown."""
        return window_columns(list(self.rows.columns)) != (None, None)

    def passing(self, text: str) -> Bools:
        """Which items an expression is true for (I,); none of those without a row."""
        found = np.zeros(self.items, bool)
        found[self.positions[passing(text, self.rows)]] = True
        return found

    def available(self, at: int) -> Bools:
        """Which items may be shown at a moment (I,): in one of their windows, or without any."""
        found = np.ones(self.items, bool)
        found[self.positions] = False
        found[self.positions[open_at(self.rows, at)]] = True
        return found

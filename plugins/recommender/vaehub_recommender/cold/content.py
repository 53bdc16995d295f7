"""What the table of items says of them as numbers: of those that a model has learnt, and of others that nobody has yet.

Letters of shapes: I items of the model, N others, F numbers.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import pandas as pd
from pandas.api.types import is_float_dtype

from vaehub import UsageError, hints
from vaehub_recommender.side_features import Floats, SideFeatures
from vaehub_recommender.tables import Ids
from vaehub_recommender.tables.columns import named_column
from vaehub_recommender.traits import content_trait_of

EXACT = 2**53  # whole numbers below it are floats without rounding


@final
@dataclass(frozen=True)
class Content:
    """Features of items, for a regression on them.

    Arguments:
        features: how a table of items is read.
        learnt: (I, F) of the items of the model, 0 for those without a row.
        ids: of items that nobody has.
        new: (N, F) their features.

    Example:
        >>> films = pd.DataFrame({"item": ["a", "b", "c"], "genre": ["War", "Noir", "War|Noir"]})
        >>> content = Content.of(films, "item", Ids.of(["a", "b"]))
        >>> content.ids.values.tolist(), content.new.tolist()
        (['c'], [[1.0, 1.0]])
    """

    features: SideFeatures
    learnt: Floats
    ids: Ids
    new: Floats

    @staticmethod
    def of(frame: pd.DataFrame, column: str | None, items: Ids) -> Content | None:
        """What a table says of the items of a model and of others; None where no column says anything."""
        with warnings.catch_warnings(action="ignore"):  # the same as the embeddings' start has warned of
            try:
                features, learnt = SideFeatures.fit(frame, column, items, content_trait_of)
            except UsageError:
                return None
        empty = Content(features, learnt, Ids.of([]), np.zeros((0, features.width), np.float32))
        return empty.with_rows(frame, items)

    @cached_property
    def described(self) -> np.ndarray:
        """Which items of the model have features (I,)."""
        found: np.ndarray = (self.learnt != 0).any(1)
        return found

    def with_rows(self, frame: pd.DataFrame, items: Ids) -> Content:
        """With the rows of other items than those of the model; a row of an item that is there already replaces its features.

        Raises UsageError for a column that is absent or of another kind, an item that is missing or has two rows.
        """
        column = frame[named_column(self.features.column, list(frame.columns), "column")]
        if column.isna().any():
            raise UsageError(
                f"row {int(column.isna().to_numpy().argmax())}: column {hints.quoted(column.name)}: no id; drop such rows"
            )
        if items.whole and are_whole(column):
            column = column.astype(np.int64)
            frame = frame.assign(**{str(column.name): column})
        others = frame[items.positions(column) < 0]
        ids = self.ids.plus(others[self.features.column])
        new = np.zeros((len(ids), self.features.width), np.float32)
        new[: len(self.new)] = self.new
        given = Ids.of(others[self.features.column])
        if len(given):
            new[ids.positions(given.values)] = self.features.of_ids(others, given)
        return Content(self.features, self.learnt, ids, new)

    def after(self, before: Ids, items: Ids) -> Content:
        """The same for a model that has learnt more items: those that were new to it and are learnt now are no longer new."""
        learnt = np.zeros((len(items), self.features.width), np.float32)
        learnt[items.positions(before.values)] = self.learnt
        place = items.positions(self.ids.values)
        learnt[place[place >= 0]] = self.new[place >= 0]
        return Content(self.features, learnt, Ids(self.ids.values[place < 0]), self.new[place < 0])


def are_whole(column: pd.Series) -> bool:
    """Whether floats are whole numbers, as programs write those of a column with gaps."""
    return is_float_dtype(column.dtype) and bool(((column % 1 == 0) & (column.abs() < EXACT)).all())

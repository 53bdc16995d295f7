"""What items are called and of what kind they are, as far as a table of them says.

Letters of shapes: I items, K kinds, N rows of the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from pandas.api import types
from scipy.sparse import csr_array

from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.report.findings import Words
from vaehub_recommender.tables.columns import ITEM, id_column
from vaehub_recommender.traits import split_words

MOST_KINDS = 8  # kinds that are told apart
OTHER = "other"
NAME_SHARE = 0.5  # different words a cell, above which they are names


@final
@dataclass(frozen=True)
class Kinds:
    """Kinds, the one with most interactions first, and which items (I, K) are of which."""

    words: tuple[str, ...]
    matrix: csr_array

    def of_items(self) -> Words:
        """The least common of the kinds of each item (I,), which says most; OTHER for what is of none."""
        there = np.diff(self.matrix.indptr) > 0
        last = np.full(self.matrix.shape[0], len(self.words))
        last[there] = self.matrix.indices[self.matrix.indptr[1:][there] - 1]
        return np.array([*self.words, OTHER], dtype=object)[last]

    def of_users(self, matrix: csr_array, users: csr_array) -> Words:
        """The kind of which users (B, I) have most, beside what all `users` (U, I) have of it; OTHER where they have none."""
        usual = shares((users.sum(0) @ self.matrix)[None])
        own = shares(np.asarray(matrix.astype(bool).astype(float) @ self.matrix.todense()))
        words = np.array([*self.words, OTHER], dtype=object)
        best: Words = words[np.where(own.any(1), (own / usual.clip(1e-9)).argmax(1), len(self.words))]
        return best


def shares(counts: Any) -> Any:
    """Rows that sum to 1, or are 0."""
    return counts / np.maximum(counts.sum(1, keepdims=True), 1)


def names_of(fitted: Fitted) -> Words:
    """What each item (I,) is called: the first column of the table of items in which most are of their own, by default its id."""
    ids = np.array([str(item) for item in fitted.items.values], dtype=object)
    for column in item_columns(fitted):
        if words_per_cell(column) > NAME_SHARE:
            return np.where(column.isna(), ids, column.astype(str))
    return ids


def kinds_of(fitted: Fitted) -> Kinds | None:
    """The first column of words of the table of items, as its most common ones; None where there is no such column."""
    for column in item_columns(fitted):
        if 0 < words_per_cell(column) <= NAME_SHARE:
            return kinds_in(column, np.bincount(fitted.log.matrix.indices, minlength=len(fitted.items)))
    return None


def words_per_cell(column: pd.Series[Any]) -> float:
    """How many different words there are for each cell that has any; 0 for numbers."""
    row, word = split_words(column.iloc[:0] if types.is_numeric_dtype(column) else column)
    return len(set(word)) / max(1, len(set(row.tolist())))


def kinds_in(column: pd.Series[Any], counts: Any) -> Kinds:
    """The kinds in a column (I,) of words for items that so many users (I,) have."""
    row, word = split_words(column)
    code, words = pd.factorize(np.array(word, dtype=object))
    weight = np.bincount(code, counts[row])
    order = np.argsort(-weight, kind="stable")[:MOST_KINDS]
    place = np.full(len(words), -1)
    place[order] = np.arange(len(order))
    keep = place[code] >= 0
    cells = (np.ones(keep.sum()), (row[keep], place[code][keep]))
    return Kinds(tuple(words[order]), csr_array(cells, shape=(len(column), len(order))))


def item_columns(fitted: Fitted) -> Iterator[pd.Series[Any]]:
    """The columns of the table of items, if there is one, in the order of the catalogue (I,)."""
    frame = fitted.frames["item"]
    if frame is None:
        return
    name = id_column(fitted.columns.item, list(frame.columns), "item", ITEM)
    place = fitted.items.positions(frame[name])
    known = frame[place >= 0].set_axis(place[place >= 0], axis=0)
    ordered = known[~known.index.duplicated()].reindex(range(len(fitted.items)))
    yield from (ordered[column] for column in ordered.columns if column != name)

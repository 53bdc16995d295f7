"""One column of what is known of users or items, as numbers."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from vaehub import UsageError, hints
from vaehub_recommender.tables.lists import LISTS, holds_lists, row_items

if TYPE_CHECKING:
    from vaehub import Json

Floats: TypeAlias = NDArray[np.float64]
Column: TypeAlias = "pd.Series[Any]"

SEPARATOR = "|"  # several words in a cell: Comedy|Drama
MOST_WORDS = 1000
FREE_TEXT = 50  # different words, more of them than half of the rows: names, titles, not categories
HUGE = 1e100  # its square is still finite
MOST_TEXT_WORDS = 1000  # of a column of text: those that the most rows have
WORD = re.compile(r"\w+")
KNOTS = 9  # between which a number counts in straight lines


@dataclass(frozen=True)
class Trait(ABC):
    """A column (R,) as numbers (R, width), all 0 where nothing is known."""

    name: str

    @property
    @abstractmethod
    def width(self) -> int:
        """How many numbers there are for a row."""

    @abstractmethod
    def encode(self, column: Column) -> Floats:
        """Numbers (R, width). Raises UsageError for a column of another kind."""

    def to_json(self) -> Json:
        """The trait as JSON can hold it."""
        return asdict(self) | {"kind": type(self).__name__.lower()}


@final
@dataclass(frozen=True)
class Number(Trait):
    """(x - mean) / scale of a number, a flag or a date."""

    mean: float
    scale: float
    width = 1

    @staticmethod
    def fit(column: Column) -> Number | None:
        """With mean 0 and standard deviation 1 over the rows; None where all are the same."""
        values = numbers(column)
        known = values[~np.isnan(values)]
        scale = float(known.std()) if len(known) else 0.0
        return Number(str(column.name), float(known.mean()), scale) if scale > 0 else None

    def encode(self, column: Column) -> Floats:
        """Standardised, one number a row."""
        return np.nan_to_num((numbers(column) - self.mean) / self.scale)[:, None]


@final
@dataclass(frozen=True)
class Category(Trait):
    """1 for each word of a cell; a word that is not known counts nothing."""

    words: tuple[str, ...]

    @staticmethod
    def fit(column: Column) -> Category | None:
        """All words; None where there are so many that they are names or free text."""
        _, word = split_words(column)
        known = sorted(set(word))
        free = len(known) > MOST_WORDS or len(known) > max(FREE_TEXT, len(column) / 2)
        return None if free or not known else Category(str(column.name), tuple(known))

    @property
    def width(self) -> int:
        """One number for each word."""
        return len(self.words)

    def encode(self, column: Column) -> Floats:
        """Ones and zeros."""
        row, word = split_words(column)
        place = pd.Index(self.words).get_indexer(pd.Index(word, dtype=object))
        out = np.zeros((len(column), self.width))
        out[row[place >= 0], place[place >= 0]] = 1
        return out


@final
@dataclass(frozen=True)
class Vector(Trait):
    """Lists of numbers of one length, such as embeddings: (x - mean) / scale, of mean length 1 over the rows."""

    mean: tuple[float, ...]
    scale: float

    @staticmethod
    def fit(column: Column) -> Vector | None:
        """None where all rows are the same. Raises UsageError for lists of several lengths, and for what is no number."""
        rows = vectors(column, None)
        known = rows[~np.isnan(rows).any(1)]
        mean = known.mean(0)
        scale = float(np.sqrt(np.square(known - mean).sum(1).mean()))
        return Vector(str(column.name), tuple(mean.tolist()), scale) if scale > 0 else None

    @property
    def width(self) -> int:
        """One number for each of a list."""
        return len(self.mean)

    def encode(self, column: Column) -> Floats:
        """Centred and scaled."""
        scaled: Floats = np.nan_to_num((vectors(column, self.width) - np.array(self.mean)) / self.scale)
        return scaled


@final
@dataclass(frozen=True)
class Words(Trait):
    """Free text by its words: tf-idf, each row of length 1. Rare words weigh more: log((1 + R) / (1 + rows with the word)).

    "A statistical interpretation of term specificity and its application in retrieval" (Sparck Jones, 1972), doi:10.1108/eb026526.
    """

    words: tuple[str, ...]
    weights: tuple[float, ...]

    @staticmethod
    def fit(column: Column) -> Words | None:
        """The words that two rows or more have; None where there is none."""
        rows = [set(words) for words in texts(column)]
        found = Counter(word for row in rows for word in row)
        most = sorted((-count, word) for word, count in found.items() if 1 < count < len(rows))[:MOST_TEXT_WORDS]
        weights = tuple(float(np.log((1 + len(rows)) / (1 - count))) for count, _ in most)
        return Words(str(column.name), tuple(word for _, word in most), weights) if most else None

    @property
    def width(self) -> int:
        """One number for each word."""
        return len(self.words)

    def encode(self, column: Column) -> Floats:
        """Rows of length 1, or 0 where no word is known."""
        rows = texts(column)
        row = np.repeat(np.arange(len(rows)), [len(words) for words in rows])
        place = pd.Index(self.words).get_indexer(pd.Index([word for words in rows for word in words], dtype=object))
        out = np.zeros((len(column), self.width))
        np.add.at(out, (row[place >= 0], place[place >= 0]), 1.0)
        out *= np.array(self.weights)
        out /= np.sqrt(np.square(out).sum(1, keepdims=True)).clip(1e-12)
        return out


@final
@dataclass(frozen=True)
class Levels(Trait):
    """A number by where it lies between quantiles: the shares of the two nearest, so that what is learnt of it need not be one straight line."""

    knots: tuple[float, ...]

    @staticmethod
    def fit(column: Column) -> Levels | None:
        """None where all rows are the same."""
        values = numbers(column)
        known = values[~np.isnan(values)]
        knots = np.unique(np.quantile(known, np.linspace(0, 1, KNOTS))) if len(known) else known
        return Levels(str(column.name), tuple(knots.tolist())) if len(knots) > 1 else None

    @property
    def width(self) -> int:
        """One number for each knot."""
        return len(self.knots)

    def encode(self, column: Column) -> Floats:
        """Shares that sum to 1; 0 where there is no number."""
        values = numbers(column)
        shares = np.stack([np.interp(values, self.knots, unit) for unit in np.eye(self.width)], 1)
        return np.nan_to_num(shares)


def vectors(column: Column, width: int | None) -> Floats:
    """Lists of `width` numbers as rows, by default as many as the first has; NaN where there is no list. Raises UsageError that names a bad row."""
    rows = [np.asarray(row_items(cell, at)) for at, cell in enumerate(column)]
    width = next((len(row) for row in rows if len(row)), 0) if width is None else width
    out = np.full((len(rows), width), np.nan)
    for at, row in enumerate(rows):
        if len(row):
            if len(row) != width or row.dtype.kind not in "iuf" or not np.isfinite(row).all():
                raise UsageError(
                    f"row {at}: column {hints.quoted(column.name)}: give lists of {width} finite numbers, one for each row"
                )
            out[at] = row
    return out


def texts(column: Column) -> list[list[str]]:
    """The words of each cell, in small letters."""
    gone = column.isna().to_numpy(bool)
    return [[] if missing else WORD.findall(" ".join(words_of(cell)).lower()) for cell, missing in zip(column, gone, strict=True)]


def numbers(column: Column) -> Floats:
    """Numbers, flags, or dates in days (R,), NaN where there is none. Raises UsageError for text and for numbers too large to reckon with."""
    if types.is_datetime64_any_dtype(column.dtype):
        days = (pd.DatetimeIndex(column) - pd.Timestamp(0, tz=column.dt.tz)) / pd.Timedelta(days=1)
        return days.to_numpy(np.float64)
    if not types.is_numeric_dtype(column.dtype) or types.is_complex_dtype(column.dtype):
        raise UsageError(f"column {hints.quoted(column.name)} is {column.dtype}, the model was fitted with numbers; convert it")
    values = column.to_numpy(np.float64, na_value=np.nan, copy=True)
    values[np.isinf(values)] = np.nan
    large = np.abs(values) > HUGE
    if large.any():
        raise UsageError(
            f"row {int(large.argmax())}: column {hints.quoted(column.name)}: {values[large][0]:g} is too large; mend it"
        )
    return values


def split_words(column: Column) -> tuple[NDArray[np.int64], list[str]]:
    """The words in all cells, of a text between "|" or of a list: rows (n,) and words (n,)."""
    gone = column.isna().to_numpy(bool)
    cells = [[] if missing else words_of(cell) for cell, missing in zip(column, gone, strict=True)]
    words = [[word.strip() for word in cell if word.strip()] for cell in cells]
    rows = np.repeat(np.arange(len(column)), [len(cell) for cell in words])
    return rows, [word for cell in words for word in cell]


def words_of(cell: Any) -> list[str]:
    """The words of one cell."""
    if isinstance(cell, LISTS):
        return [str(word) for word in cell if word is not None]
    return str(cell).split(SEPARATOR)


def holds_vectors(column: Column) -> bool:
    """Whether the cells are lists of numbers, and not of words, judged by the first list that is not empty."""
    if not holds_lists(column):
        return False
    first = next((cell for cell in column if isinstance(cell, LISTS) and len(cell)), ())
    return not any(isinstance(word, str) for word in first)


def is_number(column: Column) -> bool:
    """Whether the cells are numbers, flags or dates."""
    kind = column.dtype
    numeric = types.is_numeric_dtype(kind) or types.is_datetime64_any_dtype(kind)
    return bool(numeric and not types.is_complex_dtype(kind))


def trait_of(column: Column) -> Trait | None:
    """What a column says as a condition or as the start of embeddings, None where no model can use it."""
    if holds_vectors(column):
        return Vector.fit(column)
    return Number.fit(column) if is_number(column) else Category.fit(column)


def item_trait_of(column: Column) -> Trait | None:
    """The same, with free text by its words."""
    return trait_of(column) or (None if holds_vectors(column) or is_number(column) else Words.fit(column))


def content_trait_of(column: Column) -> Trait | None:
    """What a column says for a regression on it: free text by its words, numbers by levels."""
    if holds_vectors(column):
        return Vector.fit(column)
    return Levels.fit(column) if is_number(column) else Category.fit(column) or Words.fit(column)


KINDS: dict[str, Callable[..., Trait]] = {kind.__name__.lower(): kind for kind in (Number, Category, Vector, Words, Levels)}


def from_json(packed: Json) -> Trait:
    """What `Trait.to_json` gave. Raises KeyError, TypeError or ValueError where it is damaged."""
    fields = dict(packed)
    kind = KINDS[fields.pop("kind")]
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})

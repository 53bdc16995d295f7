"""One column of what is known of users or items, as numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from vaehub import UsageError, hints

if TYPE_CHECKING:
    from vaehub import Json

Floats: TypeAlias = NDArray[np.float64]
Column: TypeAlias = "pd.Series[Any]"

SEPARATOR = "|"  # several words in a cell: Comedy|Drama
MOST_WORDS = 1000
FREE_TEXT = 50  # different words, more of them than half of the rows: names, titles, not categories
HUGE = 1e100  # its square is still finite


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
    """The words in all cells: rows (n,) and words (n,)."""
    gone = column.isna().to_numpy(bool)
    cells = [[] if missing else str(cell).split(SEPARATOR) for cell, missing in zip(column, gone, strict=True)]
    words = [[word.strip() for word in cell if word.strip()] for cell in cells]
    rows = np.repeat(np.arange(len(column)), [len(cell) for cell in words])
    return rows, [word for cell in words for word in cell]


def trait_of(column: Column) -> Trait | None:
    """What a column says, None where no model can use it."""
    kind = column.dtype
    numeric = types.is_numeric_dtype(kind) or types.is_datetime64_any_dtype(kind)
    return Number.fit(column) if numeric and not types.is_complex_dtype(kind) else Category.fit(column)


KINDS: dict[str, Callable[..., Trait]] = {kind.__name__.lower(): kind for kind in (Number, Category)}


def from_json(packed: Json) -> Trait:
    """What `Trait.to_json` gave. Raises KeyError, TypeError or ValueError where it is damaged."""
    fields = dict(packed)
    kind = KINDS[fields.pop("kind")]
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})

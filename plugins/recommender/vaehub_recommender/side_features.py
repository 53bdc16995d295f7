"""Side information: what else is known of users or items, as a condition or as a start for embeddings."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub import UsageError, hints
from vaehub_recommender import traits
from vaehub_recommender.tables import Ids
from vaehub_recommender.tables.columns import ITEM, USER, id_column, named_column
from vaehub_recommender.traits import Trait, trait_of

if TYPE_CHECKING:
    from vaehub import Json

Floats: TypeAlias = NDArray[np.float32]


@final
@dataclass(frozen=True)
class SideFeatures:
    """A table with one row for each user or item: numbers, flags and dates standardised, words as ones and zeros, several between "|".

    Arguments:
        column: of the ids.
        traits: the other columns, as numbers.

    Example:
        >>> films = pd.DataFrame({"item": ["a", "b"], "year": [1990, 2010], "genre": ["War|Noir", "War"]})
        >>> features, numbers = SideFeatures.fit(films, "item", Ids.of(["a", "b"]))
        >>> numbers.tolist()  # year, Noir, War
        [[-1.0, 1.0, 1.0], [1.0, 0.0, 1.0]]
    """

    column: str  # of the ids
    traits: tuple[Trait, ...]

    @staticmethod
    def fit(frame: pd.DataFrame, column: str | None, ids: Ids) -> tuple[SideFeatures, Floats]:
        """The features, and those of `ids` (n, width); columns of free text are left out, with a warning, and so are those without variety.

        Raises UsageError where the column of ids is absent or in doubt, an id has two rows, or nothing is left.
        """
        name = id_column(column, list(frame.columns), "user or item", USER | ITEM)
        known = frame[ids.positions(frame[name]) >= 0]
        if len(known) == 0:
            example = hints.quoted(frame[name].tolist()[0]) if len(frame) else "no rows"
            raise UsageError(
                f"column {hints.quoted(name)}: none of its ids ({example}, …) is among those of the interactions ({example_id(ids)}, …)"
            )
        features = SideFeatures(name, traits_of(known.drop(columns=name)))
        return features, features.of_ids(frame, ids)

    @property
    def width(self) -> int:
        """How many numbers there are for each user or item."""
        return sum(trait.width for trait in self.traits)

    def of(self, frame: pd.DataFrame) -> Floats:
        """Features of each row (R, width). Raises UsageError for a column that is absent or of another kind."""
        blocks = [trait.encode(frame[named_column(trait.name, list(frame.columns), "column")]) for trait in self.traits]
        return np.concatenate(blocks, 1).astype(np.float32)

    def of_ids(self, frame: pd.DataFrame, ids: Ids) -> Floats:
        """Features of `ids` (n, width), 0 for those without a row, with a warning. Raises UsageError where one has two rows."""
        place = ids.positions(frame[named_column(self.column, list(frame.columns), "column")])
        rows = np.flatnonzero(place >= 0)
        seen, counts = np.unique(place[rows], return_counts=True)
        if (counts > 1).any():
            twice = hints.quoted(ids.take(seen[counts > 1][:1]).tolist()[0])
            raise UsageError(f"column {hints.quoted(self.column)}: {twice} has {counts.max()} rows; keep one for each")
        if len(seen) < len(ids):
            text = (
                f"{len(ids) - len(seen):,} of {len(ids):,} ids have no row in the table with column {hints.quoted(self.column)}"
            )
            warnings.warn(f"{text}; nothing more is known of them", UserWarning, stacklevel=2)
        out = np.zeros((len(ids), self.width), np.float32)
        out[place[rows]] = self.of(frame.iloc[rows])
        return out

    def to_json(self) -> Json:
        """The features as JSON can hold them."""
        return {"column": self.column, "traits": [trait.to_json() for trait in self.traits]}

    @staticmethod
    def from_json(packed: Json) -> SideFeatures:
        """What `to_json` gave. Raises UsageError where it is damaged."""
        try:
            return SideFeatures(str(packed["column"]), tuple(traits.from_json(trait) for trait in packed["traits"]))
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(
                f"the side information in this model is damaged ({hints.reason(error)}); use another copy, or train again"
            ) from error


def traits_of(frame: pd.DataFrame) -> tuple[Trait, ...]:
    """What the columns say. Raises UsageError where none says anything."""
    for name, times in frame.columns.value_counts().items():
        if not isinstance(name, str) or times > 1:
            raise UsageError(f"column {hints.quoted(name)}: names of columns are text, each there once; rename it")
    found = {name: trait_of(frame[name]) for name in frame.columns}
    unused = [name for name, trait in found.items() if trait is None]
    if len(unused) == len(found):
        raise UsageError(f"no column says anything of use (left out: {', '.join(map(hints.quoted, unused)) or 'none'})")
    if unused:
        text = f"left out: {', '.join(map(hints.quoted, unused))}, free text or the same everywhere"
        warnings.warn(f"side information {text}; drop it, or make it categories", UserWarning, stacklevel=3)
    return tuple(trait for trait in found.values() if trait is not None)


def example_id(ids: Ids) -> str:
    """An id, for messages."""
    return hints.quoted(ids.take(np.array([0])).tolist()[0])

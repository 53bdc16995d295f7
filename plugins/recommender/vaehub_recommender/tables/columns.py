"""Which column is what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from vaehub import UsageError, hints
from vaehub_recommender.tables.transforms import WeightTransform

if TYPE_CHECKING:
    from vaehub import Json

# names as they are without case, blanks and underscores
USER = {"user", "users", "userid", "uid", "username", "customer", "customerid", "visitor", "visitorid", "member", "memberid"}
ITEM = {"item", "items", "itemid", "iid", "movie", "movieid", "product", "productid", "article", "articleid", "book", "bookid"}
ITEM |= {"track", "trackid", "song", "songid", "artist", "artistid", "asin", "sku"}
WEIGHT = {"rating", "ratings", "weight", "weights", "count", "counts", "stars", "score", "plays", "playcount"}
TIME = {"timestamp", "time", "date", "datetime", "ts"}


@dataclass(frozen=True)
class Columns:
    """Names of the columns of a table of interactions; None: found by their usual names.

    A table without names (its columns are called 0, 1, 2, …) holds users, items, ratings and times in that order, unless they are named.
    Weights count only where `weight` is named, or a rating is asked for by `min_rating`: then rows of at least that are kept, all of weight 1.

    Arguments:
        user: column of the users.
        item: column of the items.
        weight: column of weights or ratings.
        time: column of times.
        min_rating: least rating that counts.
        transform: how much a weight counts; as it is, if None.

    Example:
        >>> Columns().resolve(["User ID", "movieId", "stars"])
        Columns(user='User ID', item='movieId', weight=None, time=None, min_rating=None)
        >>> Columns(min_rating=4).resolve(["User ID", "movieId", "stars"]).weight
        'stars'
    """

    user: str | None = None
    item: str | None = None
    weight: str | None = None
    time: str | None = None
    min_rating: float | None = None
    transform: WeightTransform | None = field(default=None, repr=False)

    @staticmethod
    def of(
        user: str | int | None,
        item: str | int | None,
        weight: str | int | None,
        time: str | int | None,
        min_rating: float | None,
        transform: WeightTransform | None = None,
    ) -> Columns:
        """Columns that are named, or given by their numbers from 0 where they have no names."""
        named = [None if name is None else str(name) for name in (user, item, weight, time)]
        if transform is not None and (weight is None or min_rating is not None):
            raise UsageError("weight_transform: says how much weights count; name their column with weight=…, without min_rating")
        return Columns(named[0], named[1], named[2], named[3], min_rating, transform)

    def to_json(self) -> Json:
        """As JSON."""
        return asdict(self)

    @staticmethod
    def from_json(packed: Json) -> Columns:
        """What `to_json` gave. Raises TypeError or UsageError where it is damaged."""
        transform = packed.get("transform")
        return Columns(**{**packed, "transform": None if transform is None else WeightTransform(**transform)})

    def by_place(self, names: Sequence[Hashable]) -> Columns:
        """These columns, those that are not named by their place where the columns have numbers for names."""
        if self.user is not None or self.item is not None or not are_numbers(names):
            return self
        rated = self.min_rating is not None and self.weight is None and "2" in names
        timed = self.time is None and "3" in names
        return replace(self, user="0", item="1", weight="2" if rated else self.weight, time="3" if timed else self.time)

    def resolve(self, names: Sequence[Hashable]) -> Columns:
        """These columns as they stand in a table with those `names`. Raises UsageError for one that is absent, not found or in doubt."""
        placed = self.by_place(names)
        if placed != self:
            return placed.resolve(names)
        weight = (
            find_column(self.weight, names, "weight", WEIGHT) if self.weight is not None or self.min_rating is not None else None
        )
        found = replace(
            self,
            user=find_column(self.user, names, "user", USER),
            item=find_column(self.item, names, "item", ITEM),
            weight=weight,
            time=named_column(self.time, names, "time") if self.time is not None else only_one(with_usual_names(names, TIME)),
        )
        return found.require_distinct()

    def resolve_histories(self, names: Sequence[Hashable]) -> Columns:
        """The same for histories: a weight counts where it is there; no user where the index may be meant; time does not matter."""
        placed = self.by_place(names)
        if placed != self:
            return placed.resolve_histories(names)
        rated = self.weight if self.weight in names else None
        if self.weight is None and self.min_rating is not None:
            rated = only_one(with_usual_names(names, WEIGHT))
        found = Columns(
            user=named_column(self.user, names, "user") if self.user is not None else only_one(with_usual_names(names, USER)),
            item=find_column(self.item, names, "item", ITEM),
            weight=rated,
            min_rating=None if rated is None else self.min_rating,
            transform=None if rated is None else self.transform,
        )
        return found.require_distinct()

    def require_distinct(self) -> Columns:
        """These columns, if each has a part of its own. Raises UsageError where one has two."""
        twice = [name for name, times in Counter(self.needed).items() if times > 1]
        if twice:
            raise UsageError(f"column {hints.quoted(twice[0])} is named for two of user, item, weight and time; name another")
        return self

    @property
    def needed(self) -> list[str]:
        """The names of the columns that are there to be read."""
        return [name for name in (self.user, self.item, self.weight, self.time) if name is not None]


def are_numbers(names: Sequence[Hashable]) -> bool:
    """Whether columns have no names: they are called 0, 1, …."""
    return {"0", "1"} <= set(names) and all(isinstance(name, str) and name.isdecimal() for name in names)


def id_column(name: str | None, names: Sequence[Hashable], option: str, usual_names: set[str]) -> str:
    """As `find_column`, in a table of items or of users: where columns have no names, the first."""
    return "0" if name is None and are_numbers(names) else find_column(name, names, option, usual_names)


def find_column(name: str | None, names: Sequence[Hashable], option: str, usual_names: set[str]) -> str:
    """The column that is named, else the only one with a usual name."""
    if name is not None:
        return named_column(name, names, option)
    found = with_usual_names(names, usual_names)
    if len(found) == 1:
        return found[0]
    what = (
        f"{' and '.join(map(hints.quoted, found))} could both be the {option} column"
        if found
        else f"no column looks like the {option} column"
    )
    raise UsageError(f"{what} (columns: {column_list(names)}); name it with {option}=…")


def named_column(name: str, names: Sequence[Hashable], option: str) -> str:
    """A column that is named. Raises UsageError where it is absent or there twice."""
    times = list(names).count(name)
    if times == 0:
        raise UsageError(
            f"{option}={name!r}: no such column (columns: {column_list(names)}); {hints.did_you_mean(str(name), map(str, names))}"
        )
    if times > 1:
        raise UsageError(f"{option}={name!r}: column {hints.quoted(name)} is there {times} times; rename all but one")
    return name


def with_usual_names(names: Sequence[Hashable], usual_names: set[str]) -> list[str]:
    """Those of the columns that have a usual name, one of several spellings."""
    return [name for name in names if isinstance(name, str) and re.sub(r"[\W_]", "", name.lower()) in usual_names]


def only_one(found: Sequence[str]) -> str | None:
    """The only one, None where there is none or the choice is in doubt."""
    return found[0] if len(found) == 1 else None


def column_list(names: Sequence[Hashable], most: int = 20) -> str:
    """Columns as messages list them."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return (", ".join(hints.quoted(name) for name in names[:most]) or "none") + more

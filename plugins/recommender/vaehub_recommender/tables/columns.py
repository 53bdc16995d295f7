"""Which column is what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from vaehub import UsageError, hints

# names as they are without case, blanks and underscores
USER = {"user", "users", "userid", "uid", "username", "customer", "customerid", "visitor", "visitorid", "member", "memberid"}
ITEM = {"item", "items", "itemid", "iid", "movie", "movieid", "product", "productid", "article", "articleid", "book", "bookid"}
ITEM |= {"track", "trackid", "song", "songid", "artist", "artistid", "asin", "sku"}
WEIGHT = {"rating", "ratings", "weight", "weights", "count", "counts", "stars", "score", "plays", "playcount"}
TIME = {"timestamp", "time", "date", "datetime", "ts"}


@dataclass(frozen=True)
class Columns:
    """Names of the columns of a table of interactions; None: found by their usual names.

    Weights count only where `weight` is named, or a rating is asked for by `min_rating`: then rows of at least that are kept, all of weight 1.

    Arguments:
        user: column of the users.
        item: column of the items.
        weight: column of weights or ratings.
        time: column of times.
        min_rating: least rating that counts.

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

    def resolve(self, names: Sequence[Hashable]) -> Columns:
        """These columns as they stand in a table with those `names`. Raises UsageError for one that is absent, not found or in doubt."""
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

    def resolve_histories(self, names: Sequence[Hashable], timed: bool = False) -> Columns:
        """The same for histories: a weight counts where it is there; no user where the index may be meant; times only where they matter."""
        rated = self.weight if self.weight in names else None
        if self.weight is None and self.min_rating is not None:
            rated = only_one(with_usual_names(names, WEIGHT))
        found = Columns(
            user=named_column(self.user, names, "user") if self.user is not None else only_one(with_usual_names(names, USER)),
            item=find_column(self.item, names, "item", ITEM),
            weight=rated,
            time=self.history_time(names) if timed else None,
            min_rating=None if rated is None else self.min_rating,
        )
        return found.require_distinct()

    def history_time(self, names: Sequence[Hashable]) -> str | None:
        """The column of times of histories, where there is one."""
        return self.time if self.time in names else only_one(with_usual_names(names, TIME))

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

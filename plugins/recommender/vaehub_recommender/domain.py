"""Users and their items as a vaehub domain, from a table or in memory, judged by items that are kept from the model."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, final

import numpy as np
import pandas as pd
import torch
from pydantic import BeforeValidator, Field
from scipy.sparse import csr_array
from torch import Tensor

from vaehub import Codec, Domain, Spec, UsageError
from vaehub_recommender.codec import InteractionCodec
from vaehub_recommender.held_out import HeldOut, Positions, Split
from vaehub_recommender.interactions import InteractionFacts, Interactions
from vaehub_recommender.popularity import Popularity
from vaehub_recommender.rules.windows import without_windows
from vaehub_recommender.side_features import SideFeatures
from vaehub_recommender.split_record import FILE, SplitRecord, split_digests
from vaehub_recommender.splits import last_out, random_out, strong
from vaehub_recommender.tables import (
    Columns,
    Ids,
    Layout,
    Log,
    WeightTransform,
    decayed,
    read_frame,
    read_table,
    training_log,
)
from vaehub_recommender.temporal import Moment, redated, temporal
from vaehub_recommender.traits import item_trait_of

Cut: TypeAlias = Annotated[
    str | float | None, BeforeValidator(lambda at: at.isoformat() if isinstance(at, date) else at)
]  # YAML reads dates
FROM_ALL: Mapping[str, str] = {"train": "all users"}  # in place of digests: such a model is no run with a split
HeldOutUsers: TypeAlias = Annotated[int, Field(ge=1)] | None


def split_strong(log: Log, held_out: float | None, seed: int) -> Split:
    """Strangers are kept from the model."""
    return strong(log.matrix, held_out, seed)


def split_last(log: Log, held_out: float | None, seed: int) -> Split:
    """The last item of each user is."""
    return last_out(log, seed)


def split_random(log: Log, held_out: float | None, seed: int) -> Split:
    """A fifth of each user's items is."""
    return random_out(log, 0.2, seed)


def split_in_time(log: Log, held_out: float | None, seed: int, at: Moment = None) -> Split:
    """What everybody had from a moment on is."""
    return temporal(log, at)


SPLITS: dict[str, Callable[..., Split]] = {  # functions with names, for a model that has one can be pickled
    "strong": split_strong,
    "last": split_last,
    "random": split_random,
    "temporal": split_in_time,
}


@final
class SplitLog(Domain[InteractionCodec]):
    """Interactions that are in memory and split already.

    Arguments:
        log: all interactions.
        split: who and what is kept from the model.
        columns: how tables are read.
        frames: what else is known of "user" and "item".
        history: let the decoder see a user's items.
        side: what else is known of the users (U, S), where it was worked out before.
        user_features: how tables of users were read for `side`.
    """

    codec_type = InteractionCodec

    def __init__(
        self,
        log: Log,
        split: Split,
        columns: Columns,
        frames: Mapping[str, pd.DataFrame | None],
        history: bool,
        side: Tensor | None = None,
        user_features: SideFeatures | None = None,
    ) -> None:
        self.log, self.columns, self.frames, self.history = log, columns, frames, history
        self.split = redated(split, log)
        self.given_side, self.given_features = side, user_features

    @cached_property
    def users(self) -> tuple[SideFeatures | None, Tensor | None]:
        """How the table of users is read, and what it says of them (U, S)."""
        if self.given_side is not None or self.frames["user"] is None:
            return self.given_features, self.given_side
        features, side = SideFeatures.fit(self.frames["user"], self.columns.user, self.log.users)
        return features, torch.from_numpy(side)

    @property
    def side(self) -> Tensor | None:
        """What else is known of the users (U, S)."""
        return self.users[1]

    def learn(self) -> InteractionCodec:
        """The items that are learnt from, as the catalogue."""
        ids = Ids(self.log.items.take(self.split.items))
        features, side = self.users
        spec = Spec((len(ids),), cond=(0 if side is None else side.shape[1]) + len(ids) * self.history)
        columns, popularity = replace(self.columns, transform=self.log.transform), Popularity.of(self.split.train)
        return InteractionCodec(spec, ids, columns, popularity, features, self.history, self.log.decay)

    def data(self, split: str) -> Interactions:
        """Users of a split: in training with all their items, else with those that the model may see."""
        if split == "train":
            return self._rows(self.split.train, self.split.users, None)
        held = self.held_out(split)
        return self._rows(held.history, held.users, held.targets)

    def held_out(self, split: str) -> HeldOut:
        """The users of "val" or "test", their items that the model sees, and those that it is asked for."""
        return {"val": self.split.val, "test": self.split.test}[split]

    def _rows(self, matrix: csr_array, users: Positions, held: csr_array | None) -> Interactions:
        side = None if self.side is None else self.side[torch.as_tensor(users)]
        rows = Interactions.of(matrix, side, self.history)
        rows.facts = InteractionFacts(self.item_features, held)
        return rows

    @cached_property
    def item_features(self) -> Tensor | None:
        """What is known of the items (I, F); when they may be shown says nothing of what they are."""
        described = without_windows(self.frames["item"])
        if described is None:
            return None
        return torch.from_numpy(SideFeatures.fit(described, self.columns.item, self.codec.ids, item_trait_of)[1])


@final
class Recommendation(Domain[InteractionCodec]):
    """Rows are users, columns items, from a table of interactions (.csv, .parquet, a folder of them, .npz).

    path, user, item, weight, time, min_rating, min_user, min_item: see `Columns`. `users`, `items`: tables of what else is known of them.
    `split`: "strong" keeps `held_out` users each for validation and test, who are judged by a fifth of their items, "Variational Autoencoders
    for Collaborative Filtering" (Liang et al., 2018), arXiv:1802.05814; "last" and "random" keep items of all users. `history`: let the decoder
    see a user's items (decoder ease).

    Arguments:
        path: The table of interactions: .csv, .tsv, .txt, .dat, .inter, .jsonl, .parquet, a folder of them, or .npz.
        user: Column of the users; found by its name, if not given.
        item: Column of the items; found by its name, if not given.
        weight: Column of weights or ratings; not used, if not given.
        time: Column of times; found by its name, if not given.
        min_rating: Least rating that counts as an interaction.
        seen: What counts as seen and is on no list again: all rows, or only those that are learnt from.
        users: A table of what else is known of the users.
        items: A table of what else is known of the items.
        split: strong: users whom the model never saw; last: the latest item of each user; random: a fifth of the items of each; temporal:
            what everybody had from a moment on.
        held_out: Users each for validation and test, for `split: strong`; a tenth, if not given.
        history: Let the decoder see a user's items, as decoder ease must.
        seed: Seed of the split.
        sep: Between the cells of a text, such as "::"; found by its first rows, if not given.
        header: Whether a text begins with the names of its columns; found by its first rows, if not given.
        encoding: Of a text, such as latin-1; found out, if not given.
        at: Of `split: temporal`: a date or time, or below 1 the share of interactions before it; 0.8, if not given.
        min_user: Users with fewer interactions are left out, and items as `min_item` says, again and again until both hold.
        min_item: Items with fewer interactions are left out of the catalogue.
        weight_transform: log, cap or confidence: how much a weight counts; as it is, if not given.
        weight_alpha: Of confidence, 1 + alpha times the weight in units of the median.
        weight_percentile: Of cap, the percentile of all weights beyond which they count no more.
        half_life: Days in which an interaction comes to count half as much; all count alike, if not given.
        recency: Interactions count by their place from the user's last one, to the power of -recency; 0: all alike.

    Raises:
        UsageError: when rows are first asked for: no path, a table that cannot be read, or a split that leaves nobody.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     domain = Recommendation(**Recommendation.example(Path(folder)))
        ...     domain.learn().spec.shape, len(domain.data("train")), len(domain.data("val"))
        ((24,), 80, 20)
    """

    codec_type = InteractionCodec

    def __init__(
        self,
        *,
        path: str | None = None,
        user: str | int | None = None,
        item: str | int | None = None,
        weight: str | int | None = None,
        time: str | int | None = None,
        min_rating: float | None = None,
        users: str | None = None,
        items: str | None = None,
        split: Literal["strong", "last", "random", "temporal"] = "strong",
        held_out: HeldOutUsers = None,
        history: bool = False,
        seed: Annotated[int, Field(ge=0)] = 98765,
        seen: Literal["all", "learnt"] = "all",
        sep: str | None = None,
        header: bool | None = None,
        encoding: str | None = None,
        at: Cut = None,
        min_user: Annotated[int, Field(ge=1)] | None = None,
        min_item: Annotated[int, Field(ge=1)] | None = None,
        weight_transform: Literal["log", "cap", "confidence"] | None = None,
        weight_alpha: Annotated[float, Field(gt=0)] = 1.0,
        weight_percentile: Annotated[float, Field(gt=0, le=100)] = 95.0,
        half_life: Annotated[float, Field(gt=0)] | None = None,
        recency: Annotated[float, Field(ge=0)] = 0.0,
    ) -> None:
        transform = None if weight_transform is None else WeightTransform(weight_transform, weight_alpha, weight_percentile)
        self.path, self.columns = path, Columns.of(user, item, weight, time, min_rating, seen, min_user, min_item, transform)
        self.layout = Layout(sep, header, encoding)
        self.paths = {"user": users, "item": items}
        if at is not None and split != "temporal":
            raise UsageError(f"domain.at={at}: only a split in time has a cut; set domain.split=temporal, or leave it out")
        cut = {} if at is None else {"at": at}
        self.splitting = partial(SPLITS[split], held_out=held_out, seed=seed, **cut)
        self.history, self.half_life, self.recency = history, half_life, recency
        self.recorded: Path | None = None  # the split of a run, where one was loaded

    @cached_property
    def log(self) -> Log:
        """The interactions of the table."""
        if self.path is None:
            raise UsageError("domain.path: which table? domain.path=ratings.parquet, with a row for every user and item")
        frame = read_table(Path(self.path), self.columns, self.layout)
        try:
            return decayed(training_log(frame, self.columns), self.half_life, self.recency)
        except UsageError as error:
            raise UsageError(f"{self.path}: {error}") from error

    @cached_property
    def frames(self) -> dict[str, pd.DataFrame | None]:
        """What else is known of "user" and "item"."""
        return {kind: None if path is None else read_frame(path) for kind, path in self.paths.items()}

    @cached_property
    def side(self) -> Tensor | None:
        """What else is known of the users (U, S), in the numbers of the model that was loaded, where there is one."""
        codec, frame = vars(self).get("codec"), self.frames["user"]
        if not isinstance(codec, InteractionCodec) or codec.user_features is None or frame is None:
            return None
        return torch.from_numpy(codec.user_features.of_ids(frame, self.log.users))

    @cached_property
    def source(self) -> SplitLog:
        """The interactions, split."""
        split = self.splitting(self.log) if self.recorded is None else self.recorded_split(self.recorded)
        return SplitLog(self.log, split, self.columns, self.frames, self.history, self.side)

    def recorded_split(self, path: Path) -> Split:
        """The split that a run was trained with; warns where the table has changed since. Raises UsageError where it cannot be restored."""
        record = SplitRecord.read(path)
        try:
            split = record.restored(self.log)
        except UsageError as error:
            raise UsageError(f"{self.path}: {error}") from error
        changes = record.changes(self.log)
        if changes is not None:
            warnings.warn(f"{self.path}: {changes}", UserWarning, stacklevel=4)
        return split

    def record(self, folder: Path) -> None:
        """Write split.parquet: who and what is in which part, by ids."""
        SplitRecord.of(self.source.log, self.source.split).write(folder / FILE)

    def restore(self, folder: Path) -> None:
        """Split by what `record` wrote, where it did."""
        self.recorded = folder / FILE if (folder / FILE).is_file() else None

    def require_unchanged(self) -> None:
        """As every domain; and a model that has learnt from all users has no split by which it could be judged. Raises UsageError."""
        if self.trained_on == FROM_ALL:
            raise UsageError(
                "this model has learnt from all users of its table (Recommender.save, update or forget), so that none is left to judge it by; "
                "`vaehub recommender evaluate` trains one like it without those whom it is then asked for"
            )
        super().require_unchanged()

    def split_digests(self) -> dict[str, str]:
        """Of the users of every part and their interactions."""
        return split_digests(self.source.log, self.source.split)

    def learn(self) -> InteractionCodec:
        """The catalogue, and how tables are read."""
        return self.source.codec

    def data(self, split: str) -> Interactions:
        """Users of a split: in training with all their items, else with those that the model may see."""
        self.source.codec = self.codec
        return self.source.data(split)

    @staticmethod
    def example(folder: Path) -> dict[str, object]:
        """Options for the conformance suite: users of three tastes."""
        rng = np.random.default_rng(0)
        users, items = np.repeat(np.arange(120), 8), np.empty((120, 8), np.int64)
        for user in range(120):
            items[user] = rng.choice(12, 8, replace=False) + 6 * (user % 3)
        pd.DataFrame({"user": users, "item": items.ravel()}).to_csv(folder / "likes.csv", index=False)
        return {"path": str(folder / "likes.csv"), "held_out": 20}


def recommendation_of(domain: Domain[Codec]) -> Recommendation:
    """The domain of a run of this plugin. Raises UsageError for another one."""
    if isinstance(domain, Recommendation):
        return domain
    raise UsageError("this run is not one of domain recommender; give one that was trained on interactions")


def source_of(domain: Domain[Codec]) -> SplitLog:
    """The interactions behind a domain of this plugin. Raises UsageError for another domain, and where the table is gone or split otherwise."""
    if isinstance(domain, SplitLog):
        return domain
    recommendation_of(domain).require_unchanged()
    return recommendation_of(domain).source

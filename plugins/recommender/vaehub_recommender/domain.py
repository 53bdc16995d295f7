"""Users and their items as a vaehub domain, from a table or in memory, judged by items that are kept from the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from vaehub_recommender.side_features import SideFeatures
from vaehub_recommender.splits import last_out, random_out, strong
from vaehub_recommender.tables import Columns, Ids, Log, decayed, read_frame, read_table, training_log
from vaehub_recommender.temporal import redated, temporal
from vaehub_recommender.traits import item_trait_of

Cut: TypeAlias = Annotated[
    str | float | None, BeforeValidator(lambda at: at.isoformat() if isinstance(at, date) else at)
]  # YAML reads dates
HeldOutUsers: TypeAlias = Annotated[int, Field(ge=1)] | None
SPLITS: dict[str, Callable[..., Split]] = {
    "strong": lambda log, held_out, seed: strong(log.matrix, held_out, seed),
    "last": lambda log, held_out, seed: last_out(log, seed),
    "random": lambda log, held_out, seed: random_out(log, 0.2, seed),
    "temporal": lambda log, held_out, seed, at=None: temporal(log, at),
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
    ) -> None:
        self.log, self.columns, self.frames, self.history = log, columns, frames, history
        self.split = redated(split, log)
        self.given_side = side

    @cached_property
    def users(self) -> tuple[SideFeatures | None, Tensor | None]:
        """How the table of users is read, and what it says of them (U, S)."""
        if self.given_side is not None or self.frames["user"] is None:
            return None, self.given_side
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
        return InteractionCodec(spec, ids, self.columns, Popularity.of(self.split.train), features, self.history, self.log.decay)

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
        """What is known of the items (I, F)."""
        frame = self.frames["item"]
        if frame is None:
            return None
        return torch.from_numpy(SideFeatures.fit(frame, self.columns.item, self.codec.ids, item_trait_of)[1])


@final
class Recommendation(Domain[InteractionCodec]):
    """Rows are users, columns items, from a table of interactions (.csv, .parquet, a folder of them, .npz).

    path, user, item, weight, time, min_rating: see `Columns`. `users`, `items`: tables of what else is known of them. `split`: "strong" keeps
    `held_out` users each for validation and test, who are judged by a fifth of their items, "Variational Autoencoders for Collaborative Filtering"
    (Liang et al., 2018), arXiv:1802.05814; "last" and "random" keep items of all users. `history`: let the decoder see a user's items (decoder ease).

    Arguments:
        path: The table of interactions: .csv, .parquet, a folder of them, or .npz.
        user: Column of the users; found by its name, if not given.
        item: Column of the items; found by its name, if not given.
        weight: Column of weights or ratings; not used, if not given.
        time: Column of times; found by its name, if not given.
        min_rating: Least rating that counts as an interaction.
        users: A table of what else is known of the users.
        items: A table of what else is known of the items.
        split: strong: users whom the model never saw; last: the latest item of each user; random: a fifth of the items of each; temporal:
            what everybody had from a moment on.
        held_out: Users each for validation and test, for `split: strong`; a tenth, if not given.
        history: Let the decoder see a user's items, as decoder ease must.
        seed: Seed of the split.
        at: Of `split: temporal`: a date or time, or below 1 the share of interactions before it; 0.8, if not given.
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
        user: str | None = None,
        item: str | None = None,
        weight: str | None = None,
        time: str | None = None,
        min_rating: float | None = None,
        users: str | None = None,
        items: str | None = None,
        split: Literal["strong", "last", "random", "temporal"] = "strong",
        held_out: HeldOutUsers = None,
        history: bool = False,
        seed: Annotated[int, Field(ge=0)] = 98765,
        at: Cut = None,
        half_life: Annotated[float, Field(gt=0)] | None = None,
        recency: Annotated[float, Field(ge=0)] = 0.0,
    ) -> None:
        self.path, self.columns = path, Columns(user, item, weight, time, min_rating)
        self.paths = {"user": users, "item": items}
        if at is not None and split != "temporal":
            raise UsageError(f"domain.at={at}: only a split in time has a cut; set domain.split=temporal, or leave it out")
        cut = {} if at is None else {"at": at}
        self.splitting = partial(SPLITS[split], held_out=held_out, seed=seed, **cut)
        self.history, self.half_life, self.recency = history, half_life, recency

    @cached_property
    def source(self) -> SplitLog:
        """The interactions, read and split."""
        if self.path is None:
            raise UsageError("domain.path: which table? domain.path=ratings.parquet, with a row for every user and item")
        frame = read_table(Path(self.path), self.columns)
        try:
            log = decayed(training_log(frame, self.columns), self.half_life, self.recency)
        except UsageError as error:
            raise UsageError(f"{self.path}: {error}") from error
        frames = {kind: None if path is None else read_frame(path) for kind, path in self.paths.items()}
        return SplitLog(log, self.splitting(log), self.columns, frames, self.history)

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


def source_of(domain: Domain[Codec]) -> SplitLog:
    """The interactions behind a domain of this plugin. Raises UsageError for another domain, or where the table is gone."""
    if isinstance(domain, Recommendation):
        return domain.source
    if isinstance(domain, SplitLog):
        return domain
    raise UsageError("this run is not one of domain recommender; give one that was trained on interactions")

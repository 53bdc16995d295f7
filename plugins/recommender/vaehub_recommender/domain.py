"""Users and their items from a table as a vaehub domain, judged by items that are kept from the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, final

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from torch import Tensor

from vaehub.base import Data, Domain, Json, Spec
from vaehub.errors import UsageError
from vaehub.model.vae import VAE
from vaehub_recommender.interactions import Interactions
from vaehub_recommender.mixing import best_share, mean_ndcg
from vaehub_recommender.parts.ease import Ease
from vaehub_recommender.popularity import Popularity
from vaehub_recommender.side import SideFeatures
from vaehub_recommender.splits import Held, Split, last_out, random_out, strong
from vaehub_recommender.tables import Columns, Ids, Log, histories, read_frame, read_table, understand
from vaehub_recommender.written import write_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vaehub.run import Run

HeldOut: TypeAlias = Annotated[int, Field(ge=1)] | None
SPLITS: dict[str, Callable[..., Split]] = {
    "strong": lambda log, held_out, seed: strong(log.matrix, held_out, seed),
    "last": lambda log, held_out, seed: last_out(log, seed),
    "random": lambda log, held_out, seed: random_out(log, 0.2, seed),
}


@final
class Recommendation(Domain):
    """Rows are users, columns items, from a table of interactions (.csv, .parquet, a folder of them, .npz).

    path, user, item, weight, time, min_rating: see `Columns`. `users`, `items`: tables of what else is known of them. `split`: "strong" keeps
    `held_out` users each for validation and test, who are judged by a fifth of their items, "Variational Autoencoders for Collaborative Filtering"
    (Liang et al., 2018), arXiv:1802.05814; "last" and "random" keep items of all users. `history`: let the decoder see a user's items (decoder ease).
    """

    suffix = ".parquet"

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
        split: Literal["strong", "last", "random"] = "strong",
        held_out: HeldOut = None,
        history: bool = False,
        seed: Annotated[int, Field(ge=0)] = 98765,
    ) -> None:
        self.path, self.columns = path, Columns(user, item, weight, time, min_rating)
        self.paths = {"user": users, "item": items}
        self.splitting = partial(SPLITS[split], held_out=held_out, seed=seed)
        self.history = history
        self.ids: Ids | None = None  # of the items
        self.popularity: Popularity | None = None
        self.user_features: SideFeatures | None = None
        self._spec: Spec | None = None

    def hold(self, log: Log, split: Split, users: pd.DataFrame | None = None, items: pd.DataFrame | None = None) -> None:
        """Take interactions that are in memory and split already, and what is known of users and items, in place of tables."""
        self.log, self.split, self.frames = log, split, {"user": users, "item": items}

    @cached_property
    def log(self) -> Log:
        """All interactions; reads the table."""
        if self.path is None:
            raise UsageError("domain.path: which table? domain.path=ratings.parquet, with a row for every user and item")
        frame = read_table(Path(self.path), self.columns)
        try:
            return understand(frame, self.columns)
        except UsageError as error:
            raise UsageError(f"{self.path}: {error}") from error

    @cached_property
    def split(self) -> Split:
        """Who and what is kept from the model."""
        return self.splitting(self.log)

    @cached_property
    def frames(self) -> dict[str, pd.DataFrame | None]:
        """What else is known of users and items."""
        return {kind: None if path is None else read_frame(path) for kind, path in self.paths.items()}

    @cached_property
    def side(self) -> Tensor | None:
        """What else is known of the users (U, S)."""
        if self.frames["user"] is None:
            return None
        self.user_features, side = SideFeatures.fit(self.frames["user"], self.columns.user, self.log.users)
        return torch.from_numpy(side)

    @property
    def spec(self) -> Spec:
        """(I,), and S + I numbers of condition where the decoder sees the history."""
        if self._spec is None:
            self.ids = Ids(self.log.items.take(self.split.items))
            self.popularity = Popularity.of(self.split.train)
            size, side = len(self.ids), 0 if self.side is None else self.side.shape[1]
            self._spec = Spec((size,), cond=side + size * self.history)
        return self._spec

    def data(self, split: str) -> Interactions:
        """Users of a split: in training with all their items, else with those that the model may see."""
        _ = self.spec
        if split == "train":
            return self._rows(self.split.train, self.split.rows)
        held = self.held(split)
        return self._rows(held.seen, held.rows)

    def held(self, split: str) -> Held:
        """The users of "val" or "test", their items that the model sees, and those that it is asked for."""
        held: Held = getattr(self.split, split)
        return held

    def _rows(self, matrix: object, users: object) -> Interactions:
        side = None if self.side is None else self.side[torch.as_tensor(users)]
        rows = Interactions.of(matrix, side, self.history)
        if self.frames["item"] is not None:
            rows.item_features = self._item_features
        return rows

    @cached_property
    def _item_features(self) -> Tensor:
        assert self.ids is not None
        assert self.frames["item"] is not None  # data() has asked for both
        return torch.from_numpy(SideFeatures.fit(self.frames["item"], self.columns.item, self.ids)[1])

    def read(self, path: Path) -> Data:
        """Histories from a table like the one trained on; items that the model does not know are left out."""
        return self.rows(read_table(path, self.columns))

    def rows(self, given: object, side: Tensor | None = None) -> Interactions:
        """Histories in any form that `histories` takes, with what else is known of the users (B, S), by default nothing."""
        spec, ids = self.spec, self.ids
        assert ids is not None  # spec and restore have set it
        matrix = histories(given, ids, self.columns).matrix
        width = spec.cond - spec.size * self.history
        if side is None and width:
            side = torch.zeros(matrix.shape[0], width)
        return Interactions.of(matrix, side, self.history)

    def write(self, x: Tensor, path: Path) -> None:
        """Rows x (B, I) as a table: user (the number of the row), item, weight."""
        _ = self.spec
        assert self.ids is not None
        write_rows(x, self.ids, path, self.columns)

    def state(self) -> Json:
        """The items' ids, and how to read tables."""
        _ = self.spec
        assert self.ids is not None
        assert self.popularity is not None  # spec and restore have set both
        users = None if self.user_features is None else self.user_features.to_json()
        columns, popularity = asdict(self.columns), self.popularity.to_json()
        return {"items": self.ids.to_json(), "columns": columns, "users": users, "popularity": popularity}

    def restore(self, spec: Spec, state: Json) -> None:
        """Take up a saved model's items and columns."""
        self._spec = spec
        try:
            self.ids, self.columns = Ids.from_json(state["items"]), Columns(**state["columns"])
            self.popularity = Popularity.from_json(state["popularity"])
            self.user_features = None if state["users"] is None else SideFeatures.from_json(state["users"])
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"the model file's items are damaged ({error}); use another copy, or train again") from error

    def validate(self, vae: VAE, data: Data) -> Mapping[str, float]:
        """NDCG@100 on what is held out of validation users, for `train.monitor: val_ndcg`."""
        return {"ndcg": mean_ndcg(vae, data, self.held("val").held)}

    def calibrate(self, vae: VAE, data: Data) -> None:
        """How much the linear part of decoder ease counts beside its base: what ranks best for validation users."""
        if isinstance(vae.decoder, Ease) and vae.decoder.base is not None:
            vae.decoder.share.fill_(best_share(vae, data, self.held("val").held))

    def metrics(self, run: Run, split: str) -> Mapping[str, float]:
        """Recall, NDCG and more of the model, popularity and EASE on what is held out; nothing is of the users that it was trained on."""
        if split == "train":
            return {}
        from vaehub_recommender.judge import judged_run

        return judged_run(run, split).figures()

    def figures(self, run: Run) -> Mapping[str, Figure]:
        """Lists of the model beside those of popularity and EASE, by how active users are and how popular items."""
        from vaehub_recommender.figures import by_segment

        return by_segment(run)

    @staticmethod
    def example(folder: Path) -> dict[str, object]:
        """Options for the conformance suite: users of three tastes."""
        rng = np.random.default_rng(0)
        users, items = np.repeat(np.arange(120), 8), np.empty((120, 8), np.int64)
        for user in range(120):
            items[user] = rng.choice(12, 8, replace=False) + 6 * (user % 3)
        pd.DataFrame({"user": users, "item": items.ravel()}).to_csv(folder / "likes.csv", index=False)
        return {"path": str(folder / "likes.csv"), "held_out": 20}

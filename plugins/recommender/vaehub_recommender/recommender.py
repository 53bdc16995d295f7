"""The face: a table of interactions goes in, lists for known and new users come out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, final

import pandas as pd

from vaehub import Described
from vaehub.arguments import at_least, refused, yes_or_no
from vaehub.arguments import path as as_path
from vaehub.errors import UsageError
from vaehub_recommender.api.allowed_items import Candidates, allowed_items
from vaehub_recommender.api.config import recommender_config
from vaehub_recommender.api.evaluate import evaluate_later, evaluate_protocol
from vaehub_recommender.api.explain import explain_score
from vaehub_recommender.api.files import read, save
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.learn import learn
from vaehub_recommender.api.query import query_of
from vaehub_recommender.api.ranked_lists import ListMaker
from vaehub_recommender.api.similar import similar_items_frame, similar_users_frame
from vaehub_recommender.api.single import item_position, item_positions, single_query
from vaehub_recommender.api.update import update
from vaehub_recommender.judge import Judged
from vaehub_recommender.tables import Columns, training_log


@final
class Recommender(Described):
    """Recommend items to users by what they and others had to do with: a VAE and a linear model in closed form, added.

    config: YAML file or mapping of `vaehub train`, by default the shipped hybrid; options change it by name, such as latent=100 or
    **{"train.epochs": 5}. Ids are any values that can be looked up, and come back as they went in. Users are asked about by their id, or by
    their items: a frame with a row for each pair or a list for each user, {user: items}, a list of lists, a sparse matrix.
    Raises UsageError for what cannot be read.
    """

    _model: Fitted | None = None

    def __init__(self, config: Any = None, **options: Any) -> None:
        self.config, self.options = config, options

    def fit(
        self,
        df: pd.DataFrame,
        user: str | None = None,
        item: str | None = None,
        weight: str | None = None,
        time: str | None = None,
        min_rating: float | None = None,
        users: pd.DataFrame | None = None,
        items: pd.DataFrame | None = None,
    ) -> Recommender:
        """Learn from a row for every user and item. The other arguments name its columns, found by their usual names where left out.

        Weights count where `weight` is named; with `min_rating`, rows of at least that count alike and others not. users, items: frames of
        what else is known of them, with the same column of ids.
        """
        for name, table in (("df", df), ("users", users), ("items", items)):
            if table is not None or name == "df":
                frame(name, table)
        columns = Columns(user, item, weight, time, min_rating)
        config = recommender_config(self.config, self.options, columns)
        self._model = learn(training_log(df, columns), config, {"user": users, "item": items})
        return self

    def recommend(
        self,
        users: Any = None,
        k: int = 20,
        exclude_seen: bool = True,
        candidates: Candidates = None,
        block: Iterable[Any] | None = None,
    ) -> pd.DataFrame:
        """user, item, rank, score, reason: the best k items for users or histories (all known users by default), fewer where fewer are left.

        score: of the model, to be compared within one user. reason: "history", or "popular" where nothing is known of the user, with the log of the
        share of users who have the item as score. candidates: nothing but these, for all or {user: items}; block: none of these.
        """
        yes_or_no("exclude_seen", exclude_seen)
        query = query_of(users, self.fitted)
        chosen = allowed_items(candidates, block, query.users, self.fitted.items)
        return ListMaker(self.fitted, at_least_one(k), exclude_seen, chosen).frame(query)

    def similar_items(self, items: Any, k: int = 10) -> pd.DataFrame:
        """item, similar, rank, similarity: the items whose scores rise most when a user has nothing but that item."""
        return similar_items_frame(self.fitted, item_positions(items, self.fitted), at_least_one(k))

    def similar_users(self, users: Any, k: int = 10) -> pd.DataFrame:
        """user, similar, rank, similarity: known users by the cosine between the means of q(z|x)."""
        return similar_users_frame(self.fitted, query_of(users, self.fitted), at_least_one(k))

    def explain(self, user: Any, item: Any, k: int = 10) -> pd.DataFrame:
        """item, contribution, linear, network: which items of a user, or of a list of items, carry the score of `item`; see `explain_score`.

        Contributions of the whole history add up to attrs["score"] - attrs["base"], the score without any history.
        """
        return explain_score(self.fitted, single_query(user, self.fitted), item_position(item, self.fitted)).frame(
            self.fitted, at_least_one(k)
        )

    def embed(self, users: Any = None) -> pd.DataFrame:
        """The mean of q(z|x) of users or histories: a row for each, columns z0, z1, …"""
        query = query_of(users, self.fitted)
        codes = self.fitted.ranker.codes(query.matrix, query.side).cpu().numpy()
        return pd.DataFrame(codes, index=query.users.rename("user"), columns=[f"z{i}" for i in range(codes.shape[1])])

    def partial_fit(self, df: pd.DataFrame, epochs: int = 3) -> Recommender:
        """Take in more interactions, of known and new users and items; read like the table of `fit`.

        The linear part becomes what it would be had all been there from the start, whatever the number of `epochs`. The network gets new items with
        the weights of items that the same users have, and is trained some epochs more.
        """
        self._model = update(self.fitted, frame("df", df), at_least(0)("epochs", epochs))
        return self

    def evaluate(self, protocol: str | pd.DataFrame = "strong") -> Judged:
        """How good the lists are, beside popularity and EASE: see `Judged`.

        "strong" (new users), "last" (the last item of each user, by time) and "random" train a model like this one without what it is then asked for.
        A frame of later interactions judges this model itself.
        """
        if not isinstance(protocol, str | pd.DataFrame):
            raise refused("protocol", protocol, "'strong', 'last', 'random' or a DataFrame of later interactions")
        return evaluate_protocol(self.fitted, protocol) if isinstance(protocol, str) else evaluate_later(self.fitted, protocol)

    def save(self, path: str | Path) -> None:
        """Write the recommender to a folder: safetensors, parquet and JSON, nothing that executes."""
        save(self.fitted, as_path("path", path))

    @classmethod
    def load(cls, path: str | Path) -> Recommender:
        """What `save` wrote, or the run in a folder of `vaehub train`, which knows users while the table that it was trained on is there."""
        return cls.of(read(as_path("path", path)))

    @classmethod
    def of(cls, fitted: Fitted) -> Recommender:
        """The face of a model that is trained already."""
        recommender = cls(fitted.run.config.to_dict())
        recommender._model = fitted
        return recommender

    def facts(self) -> dict[str, object]:
        """What it was fitted to, as `repr` and a notebook show it; before `fit`, its options."""
        model = self._model
        if model is None:
            return {"config": self.config, **self.options}
        log = model.log
        own = {"users": f"{len(log.users):,}", "items": f"{len(log.items):,}", "interactions": f"{log.matrix.nnz:,}"}
        return own | {key: value for key, value in model.run.facts().items() if key not in ("domain", "shape")}

    @property
    def fitted(self) -> Fitted:
        """The trained model and its users. Raises UsageError before `fit`."""
        if self._model is None:
            raise UsageError("this Recommender knows nothing yet; call fit, or Recommender.load")
        return self._model


def at_least_one(k: int) -> int:
    """The length of a list. Raises UsageError for one below 1."""
    count_everyone: int = at_least(1)("k", k)
    return count_everyone


def frame(name: str, value: object) -> pd.DataFrame:
    """A DataFrame. Raises UsageError for anything else, and says how a file becomes one."""
    if not isinstance(value, pd.DataFrame):
        hint = "; read the file first, with pandas.read_csv or read_parquet" if isinstance(value, str | Path) else ""
        raise UsageError(f"{refused(name, value, 'a pandas DataFrame')}{hint}")
    return value

"""The facade: a table of interactions goes in, lists for known and new users come out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, final, overload

import pandas as pd
from scipy.sparse import csr_array

from vaehub import Described, UsageError, arguments
from vaehub_recommender.api.add_items import add_items
from vaehub_recommender.api.allowed_items import Items, Rules, allowed_for_all, allowed_items
from vaehub_recommender.api.config import chooses, recommender_config
from vaehub_recommender.api.embeddings import item_frame, user_frame
from vaehub_recommender.api.evaluate import (
    evaluate_later,
    evaluate_logged,
    evaluate_protocol,
    evaluate_splits,
    measure_names,
)
from vaehub_recommender.api.explain import explain_score
from vaehub_recommender.api.files import read, save
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.forget import forget
from vaehub_recommender.api.learn import domain_of, learn, learn_best
from vaehub_recommender.api.query import query_of
from vaehub_recommender.api.ranked_lists import ListMaker
from vaehub_recommender.api.score import score_frame
from vaehub_recommender.api.similar import require_codes, similar_items_frame, similar_users_frame
from vaehub_recommender.api.single import item_position, item_positions, single_query
from vaehub_recommender.api.update import update
from vaehub_recommender.choose import Choice
from vaehub_recommender.item_index import ItemIndex, index_of, write_index
from vaehub_recommender.judge import Judged, OffPolicy, SplitsTogether
from vaehub_recommender.rerank import Reranker
from vaehub_recommender.rerank.lists import reranking
from vaehub_recommender.tables import Columns, Frame, WeightTransform, as_frame, training_log
from vaehub_recommender.tables.frames import is_foreign
from vaehub_recommender.temporal import Moment


@final
class Recommender(Described):
    """Recommend items to users by what they and others had to do with: by the model that ranks best for validation users.

    Without a config `fit` tries item-kNN, EASE and a VAE beside EASE, and keeps the network where it is ahead; `choice` has what each scored
    and cost. EASE is "Embarrassingly Shallow Autoencoders for Sparse Data" (Steck, 2019), arXiv:1905.03375; the VAE is that of "RecVAE: a
    New Variational Autoencoder for Top-N Recommendations with Implicit Feedback" (Shenbin et al., 2020), arXiv:1912.11160. Ids are any values that
    can be looked up, and come back as they went in. Wherever users are asked about, they are ids of known users, or histories: a frame with a
    row for each pair or a list for each user, {user: items}, a list of lists, a sparse matrix (B, J) of which the numbers of the columns are the
    ids of the items where these are whole numbers, and else their positions in the catalogue.

    Arguments:
        config: YAML file, name ("recommender_ease", or "ease" for short) or mapping of `vaehub train`, which is trained as it is; by default a
            model is chosen.
        time_limit: seconds for the search. By default it tries the large network on large tables alone; with a limit it tries it wherever
            the small one pays and the time is expected to do.
        options: how to train, by name, such as **{"train.epochs": 5}. One that says what the model is, such as latent=100, changes the shipped
            hybrid `configs/recommender.yaml`, and that is trained.

    Raises:
        UsageError: from any method, in one line, for what cannot be read or is not known.

    Example:
        >>> from vaehub_recommender.example import CONFIG, film_ratings
        >>> recommender = Recommender(CONFIG, latent=8).fit(film_ratings(), min_rating=4)
        >>> recommender.recommend({"new": ["Noir film 01", "Noir film 02"]}, k=1)["item"].tolist()
        ['Noir film 03']
    """

    _model: Fitted | None = None

    def __init__(self, config: Any = None, *, time_limit: float | None = None, **options: Any) -> None:
        self.config, self.time_limit, self.options = config, time_limit, options

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """What it was made with, by name: with it `sklearn.base.clone` makes one like it that is not fitted.

        Arguments:
            deep: without effect.

        Example:
            >>> Recommender("ease", **{"train.seed": 1}).get_params()
            {'config': 'ease', 'time_limit': None, 'train.seed': 1}
        """
        return {"config": self.config, "time_limit": self.time_limit, **self.options}

    def set_params(self, **params: Any) -> Recommender:
        """Change what it was made with; what is fitted stays until the next `fit`.

        Arguments:
            params: as `get_params` has them; other names are options.

        Returns:
            The recommender itself.

        Example:
            >>> Recommender().set_params(config="ease").get_params()
            {'config': 'ease', 'time_limit': None}
        """
        self.config = params.pop("config", self.config)
        self.time_limit = params.pop("time_limit", self.time_limit)
        self.options = {**self.options, **params}
        return self

    def fit(
        self,
        df: Frame | csr_array,
        user: str | int | None = None,
        item: str | int | None = None,
        weight: str | int | None = None,
        time: str | int | None = None,
        min_rating: float | None = None,
        users: Frame | None = None,
        items: Frame | None = None,
        seen: Literal["all", "learnt"] | None = None,
        min_user: int | None = None,
        min_item: int | None = None,
        weight_transform: str | WeightTransform | None = None,
        half_life: float | None = None,
    ) -> Recommender:
        """Learn from a table of interactions; columns that are not named are found by their usual names.

        Arguments:
            df: a row for every user and item, or for every user with a list of items: a frame of pandas, polars or Arrow; or a sparse matrix (U, I),
                whose ids are the numbers of its rows and columns.
            user: column of the users, by its name or, where columns have none, its number.
            item: column of the items.
            weight: column of weights above 0, which count only where it is named.
            time: column of times, by which the protocol "last" knows what came last.
            min_rating: rows of at least that weight or rating count, all alike; others do not.
            users: what else is known of users, one row each, with the same column of ids: a condition of the model.
            items: what else is known of items, from which their embeddings start, by which `filter` and `at` choose, and by which new ones are
                listed (`add_items`).
            seen: what is on no list again: "all" rows of a user, also those below `min_rating`, or only those that are "learnt" from; by default as
                the config says, where that is "all". `evaluate` leaves ratings below aside, as papers do.
            min_user: users with fewer interactions are left out, and items as `min_item` says, again and again until both hold; a warning says
                how many. Such users can be asked about by their histories.
            min_item: items with fewer interactions are left out of the catalogue.
            weight_transform: "log", "cap" or "confidence", or a `WeightTransform`: how much a weight counts, whatever its unit.
            half_life: days in which an interaction comes to count half as much, in what is learnt and in histories with times.

        Returns:
            The recommender itself.

        Raises:
            UsageError: names the column and the rows: missing ids, bad weights or times, one user or one item, nothing above `min_rating`.

        Example:
            >>> from vaehub_recommender.example import CONFIG, film_ratings
            >>> Recommender(CONFIG).fit(film_ratings(), user="user", item="item", min_rating=4).facts()["items"]
            '36'
        """
        arguments.or_none(arguments.one_of("all", "learnt"))("seen", seen)
        supports = {"min_user": min_user, "min_item": min_item}
        least = {name: arguments.or_none(arguments.at_least(1))(name, value) for name, value in supports.items()}
        transform = WeightTransform.of(weight_transform)
        columns = Columns.of(user, item, weight, time, min_rating, seen, **least, transform=transform)
        open_choice = chooses(self.config, self.options, checked_limit(self.time_limit))
        config = recommender_config(self.config, self.options, columns, half_life)
        log = training_log(as_frame("df", df, columns), domain_of(config).columns)
        tables = {"user": users, "item": items}
        frames = {name: None if table is None else as_frame(f"{name}s", table) for name, table in tables.items()}
        if open_choice:
            self._model = learn_best(log, config, frames, self.options, self.time_limit)
        else:
            self._model = learn(log, config, frames)
        return self

    def recommend(
        self,
        users: Any = None,
        k: int = 20,
        exclude_seen: bool = True,
        candidates: Items = None,
        block: Items = None,
        filter: str | None = None,
        available: Frame | None = None,
        at: Any = None,
        rerank: Reranker | Sequence[Reranker] | None = None,
    ) -> pd.DataFrame:
        """The best items for users or histories.

        Arguments:
            users: ids of known users, or histories; by default all known users. New users by what the table `users=` of `fit` says of such:
                a frame with its columns, or {user: {"age": 30, …}}.
            k: length of a list; it is shorter where fewer items are left.
            exclude_seen: leave out the items of the user's history.
            candidates: nothing but these items: a list, set, array, Series, frame or iterator for all users; {user: items}, or a frame with a
                column of users, for each.
            block: none of these items, given in the same ways; users who are not named have none blocked.
            filter: nothing but items for which this is true, an expression over the columns of `fit(…, items=)`, such as
                "year >= 1990 and 'Comedy' in genre": comparisons joined by and, or, not. Items without a row there pass none.
            available: a frame with item, from and until (or one of these two): nothing but items in one of their windows, from <= at < until, or
                without any. By default such columns of `fit(…, items=)`, where `at` is given.
            at: the moment for windows: a stamp, a date, or "now", which is the default where `available` is given.
            rerank: one or several of `vaehub_recommender.rerank`, which choose a list from the 100 best items (or 2 k); scores stay.

        Returns:
            A frame with user, item, rank (from 1), score (compares items for one user) and reason: "history"; "features" where nothing else is
            known of the user; or "popular" where nothing is known at all, with the log of the share of users who have the item as score.

        Raises:
            UsageError: a user who is not known, candidates or blocked items of which the model knows none, a filter that cannot be read.

        Example:
            >>> from vaehub_recommender.example import film_recommender
            >>> lists = film_recommender().recommend({"new": ["Noir film 01", "Noir film 02"], "nobody": []}, k=1)
            >>> lists[["user", "item", "reason"]].to_numpy().tolist()
            [['new', 'Noir film 03', 'history'], ['nobody', 'Noir film 01', 'popular']]
        """
        arguments.yes_or_no("exclude_seen", exclude_seen)
        query = query_of(users, self.fitted)
        reranked = reranking(rerank, self.fitted, arguments.at_least(1)("k", k))
        chosen = allowed_items(Rules(candidates, block, filter, available, at), query.users, self.fitted)
        return ListMaker(self.fitted, reranked.depth, exclude_seen, chosen, reranked).frame(query.with_blocked(chosen.blocked))

    def score(self, users: Any, items: Any = None) -> pd.DataFrame:
        """The scores of users and items, as they stand on lists, whether seen or not.

        Arguments:
            users: ids of known users, or histories; without `items` a frame of pairs, with a column of known users and one of items.
            items: one item or several, each scored for every user.

        Returns:
            A frame with user, item and score, in the order of the pairs. Scores compare items for one user.

        Raises:
            UsageError: a user or an item that is not known.

        Example:
            >>> from vaehub_recommender.example import film_recommender
            >>> film_recommender().score({"new": ["Noir film 01"]}, ["Noir film 02", "War film 01"]).shape
            (2, 3)
        """
        return score_frame(self.fitted, users, items)

    def similar_items(
        self,
        items: Any,
        k: int = 10,
        candidates: Iterable[Any] | None = None,
        block: Iterable[Any] | None = None,
        filter: str | None = None,
        available: Frame | None = None,
        at: Any = None,
    ) -> pd.DataFrame:
        """The items whose scores rise most when a user has nothing but the item that is asked about.

        Arguments:
            items: one item or several.
            k: how many for each.
            candidates: name nothing but these items.
            block: name none of these items.
            filter: as in `recommend`.
            available: as in `recommend`.
            at: as in `recommend`.

        Returns:
            A frame with item, similar, rank and similarity, the rise of the score.

        Raises:
            UsageError: an item that the model does not know.

        Example:
            >>> from vaehub_recommender.example import film_recommender
            >>> film_recommender().similar_items("Noir film 01", k=2)["similar"].tolist()
            ['Noir film 03', 'Noir film 02']
        """
        allowed = allowed_for_all(Rules(candidates, block, filter, available, at), self.fitted)
        return similar_items_frame(self.fitted, item_positions(items, self.fitted), arguments.at_least(1)("k", k), allowed)

    def similar_users(self, users: Any, k: int = 10) -> pd.DataFrame:
        """The known users whose codes are nearest: by the cosine between the means of q(z|x).

        Arguments:
            users: ids of known users, or histories.
            k: how many for each.

        Returns:
            A frame with user, similar, rank and similarity (-1 to 1); nobody is similar to himself.

        Raises:
            UsageError: a user who is not known, or a model without codes, such as EASE alone.

        Example:
            >>> from vaehub_recommender.example import film_recommender
            >>> film_recommender().similar_users("viewer 0001", k=2).columns.tolist()
            ['user', 'similar', 'rank', 'similarity']
        """
        return similar_users_frame(self.fitted, query_of(users, self.fitted), arguments.at_least(1)("k", k))

    def explain(self, user: Any, item: Any, k: int = 10) -> pd.DataFrame:
        """Which items of a history carry the score of an item; see `explain_score` for how it is shared out.

        Arguments:
            user: a known user, or a list of items.
            item: the item whose score is explained.
            k: how many items of the history, those that carry most.

        Returns:
            A frame with item and contribution = linear + network. Over the whole history the contributions add up to
            attrs["score"] - attrs["base"], the score less that of an empty history.

        Raises:
            UsageError: a user or item that is not known, or an empty history.

        Example:
            >>> from vaehub_recommender.example import film_recommender
            >>> why = film_recommender().explain(["Noir film 01", "War film 01"], "Noir film 02")
            >>> why["item"].tolist()
            ['Noir film 01', 'War film 01']
            >>> bool(abs(why["contribution"].sum() - (why.attrs["score"] - why.attrs["base"])) < 1e-6)
            True
        """
        return explain_score(self.fitted, single_query(user, self.fitted), item_position(item, self.fitted)).frame(
            self.fitted, arguments.at_least(1)("k", k)
        )

    def embed(self, users: Any = None) -> pd.DataFrame:
        """The mean of q(z|x) of users or histories.

        Arguments:
            users: ids of known users, or histories; by default all known users.

        Returns:
            A frame with a row for each user and a column z0, z1, … for each latent dimension.

        Raises:
            UsageError: a user who is not known, or a model without codes, such as EASE alone.

        Example:
            >>> from vaehub_recommender.example import film_recommender
            >>> film_recommender().embed([["Noir film 01"], ["War film 01"]]).shape
            (2, 4)
        """
        query = query_of(users, require_codes(self.fitted))
        codes = self.fitted.ranker.codes(query.matrix, query.side).cpu().numpy()
        return pd.DataFrame(codes, index=query.users.rename("user"), columns=[f"z{i}" for i in range(codes.shape[1])])

    def item_embeddings(self) -> pd.DataFrame:
        """Vectors of the items: the inner product with a user's vector of `user_vectors` is the item's score for that user.

        Where the decoder ends in a matrix, as Mult-VAE's and RecVAE's do, network0 … are the item's row of it, and its bias is the last; the
        linear part has linear0 …, a number for each item of the catalogue: how much having that item speaks for this one. A mixture has both.

        Returns:
            A frame (I, D) with the items as index.

        Raises:
            UsageError: the scores of this model are no inner products.

        Example:
            >>> from vaehub_recommender.example import film_recommender
            >>> film_recommender().item_embeddings().shape  # 4 latent dimensions and the bias, 36 items
            (36, 41)
        """
        return item_frame(self.fitted)

    def user_vectors(self, users: Any = None) -> pd.DataFrame:
        """Vectors of users or histories, by which an index of `export_index` is searched; `embed` gives the codes z alone.

        Arguments:
            users: ids of known users, or histories; by default all known users.

        Returns:
            A frame (B, D) with the columns of `item_embeddings`.

        Raises:
            UsageError: a user who is not known, or the scores of this model are no inner products.

        Example:
            >>> from vaehub_recommender.example import film_recommender
            >>> vectors, items = film_recommender().user_vectors(["viewer 0001"]), film_recommender().item_embeddings()
            >>> (items @ vectors.T)["viewer 0001"].idxmax() == film_recommender().recommend("viewer 0001", k=1, exclude_seen=False)["item"][0]
            True
        """
        return user_frame(self.fitted, query_of(users, self.fitted))

    def export_index(self, path: str | Path, kind: str = "exact") -> ItemIndex:
        """Write the vectors of the items to a folder in which `load_index` and other programs can look for the best items of a user.

        What a search finds is the model's ranking, items that the user has included; for histories of which nothing is known `recommend` gives
        what is popular instead.

        Arguments:
            path: the folder: vectors.safetensors, items.json with the ids in their order, and for faiss vectors.faiss.
            kind: "exact" compares all items; "faiss" follows a graph, is faster for many and may miss some (needs the extra `faiss`).

        Returns:
            The index.

        Raises:
            UsageError: the scores of this model are no inner products, something else is in the folder, or faiss is not installed.

        Example:
            >>> from tempfile import TemporaryDirectory
            >>> from vaehub_recommender.example import film_recommender
            >>> from vaehub_recommender.item_index import load_index
            >>> with TemporaryDirectory() as folder:
            ...     _ = film_recommender().export_index(f"{folder}/index")
            ...     found = load_index(f"{folder}/index").search(film_recommender().user_vectors(["viewer 0001"]), k=2)
            >>> found.columns.tolist(), len(found)
            (['user', 'item', 'rank', 'score'], 2)
        """
        index = index_of(item_frame(self.fitted), kind)
        write_index(index, arguments.path("path", path))
        return index

    def partial_fit(self, df: Frame | csr_array, epochs: int = 3) -> Recommender:
        """Take in more interactions, of known and new users and items.

        The linear part becomes what it would be had all been there from the start, whatever the number of `epochs`. The network gets new items with
        the weights of items that the same users have, and is trained some epochs more.

        Arguments:
            df: a table with the columns of that of `fit`.
            epochs: of the network, at a lower learning rate.

        Returns:
            The recommender itself.

        Raises:
            UsageError: as `fit`.

        Example:
            >>> from vaehub_recommender.example import film_recommender
            >>> later = pd.DataFrame({"user": ["new"], "item": ["A new film"], "rating": [5]})
            >>> larger = Recommender.of(film_recommender().fitted).partial_fit(later, epochs=0)
            >>> larger.facts()["users"], larger.facts()["items"]
            ('81', '37')
        """
        self._model = update(self.fitted, as_frame("df", df, self.fitted.columns), arguments.at_least(0)("epochs", epochs))
        return self

    def forget(self, users: Any = None, rows: Frame | None = None, refit: bool = True) -> Recommender:
        """Forget users, or some of their interactions: histories, ids and popularity, and what the model learnt of them.

        With `refit` the model is trained anew from what is left, as if the rest had never been there. Without it the linear part alone is
        exact, at the cost of a small update, by the identity of Woodbury, "Inverting Modified Matrices" (1950): the network keeps the weights
        that it was trained to, and items that nobody has any more stay in the catalogue. Items of `add_items` are to be added again after a
        refit. Files that were saved before hold what they held.

        Arguments:
            users: ids of known users, one or several.
            rows: a frame with the columns of users and items of `fit`: pairs to forget. A user without any other is forgotten.
            refit: train anew.

        Returns:
            The recommender itself.

        Raises:
            UsageError: a user who is not known, pairs of which none is, or nobody would be left; then nothing was forgotten.

        Example:
            >>> from vaehub_recommender.example import film_recommender
            >>> smaller = Recommender.of(film_recommender().fitted).forget("viewer 0001", refit=False)
            >>> smaller.facts()["users"]
            '79'
        """
        arguments.yes_or_no("refit", refit)
        self._model = forget(self.fitted, users, None if rows is None else as_frame("rows", rows, self.fitted.columns), refit)
        return self

    def add_items(self, items: Frame | None = None) -> Recommender:
        """List items that nobody has, by their features; nothing is trained, and `partial_fit` takes over once users have them.

        Needs a model that was fitted with `items=`. Scores of new items are regressed on their features, with a penalty and a spread chosen by
        hiding items that users have, so that new ones get about as many places as such items do. In a history, a new item stands for the
        items nearest to it by features.

        Arguments:
            items: a table with the columns of that of `fit`, whose rows of items that the model has learnt are left alone; by default those
                rows of that table itself that nobody has.

        Returns:
            The recommender itself.

        Raises:
            UsageError: a model without features of items, no new item, or a table that lacks a column.

        Example:
            >>> from vaehub_recommender.example import CONFIG, film_ratings
            >>> ratings = film_ratings()
            >>> films = pd.DataFrame({"item": [*ratings["item"].unique(), "Noir film 99", "War film 99"]})
            >>> films["genre"] = films["item"].str.split().str[0]
            >>> larger = Recommender(CONFIG).fit(ratings, min_rating=4, items=films).add_items()
            >>> larger.similar_items("Noir film 01", k=36).set_index("similar")["similarity"][["Noir film 99", "War film 99"]].idxmax()
            'Noir film 99'
        """
        self._model = add_items(self.fitted, None if items is None else as_frame("items", items))
        return self

    @overload
    def evaluate(
        self, protocol: str | Frame = "strong", metrics: Sequence[str] | None = None, *, at: Moment = None
    ) -> Judged: ...

    @overload
    def evaluate(
        self, protocol: str = "strong", metrics: Sequence[str] | None = None, *, at: Moment = None, splits: int
    ) -> SplitsTogether: ...

    @overload
    def evaluate(
        self,
        protocol: Frame,
        metrics: Sequence[str] | None = None,
        *,
        propensity: str,
        reward: str = "reward",
        clip: float | None = None,
    ) -> OffPolicy: ...

    def evaluate(
        self,
        protocol: str | Frame = "strong",
        metrics: Sequence[str] | None = None,
        *,
        at: Moment = None,
        splits: int | None = None,
        propensity: str | None = None,
        reward: str = "reward",
        clip: float | None = None,
    ) -> Judged | SplitsTogether | OffPolicy:
        """How good the lists are, beside those of popularity and EASE.

        Arguments:
            protocol: "strong" (new users), "last" (the last item of each user, by time), "random" (a fifth of each user's items), "temporal" (what
                everybody had from `at` on), "new_items" (a tenth of the items, ranked by their features) and "new_users" (a tenth of the users,
                of whom only features are shown) train a model like this one without what it is then asked for; a frame of later
                interactions judges this model itself.
            metrics: measures at any number of places: "ndcg@10", and so recall, map, mrr and hit; differences and segments are of the first.
            at: of "temporal": a date or time, or below 1 the share of the interactions that is before it; by default 0.8.
            splits: train on so many splits, 2 or more, each with a seed of its own, and put them together with the corrected interval of
                "Inference for the Generalization Error" (Nadeau & Bengio, 2003), doi:10.1023/A:1024068626366.
            propensity: column of a frame that logs what another policy showed, a row each: the probability with which it was shown. Then what
                these lists would bring is estimated by IPS and SNIPS, see `OffPolicy`; `metrics` are "ips@20" and the like.
            reward: column of such a log with what the user gave to it, such as 1 for a click and 0 for none.
            clip: weights of such a log above this are cut to it; by default none is.

        Returns:
            `Judged`: tables of means with standard errors, paired differences and segments; `SplitsTogether` of several splits; `OffPolicy` of a
            log. `table()` has the figures, `lines()` is all of it as text.

        Raises:
            UsageError: a protocol or measure that does not exist, "last" or "temporal" without times, features that the model was fitted
                without, or a frame in which nothing is new.

        Example:
            >>> from vaehub_recommender.example import film_recommender
            >>> judged = film_recommender().evaluate("random", metrics=["ndcg@10", "recall@5"])
            >>> judged.models
            ['model', 'EASE', 'popularity']
            >>> judged.figures()["ndcg@10"] > judged.figures()["popularity ndcg@10"]
            True
            >>> film_recommender().evaluate("strong", splits=2).table()["ndcg@100"].columns.tolist()
            ['mean', 'sd']
            >>> log = pd.DataFrame({"user": ["viewer 0001"] * 2, "item": ["Noir film 01", "War film 01"], "reward": [1, 0], "share": 0.5})
            >>> film_recommender().evaluate(log, ["snips@36"], propensity="share").table().index.tolist()
            ['snips@36']
        """
        if not (isinstance(protocol, str | pd.DataFrame) or is_foreign(protocol)):
            raise arguments.wrong_argument(
                "protocol",
                protocol,
                "'strong', 'last', 'random', 'temporal', 'new_items', 'new_users' or a DataFrame of later interactions",
            )
        if not isinstance(protocol, str):
            frame = as_frame("protocol", protocol)
            if splits is not None or at is not None:
                raise UsageError(f"splits={splits}, at={at!r}: a frame is judged as it is; leave both out, or give a protocol")
            if propensity is not None:
                return evaluate_logged(self.fitted, frame, propensity, reward, clip, metrics)
            return evaluate_later(self.fitted, frame, measure_names(metrics))
        if propensity is not None:
            raise UsageError(
                f"propensity={propensity!r}: goes with a frame that logs what was shown; give it in place of {protocol!r}"
            )
        if splits is not None:
            if at is not None:
                raise UsageError(f"splits={splits}: a cut in time is one split and no other; leave out at=")
            return evaluate_splits(self.fitted, protocol, arguments.at_least(2)("splits", splits), measure_names(metrics))
        return evaluate_protocol(self.fitted, protocol, measure_names(metrics), at)

    def save(self, path: str | Path) -> None:
        """Write the recommender to a folder: safetensors, parquet and JSON, nothing that executes. It holds the users' histories.

        Arguments:
            path: the folder, which is written whole or not at all, in place of a recommender that is there.

        Raises:
            UsageError: something else is there, or an id is of a type that no file can hold.

        Example:
            >>> from tempfile import TemporaryDirectory
            >>> from vaehub_recommender.example import film_recommender
            >>> with TemporaryDirectory() as folder:
            ...     film_recommender().save(f"{folder}/films")
            ...     len(Recommender.load(f"{folder}/films").recommend(k=2))
            160
        """
        save(self.fitted, arguments.path("path", path))

    @classmethod
    def load(cls, path: str | Path) -> Recommender:
        """What `save` wrote, or the run in a folder of `vaehub train`.

        Arguments:
            path: the folder. A run knows users while the table that it was trained on is there, and serves histories without it.

        Returns:
            The recommender, on the CPU.

        Raises:
            UsageError: no such folder, damaged, or of another domain.

        Example:
            >>> Recommender.load("nowhere")
            Traceback (most recent call last):
            vaehub.errors.UsageError: nowhere: no such folder; give one that Recommender.save or `vaehub train` wrote
        """
        return cls.of(read(arguments.path("path", path)))

    @classmethod
    def of(cls, fitted: Fitted) -> Recommender:
        """The recommender of a model that is trained already, which is shared, not copied.

        Arguments:
            fitted: as `recommender.fitted` has it.

        Example:
            >>> from vaehub_recommender.example import film_recommender
            >>> Recommender.of(film_recommender().fitted).fitted is film_recommender().fitted
            True
        """
        recommender = cls(fitted.run.config.to_dict())
        recommender._model = fitted
        return recommender

    def facts(self) -> dict[str, object]:
        """What it was fitted to, as `repr` and a notebook show it; before `fit`, its options.

        Example:
            >>> Recommender(latent=50).facts()
            {'config': None, 'time_limit': None, 'latent': 50}
        """
        model = self._model
        if model is None:
            return self.get_params()
        log = model.log
        own: dict[str, object] = {"users": f"{len(log.users):,}", "items": f"{len(model.items):,}"}
        own["interactions"] = f"{log.matrix.nnz:,}"
        if model.choice is not None:
            own["chosen"] = model.choice.chosen
        return own | {key: value for key, value in model.run.facts().items() if key not in ("domain", "shape")}

    @property
    def choice(self) -> Choice | None:
        """What `fit` tried and took; None where the model was named.

        Raises UsageError before `fit`.

        Example:
            >>> from vaehub_recommender.example import film_recommender
            >>> film_recommender().choice is None
            True
        """
        return self.fitted.choice

    @property
    def fitted(self) -> Fitted:
        """The trained model and its users. Raises UsageError before `fit`."""
        if self._model is None:
            raise UsageError("this Recommender knows nothing yet; call fit, or Recommender.load")
        return self._model


def checked_limit(given: Any) -> float | None:
    """Seconds above 0, or None. Raises UsageError for anything else."""
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not given > 0:
        raise arguments.wrong_argument("time_limit", given, "a number of seconds above 0, or None")
    return float(given)

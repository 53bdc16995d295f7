"""Items that nobody has, ranked by their features: 10 % of the items of MovieLens are hidden from training, their attributes kept.

Ratings of at least 4 stars. Attributes: genres, year, and the words of the title. Users who have hidden items are judged by how these are ranked
among themselves, beside how popular an item is to be by its attributes (the regression of log popularity on them, which is better than the mean
popularity of its genres) and a content kNN (cosine of all attributes to those of the user's items). Everything is chosen in training.
`--users`: the same for users of whom nothing but age, sex and occupation is known, beside popularity.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measure import CONFIGS, Cache, clocks, row, table
from protocol import RATINGS, options_of

from vaehub_recommender.api.config import recommender_config
from vaehub_recommender.api.evaluate_cold import judged_by_new_items, judged_by_new_users
from vaehub_recommender.cold.content import Content
from vaehub_recommender.tables import Columns, training_log

MEASURES = ("recall@20", "ndcg@100")
GENRES = 5  # first column of the flags of genres in ML-100K's table of films


def films_1m(data: Path) -> pd.DataFrame:
    """item_id, title, genres of ML-1M."""
    names = ["item_id", "title", "genres"]
    return pd.read_csv(data / "ml1m/movies.dat", sep="::", engine="python", encoding="latin-1", header=None, names=names)


def films_100k(data: Path) -> pd.DataFrame:
    """The same of ML-100K."""
    films = pd.read_csv(data / "ml100k/u.item", sep="|", encoding="latin-1", header=None)
    genres = ["|".join(f"genre {at}" for at in np.flatnonzero(flags)) for flags in films.iloc[:, GENRES:].to_numpy()]
    return pd.DataFrame({"item_id": films[0], "title": films[1], "genres": genres})


def users_1m(data: Path) -> pd.DataFrame:
    """user_id, sex, age, occupation of ML-1M."""
    users = pd.read_csv(data / "ml1m/users.dat", sep="::", engine="python", header=None).iloc[:, :4]
    return users.set_axis(["user_id", "sex", "age", "occupation"], axis=1).astype({"age": str, "occupation": str})


def users_100k(data: Path) -> pd.DataFrame:
    """The same of ML-100K."""
    users = pd.read_csv(data / "ml100k/u.user", sep="|", header=None).iloc[:, :4]
    return users.set_axis(["user_id", "age", "sex", "occupation"], axis=1)


FILMS: dict[str, Callable[[Path], pd.DataFrame]] = {"ml-1m": films_1m, "ml-100k": films_100k}
USERS: dict[str, Callable[[Path], pd.DataFrame]] = {"ml-1m": users_1m, "ml-100k": users_100k}


def described(films: pd.DataFrame) -> pd.DataFrame:
    """The year, which stands at the end of the title, as a column of its own."""
    year = films["title"].str.extract(r"\((\d{4})\)\s*$")[0].astype(float)
    return films.assign(title=films["title"].str.replace(r"\s*\(\d{4}\)\s*$", "", regex=True), year=year)


def measured(name: str, data: Path, config: str, seed: int, users: bool) -> dict[str, Any]:
    """A config on one draw of hidden items or users: means, notes and CPU seconds."""
    ratings = RATINGS[name]
    frame = pd.read_parquet(data / ratings.file)
    frame = frame.loc[frame[ratings.liked] >= ratings.least, ["user_id", "item_id"]]
    columns = Columns("user_id", "item_id")
    log, settings = training_log(frame, columns), recommender_config(CONFIGS / f"{config}.yaml", {"train.seed": seed}, columns)
    started = clocks()
    if users:
        judged = judged_by_new_users(settings, log, {"user": USERS[name](data), "item": None})
    else:
        content = Content.of(described(FILMS[name](data)), "item_id", log.items)
        assert content is not None  # films have genres
        judged = judged_by_new_items(settings, log, content, {"user": None, "item": None})
    means = judged.table()
    found = {model: {m: float(means[(m, "mean")][model]) for m in MEASURES} for model in judged.models}
    return {"models": found, "notes": list(judged.notes), "cpu": float((clocks() - started)[1]), "users": len(judged.history)}


def report(name: str, config: str, results: list[dict[str, Any]]) -> None:
    """A row for every model: means over the draws, and the ratio to the best of the others."""
    models = list(results[0]["models"])
    mean = {model: {m: float(np.mean([r["models"][model][m] for r in results])) for m in MEASURES} for model in models}
    best = max(mean[model]["recall@20"] for model in models[1:])
    for model in models:
        ratio = f"{mean[model]['recall@20'] / best:.2f}" if model == models[0] else ""
        cpu = f"{np.mean([r['cpu'] for r in results]):.0f}" if model == models[0] else ""
        row(name, config if model == models[0] else model, len(results), *mean[model].values(), ratio, cpu)
    for result in results:
        print("  ", *result["notes"])


def main() -> None:
    """A row for every data set, config and baseline."""
    parser = options_of(__doc__)
    parser.add_argument("--ratings", nargs="*", choices=RATINGS, default=list(RATINGS))
    parser.add_argument("--configs", nargs="*", default=["recommender_ease"], help="stems of configs/recommender*.yaml")
    parser.add_argument("--draws", type=int, default=5, help="how often items are hidden")
    parser.add_argument("--users", action="store_true", help="hide users, not items")
    options = parser.parse_args()
    cache = Cache(options.cache)
    table("data", "model", "draws", *MEASURES, "ratio of recall to the better baseline", "CPU s")
    for name in options.ratings:
        for config in options.configs:
            keys = [f"cold {name} {config} {seed} {options.users}" for seed in range(options.draws)]
            run = partial(measured, name, options.data, config)
            results = [cache.of(key, partial(run, seed, options.users)) for seed, key in enumerate(keys)]
            report(name, config, results)


if __name__ == "__main__":
    main()

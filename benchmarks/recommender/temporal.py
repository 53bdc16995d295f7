"""Whether old interactions should count less: ML-100K (4 stars and more) cut in time at 80 % of them, and generated ratings whose tastes drift.

Models learn from what is before the cut; users with items on both sides of it are judged by what they had after. Of the variants of a kind the one
that ranks best for validation (the latest tenth before the cut) is marked, so that the test chooses nothing.
"""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measure import CONFIGS, Cache, clocks, row, table
from protocol import options_of

import vaehub
from vaehub_recommender.api.config import recommender_config
from vaehub_recommender.api.learn import domain_of
from vaehub_recommender.domain import SplitLog
from vaehub_recommender.judge import judge
from vaehub_recommender.rank import Ranker
from vaehub_recommender.tables import Columns, decayed, training_log
from vaehub_recommender.temporal import temporal

VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("recommender_ease", {}),
    ("recommender_ease", {"domain.half_life": 30}),
    ("recommender_ease", {"domain.half_life": 90}),
    ("recommender_ease", {"domain.recency": 0.3}),
    ("recommender_ease", {"domain.recency": 0.6}),
    ("recommender_mult_vae", {}),
    ("recommender_mult_vae", {"domain.half_life": 90}),
    ("recommender_mult_vae", {"domain.recency": 0.5}),
    ("recommender_recency", {}),
]


def ml_100k(data: Path) -> pd.DataFrame:
    """user, item, time of ML-100K's ratings of 4 stars and more."""
    ratings = pd.read_parquet(data / "ml100k/ratings.parquet")
    liked = ratings[ratings["rating"] >= 4]
    return pd.DataFrame(
        {"user": liked["user_id"], "item": liked["item_id"], "time": pd.to_datetime(liked["timestamp"], unit="s")}
    )


def drifting(data: Path) -> pd.DataFrame:
    """Users who go through three of twelve genres of 40 items in a year, one after the other, with 45 items each; a tenth is by chance."""
    rng = np.random.default_rng(0)
    popular = 1 / np.arange(1, 41)
    frames = []
    for user in range(1500):
        genres = np.repeat(rng.choice(12, 3, replace=False), 15)
        items = np.where(
            rng.random(45) < 0.1, rng.integers(0, 480, 45), 40 * genres + rng.choice(40, 45, p=popular / popular.sum())
        )
        days = np.sort(rng.uniform(0, 365, 45))
        frames.append(pd.DataFrame({"user": user, "item": items, "time": pd.Timestamp(2024, 1, 1) + pd.to_timedelta(days, "D")}))
    return pd.concat(frames).drop_duplicates(["user", "item"])


DATA = {"ml-100k": ml_100k, "drifting tastes": drifting}


def measured(name: str, data: Path, config: str, options: dict[str, Any]) -> dict[str, Any]:
    """NDCG@100 and Recall@20 of one variant on validation and test."""
    columns = Columns("user", "item", None, "time", None)
    settings = recommender_config(CONFIGS / f"{config}.yaml", options, columns)
    domain = domain_of(settings)
    log = decayed(training_log(DATA[name](data), columns), domain.half_life, domain.recency)
    split, started = temporal(log), clocks()
    source = SplitLog(log, split, columns, {"user": None, "item": None}, domain.history)
    run = vaehub.train(settings, domain=source, progress=False)
    spent = float((clocks() - started)[1])
    tables = [
        judge({"": Ranker(run).batches}, held, source.split.train).table() for held in (source.split.val, source.split.test)
    ]
    val, test = tables
    figures = {f"{m} {part}": float(test[(m, part)].iloc[0]) for m in ("ndcg@100", "recall@20") for part in ("mean", "se")}
    return {
        **figures,
        "val": float(val[("ndcg@100", "mean")].iloc[0]),
        "users": len(split.test),
        "notes": split.notes,
        "cpu": spent,
    }


def main() -> None:
    """A row for every data set and variant."""
    parser = options_of(__doc__)
    parser.add_argument("--sets", nargs="*", choices=DATA, default=list(DATA))
    options = parser.parse_args()
    cache = Cache(options.cache)
    warnings.simplefilter("ignore")
    table("data", "config", "options", "ndcg@100 validation", "chosen", "ndcg@100 test", "se", "recall@20 test", "se", "CPU s")
    for name in options.sets:
        found = [cache.of(f"temporal {name} {c} {o}", partial(measured, name, options.data, c, o)) for c, o in VARIANTS]
        for (config, changes), result in zip(VARIANTS, found, strict=True):
            kind = config == "recommender_ease"
            best = max(r["val"] for (c, _), r in zip(VARIANTS, found, strict=True) if (c == "recommender_ease") == kind)
            figures = [result[f"{m} {part}"] for m in ("ndcg@100", "recall@20") for part in ("mean", "se")]
            shown = ", ".join(f"{key.removeprefix('domain.')} {value}" for key, value in changes.items())
            row(name, config, shown, result["val"], "*" if result["val"] == best else "", *figures, f"{result['cpu']:.0f}")
        print("  ", f"{found[0]['users']} users judged;", *found[0]["notes"], sep="\n   ")


if __name__ == "__main__":
    main()

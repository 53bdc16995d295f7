"""What `Recommender()` chooses on small and sparse tables, beside the better of EASE and item-kNN, and what each costs.

Strong generalisation (`splits.strong`): a tenth of the users for validation, a tenth for the test, several splits. EASE has the best of seven
penalties and item-kNN (cosine, in 20 lines of its own) the best of twelve settings, both on validation users; the better of the two is chosen
there too. Differences are paired by user, all splits together. CPU seconds are those of the search with the fit of what is chosen.
"""

from __future__ import annotations

from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning  # noqa: F401  the first import takes seconds, which are no model's
import torch
from measure import Cache, clocks, row, table
from protocol import options_of
from scipy.sparse import csr_array

from vaehub_recommender.choose import choose
from vaehub_recommender.closed_form import gram
from vaehub_recommender.domain import SplitLog
from vaehub_recommender.held_out import HeldOut, Split
from vaehub_recommender.judge import ByEase, Ranking, judge
from vaehub_recommender.rank import Ranker
from vaehub_recommender.scores import DenseScores
from vaehub_recommender.splits import SEED, strong
from vaehub_recommender.tables import Columns, training_log

NDCG = "ndcg@100"
PENALTIES = (10.0, 30.0, 100.0, 200.0, 400.0, 800.0, 1600.0)
NEIGHBOURS, SHRINKS = (20, 50, 100, 200), (0.0, 10.0, 50.0)
COLUMNS = Columns("user", "item")
CUTS = {"ML-1M, 500 users": 500, "ML-1M, 2,000 users": 2_000}
TABLES = ("ML-100K", "Last.fm HetRec", "MSWeb", *CUTS)


def pairs(name: str, data: Path) -> pd.DataFrame:
    """user, item: what was liked (4 stars or more), played or visited."""
    if name in CUTS:
        liked = pd.read_parquet(data / "ml1m/interactions.parquet").query("ge4")
        users = np.random.default_rng(0).permutation(liked["user_id"].unique())[: CUTS[name]]
        liked = liked[liked["user_id"].isin(users)]
    elif name == "ML-100K":
        liked = pd.read_parquet(data / "ml100k/ratings.parquet").query("rating >= 4")
    else:
        folder = {"Last.fm HetRec": "lastfm_hetrec", "MSWeb": "msweb"}[name]
        liked = pd.read_parquet(data / folder / "interactions.parquet")
    return liked.rename(columns={"user_id": "user", "item_id": "item"})[["user", "item"]]


class ByCosine:
    """Item-kNN: scores x W, in column j of W the cosines of the nearest items of j."""

    def __init__(self, train: csr_array, neighbours: int, shrink: float) -> None:
        both = (train.T @ train).toarray()
        length = np.sqrt(both.diagonal())
        cosine = both / (np.outer(length, length) + shrink + 1e-9)
        np.fill_diagonal(cosine, 0)
        if neighbours < len(cosine):
            cosine[cosine < np.partition(cosine, -neighbours, 0)[-neighbours]] = 0
        self.weights = cosine

    def __call__(self, seen: csr_array) -> Any:
        """All rows at once."""
        yield slice(0, seen.shape[0]), DenseScores(torch.from_numpy((seen @ self.weights).astype(np.float32)))


def ndcg(ranking: Ranking, held: HeldOut, train: csr_array) -> list[float]:
    """NDCG@100 of every user."""
    return [round(float(v), 6) for v in judge({"": ranking}, held, train, [NDCG]).scorecards[""].users[NDCG]]


def best_of(rankings: list[Any], split: Split) -> dict[str, Any]:
    """The best of several settings on validation users, and what it gets."""
    started = clocks()[1]
    found = []
    for ranking in rankings:
        fitted = ranking()
        found.append((float(np.mean(ndcg(fitted, split.val, split.train))), fitted))
    val, best = max(found, key=lambda pair: pair[0])
    return {"val": val, "cpu": clocks()[1] - started, "test": ndcg(best, split.test, split.train)}


def results(name: str, data: Path, seed: int, time_limit: float | None) -> dict[str, Any]:
    """EASE, item-kNN and what is chosen, on one split."""
    log = training_log(pairs(name, data), COLUMNS)
    split = strong(log.matrix, seed=seed)
    products = gram(split.train)
    ease = best_of([lambda p=p: ByEase(products.clone(), p) for p in PENALTIES], split)
    knn = best_of([partial(ByCosine, split.train, k, shrink) for k in NEIGHBOURS for shrink in SHRINKS], split)
    started = clocks()[1]
    domain = SplitLog(log, split, COLUMNS, {"user": None, "item": None}, True)
    run, choice = choose(domain, {}, time_limit)
    cpu = clocks()[1] - started
    print(f"{name}, split {seed}:", *choice.lines(), sep="\n    ", flush=True)
    shape = [*split.train.shape, split.train.nnz]
    chosen = {"model": choice.chosen, "cpu": cpu, "test": ndcg(Ranker(run).batches, split.test, split.train)}
    return {"shape": shape, "EASE": ease, "item-kNN": knn, "chosen": chosen}


def report(name: str, found: list[dict[str, Any]]) -> None:
    """The row of a table."""
    better = [max(("EASE", "item-kNN"), key=lambda which: one[which]["val"]) for one in found]
    gain = np.concatenate(
        [np.subtract(one["chosen"]["test"], one[which]["test"]) for one, which in zip(found, better, strict=True)]
    )
    error = gain.std(ddof=1) / np.sqrt(len(gain))
    means = [float(np.mean([np.mean(one[which]["test"]) for one in found])) for which in ("EASE", "item-kNN", "chosen")]
    cost = [float(np.mean([one[which]["cpu"] for one in found])) for which in ("EASE", "item-kNN", "chosen")]
    models = ", ".join(sorted({one["chosen"]["model"] for one in found}))
    users, items, cells = found[0]["shape"]
    lead = f"{gain.mean():+.4f}", f"{gain.mean() - 1.96 * error:+.4f} … {gain.mean() + 1.96 * error:+.4f}"
    row(f"{name} ({users:,} x {items:,}, {cells:,})", *means, *lead, models, *(f"{seconds:.1f}" for seconds in cost))


def main() -> None:
    """A row for every table."""
    parser: ArgumentParser = options_of(__doc__)
    parser.add_argument("--tables", nargs="*", choices=TABLES, default=list(TABLES))
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--time-limit", type=float)
    options = parser.parse_args()
    cache, seeds = Cache(options.cache), range(SEED, SEED + options.splits)
    found = {
        name: [
            cache.of(f"{name} {s} {options.time_limit}", partial(results, name, options.data, s, options.time_limit))
            for s in seeds
        ]
        for name in options.tables
    }
    lead = ("chosen - the better of both", "95 %, paired")
    table(
        "training users x items, interactions",
        "EASE",
        "item-kNN",
        "chosen",
        *lead,
        "what was chosen",
        "EASE CPU s",
        "kNN",
        "chosen",
    )
    for name, splits in found.items():
        report(name, splits)


if __name__ == "__main__":
    main()

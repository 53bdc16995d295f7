"""100,000 users x 50,000 items, 5 M interactions, generated: what the sparse linear part takes in time and memory, and how it ranks.

Items have tastes and a popularity by a power law, users a few tastes each, so that there is something to learn. The same split by strangers for
all: what `Recommender()` chooses, the sparse linear part, item-kNN by cosine (the nearest items of each, as many as the sparse part reads, and
the best of a few counts for validation users), and popularity. Each model is fitted and judged in a process of its own, whose peak of memory is
shown.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from typing import Any

import numpy as np
from measure import clocks, high_water, row, table
from protocol import MEASURES
from scipy.sparse import csr_array
from shapes import FLAT, SHORTEST, SPREAD, Shape

from vaehub import Spec
from vaehub_recommender import Recommender
from vaehub_recommender.judge import ByPopularity, Ranking, judge
from vaehub_recommender.judge.protocols import mean_ndcg
from vaehub_recommender.parts.implicit import ImplicitMultinomial
from vaehub_recommender.parts.sparse_linear import SparseLinear
from vaehub_recommender.rank import ROWS, csr_tensor
from vaehub_recommender.scores import SparseHistoryScores
from vaehub_recommender.sparse_ridge import nearest_products
from vaehub_recommender.splits import Split, strong

LARGE = Shape(100_000, 50_000, 50.0)
TASTES, OWN = 400, 4  # groups of items, and how many of them a user has
LOYAL = 0.7  # of a user's interactions, with items of these
NEIGHBOURS = (20, 50, 100, 200)  # of item-kNN
HELD_OUT = 2_000  # strangers for validation, and as many for the test


def likes(shape: Shape, seed: int = 0) -> csr_array:
    """Binary CSR (users, items): items by popularity within the user's tastes, and among all."""
    rng = np.random.default_rng(seed)
    lengths = (
        (np.exp(rng.normal(-(SPREAD**2) / 2, SPREAD, shape.users)) * shape.mean).clip(SHORTEST, shape.items // 4).astype(np.int64)
    )
    weight = 1 / (np.arange(shape.items) + FLAT)
    taste = rng.integers(0, TASTES, shape.items)
    order = np.argsort(taste, kind="stable")  # the items of a taste stand together
    ends = np.cumsum(weight[order])
    border = np.concatenate([[0], ends[np.cumsum(np.bincount(taste, minlength=TASTES)) - 1]])
    users = np.repeat(np.arange(shape.users), lengths)
    own = rng.integers(0, TASTES, (shape.users, OWN))[users, rng.integers(0, OWN, len(users))]
    loyal, at = rng.random(len(users)) < LOYAL, rng.random(len(users))
    low, high = np.where(loyal, border[own], 0), np.where(loyal, border[own + 1], ends[-1])
    items = order[np.searchsorted(ends, low + at * (high - low)).clip(max=shape.items - 1)]
    matrix = csr_array((np.ones(len(users), np.float32), (users, items)), shape=(shape.users, shape.items))
    matrix.data[:] = 1
    return matrix


def by_weights(starts: Any, columns: Any, values: Any) -> Ranking:
    """x B with B (I, I) in CSR."""

    def ranking(seen: csr_array) -> Any:
        for start in range(0, seen.shape[0], ROWS):
            rows = slice(start, min(start + ROWS, seen.shape[0]))
            yield rows, SparseHistoryScores(csr_tensor(seen[rows]), starts, columns, values)

    return ranking


def sparse_linear(rows: Split, options: dict[str, float]) -> Ranking:
    """The decoder sparse_linear alone."""
    items = rows.train.shape[1]
    part = SparseLinear(Spec((items,), cond=items), 1, ImplicitMultinomial(Spec((items,))), base=None, **options)  # type: ignore[arg-type]
    part.learn(rows.train)
    return by_weights(part.starts, part.columns, part.values)


def item_knn(rows: Split, options: dict[str, float]) -> Ranking:
    """The cosine of each item to its nearest, as many as rank best for validation users."""
    products = nearest_products(rows.train, max(NEIGHBOURS))
    length = products.diagonal.clamp(min=1e-30).sqrt()
    cosine = products.values / length[:, None] / length[products.items.long()]

    def nearest(count: int) -> Ranking:
        read = products.items[:, :count].flatten().long()
        order = read.argsort(stable=True)
        counts = read.bincount(minlength=len(length))
        starts = counts.new_zeros(len(length) + 1)
        starts[1:] = counts.cumsum(0)
        return by_weights(starts, (order // count).int(), cosine[:, :count].flatten()[order])

    return max(map(nearest, NEIGHBOURS), key=lambda ranking: mean_ndcg(ranking, rows.val))


def default(rows: Split, options: dict[str, float]) -> Ranking:
    """What `Recommender()` chooses on a tenth of the training users."""
    recommender = Recommender().fit(rows.train)
    assert recommender.choice is not None
    print(*recommender.choice.lines(), sep="\n", file=sys.stderr)
    return recommender.fitted.ranker.batches


MODELS = {
    "Recommender()": default,
    "sparse_linear": sparse_linear,
    "item-kNN": item_knn,
    "popularity": lambda rows, options: ByPopularity(rows.train),
}


def judged(model: str, shape: Shape, options: dict[str, float]) -> None:
    """Fit one model and print what it gets and took, as JSON."""
    rows = strong(likes(shape), HELD_OUT)
    started = clocks()
    ranking = MODELS[model](rows, options)
    fitted = clocks()
    found = judge({"": ranking}, rows.test, rows.train, MEASURES).figures()
    spent = {"fit CPU s": fitted[1] - started[1], "scoring CPU s": clocks()[1] - fitted[1]}
    process = time.process_time()
    print(
        json.dumps(
            {
                **{name: found[name] for name in MEASURES},
                "se": found[f"{MEASURES[0]}_se"],
                **spent,
                "process CPU s": process,
                "GB": high_water(os.getpid()) / 1e9,
            }
        )
    )


def main() -> None:
    """A row for every model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--users", type=int, default=LARGE.users)
    parser.add_argument("--items", type=int, default=LARGE.items)
    parser.add_argument("--only", choices=MODELS, help=argparse.SUPPRESS)
    parser.add_argument("overrides", nargs="*", help="key=value options of sparse_linear")
    options = parser.parse_args()
    shape = Shape(options.users, options.items, LARGE.mean)
    given = {key: json.loads(value) for key, value in (pair.split("=") for pair in options.overrides)}
    if options.only:
        judged(options.only, shape, given)
        return
    heads = ("se", "fit CPU s", "scoring CPU s", "process CPU s", "GB")
    table("model", *MEASURES, *heads)
    for model in options.models:
        command = [
            sys.executable,
            __file__,
            "--only",
            model,
            "--users",
            str(options.users),
            "--items",
            str(options.items),
            *options.overrides,
        ]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found = json.loads(done.stdout.splitlines()[-1])
        row(model, *(found[name] for name in (*MEASURES, *heads)))


if __name__ == "__main__":
    main()

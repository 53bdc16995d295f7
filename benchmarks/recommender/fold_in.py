"""Milliseconds of one query of `Recommender.recommend`, a history that the model has never seen, at 20,000 items: median and 95th percentile."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from bulk_speed import JOBS, train
from measure import CONFIGS, clocks, row, table
from shapes import histories

from vaehub_recommender.recommender import Recommender

SHAPE, WARM = JOBS["million"].shape, 20


def measure(config: Path, queries: int, k: int) -> np.ndarray:
    """Milliseconds of every query but the first few, by the clock and of CPU time: (queries, 2)."""
    with tempfile.TemporaryDirectory() as folder:
        recommender = Recommender.load(train(config, SHAPE, Path(folder)))
        rows = histories(SHAPE, WARM + queries, seed=1)
        known = recommender.fitted.items
        lists = [items[known.positions(items) >= 0].tolist() for items in np.split(rows.indices, rows.indptr[1:-1])]
        return np.array([timed(recommender, items, k) for items in lists])[WARM:]


def timed(recommender: Recommender, items: list[int], k: int) -> np.ndarray:
    """One query."""
    started = clocks()
    found = recommender.recommend([items], k=k)
    taken = 1000 * (clocks() - started)
    assert len(found) == k
    assert not set(found["item"]) & set(items)
    return taken


def main() -> None:
    """A row for every config."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configs", nargs="*", default=["recommender"], help="stems of configs/recommender*.yaml")
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("-k", type=int, default=20)
    options = parser.parse_args()
    table("config", "items", "queries", "p50 ms", "p95 ms", "fastest ms", "p50 CPU ms")
    for config in options.configs:
        taken = measure(CONFIGS / f"{config}.yaml", options.queries, options.k)
        wall, cpu = taken.T
        row(config, SHAPE.items, options.queries, *np.quantile(wall, [0.5, 0.95, 0]).tolist(), float(np.median(cpu)))


if __name__ == "__main__":
    main()

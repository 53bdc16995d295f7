"""Users per second of `vaehub recommender recommend -k 100`, seen items excluded, parquet in and out, and the peak memory of its process.

Two jobs on generated histories: the shape of ML-1M with more users, and 1,000,000 users with 20,000 items. The model has been trained for one
epoch, which is as fast to score as any other. "start" is the time that the same command takes for a single user: imports and the model. Users
per CPU second leave the start out too. cornac recommends to one user at a time; its speed on ML-1M is shown where --data and --peer-python are
given.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import NamedTuple

from measure import CONFIGS, Cache, Watched, row, table, watched
from protocol import SEED
from quality import cornac
from shapes import ML_1M, ML_20M, Shape, histories, write_lists, write_pairs

import vaehub

TRAINED_ON = 6_000  # users


class Job(NamedTuple):
    """Histories to score: their shape, and how they lie in files."""

    shape: Shape
    users: int
    shards: int


JOBS = {
    "ML-1M": Job(ML_1M, 200_000, 8),
    "million": Job(Shape(1_000_000, 20_000, ML_20M.mean), 1_000_000, 20),
}


def train(config: Path, shape: Shape, folder: Path) -> Path:
    """A run folder."""
    options = write_pairs(histories(shape, TRAINED_ON), folder / "pairs.parquet")
    vaehub.train(config, [*options, "train.epochs=1"], out=folder / "run", progress=False)
    return folder / "run"


def write_histories(job: Job, folder: Path) -> Path:
    """A folder of shards."""
    folder.mkdir()
    size = job.users // job.shards
    for shard in range(job.shards):
        write_lists(histories(job.shape, size, seed=1 + shard), folder / f"{shard:03d}.parquet", shard * size)
    return folder


def recommend(run: Path, given: Path, out: Path) -> Watched:
    """The command in a process of its own."""
    command = [str(Path(sys.executable).with_name("vaehub")), "recommender", "recommend", str(run), str(given)]
    return watched([*command, "-k", "100", "-o", str(out), "--exclude-seen", "--user", "user", "--item", "item"])


def measure(config: Path, job: Job) -> tuple[Watched, Watched]:
    """What one user takes, and what all take."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = train(config, job.shape, folder)
        write_lists(histories(job.shape)[:1], folder / "one.parquet")
        one = recommend(run, folder / "one.parquet", folder / "one")
        return one, recommend(run, write_histories(job, folder / "histories"), folder / "out")


def peer(options: argparse.Namespace) -> None:
    """The row of cornac."""
    compute = partial(cornac, options.peer_python, options.data, "ml-1m", SEED)
    speeds = Cache(options.cache).of(f"ml-1m {SEED} cornac", compute)["told"]["users_per_second"]
    row("ML-1M", "cornac VAECF", 200, ML_1M.items, "", "", "", *speeds, "")


def main() -> None:
    """A row for every job and config."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configs", nargs="*", default=["recommender"], help="stems of configs/recommender*.yaml")
    parser.add_argument("--jobs", nargs="*", choices=JOBS, default=list(JOBS))
    parser.add_argument("--data", type=Path, help="folder of data sets, for the peer")
    parser.add_argument("--peer-python", help="interpreter of the peers' environment")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks.json"), help="results of the peer so far")
    options = parser.parse_args()
    table("job", "config", "users", "items", "s", "start s", "users/s", "without start", "per CPU s", "peak GB")
    for name in options.jobs:
        for config in options.configs:
            job = JOBS[name]
            one, done = measure(CONFIGS / f"{config}.yaml", job)
            speeds = (job.users / took for took in (done.seconds, done.seconds - one.seconds, done.cpu - one.cpu))
            row(name, config, job.users, job.shape.items, done.seconds, one.seconds, *speeds, done.gigabytes)
    if options.peer_python and options.data:
        peer(options)


if __name__ == "__main__":
    main()

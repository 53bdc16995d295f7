"""NDCG@100, Recall@20 and Recall@50 for held-out users of MovieLens over several splits: every config, EASE, popularity, and cornac.

Every (config, split) is trained once and kept in the cache under a digest of the config, so that a long run can be killed and go on, and a
changed config is trained anew. Differences are paired by user; the first interval is that of Nadeau & Bengio (2003),
doi:10.1023/A:1024068626366, which allows for training data that the splits share, the second takes the splits for independent.
The penalty of EASE is the best of four on validation users.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import yaml
from measure import CONFIGS, Cache, by_peer, clocks, row, table
from protocol import MEASURES, RATINGS, SEED, options_of, split, write

import vaehub
from vaehub.config.build import build_domain
from vaehub.config.load import load_config
from vaehub.run import Run
from vaehub_recommender.domain import SplitLog
from vaehub_recommender.judge import ByPopularity, Ranking, judge, metrics
from vaehub_recommender.judge.protocols import chosen_ease
from vaehub_recommender.judge.uncertainty import over_splits
from vaehub_recommender.rank import Ranker
from vaehub_recommender.splits import HeldOut, Split

Result: TypeAlias = dict[str, Any]  # of one split: measures of every user, NDCG@100 on validation users, seconds
Contender: TypeAlias = Callable[[str, int], Result]
BASELINES: dict[str, Callable[[Split], Ranking]] = {
    "EASE": lambda rows: chosen_ease(rows.train, rows.val)[0],
    "popularity": lambda rows: ByPopularity(rows.train),
}


def fit(config: Path, changes: list[str], data: Path, name: str, seed: int, folder: Path) -> tuple[Run, Split]:
    """A config trained on one split, with its files in folder/run."""
    log, rows = split(name, data, seed)
    settings = load_config(config, changes)
    options = build_domain(settings)
    domain = SplitLog(log, rows, options.columns, {"user": None, "item": None}, options.history)
    return vaehub.train(settings, out=folder / "run", domain=domain, progress=False), rows


def trained(config: Path, changes: list[str], data: Path, name: str, seed: int) -> Result:
    """A config on one split."""
    with tempfile.TemporaryDirectory() as folder:
        started = clocks()
        run, rows = fit(config, changes, data, name, seed, Path(folder))
        spent = since(started)
        return marks(Ranker(run).batches, rows) | spent


def baseline(fit: Callable[[Split], Ranking], data: Path, name: str, seed: int) -> Result:
    """EASE, the best of four penalties, or popularity on one split."""
    _, rows = split(name, data, seed)
    started = clocks()
    ranking = fit(rows)
    return since(started) | marks(ranking, rows)


def since(started: np.ndarray) -> dict[str, float]:
    """What was spent."""
    return dict(zip(("seconds", "cpu"), (clocks() - started).tolist(), strict=True))


def marks(ranking: Ranking, rows: Split) -> Result:
    """The measures of a model's lists."""
    val, test = (judge({"": ranking}, held, rows.train, MEASURES).scorecards[""].users for held in (rows.val, rows.test))
    return kept(test, rows) | {"val": float(val["ndcg@100"].mean())}


def kept(users: pd.DataFrame, rows: Split) -> Result:
    """The measures of every test user, and how many users were trained on."""
    return {"users": users[list(MEASURES)].round(6).to_dict("list"), "trained": rows.train.shape[0]}


def cornac(python: str, data: Path, name: str, seed: int) -> Result:
    """cornac's Mult-VAE after the epoch that is best for validation users, which cornac itself does not look for."""
    _, rows = split(name, data, seed)
    with tempfile.TemporaryDirectory() as folder:
        write(rows, Path(folder))
        told = by_peer(python, Path(folder))
        val, test = (np.load(f"{folder}/top_{part}.npy") for part in ("val", "test"))
    curve = [mean_ndcg(lists, rows.val) for lists in val]
    best = int(np.argmax(curve))
    last = metrics(test[-1], rows.test.targets, MEASURES).mean().to_dict()
    spent = {"seconds": told["seconds"][best], "cpu": told["cpu"][best]}
    users = kept(metrics(test[best], rows.test.targets, MEASURES), rows)
    return {**users, "val": curve[best], **spent, "curve": curve, "last": last, "told": told}


def mean_ndcg(lists: np.ndarray, held: HeldOut) -> float:
    """Mean NDCG@100 of ranked lists."""
    return float(metrics(lists, held.targets, ["ndcg@100"])["ndcg@100"].mean())


def contenders(options: argparse.Namespace) -> Iterator[tuple[str, str, Contender]]:
    """Name, name in the cache, and how to get a result."""
    for which, fit in BASELINES.items():
        yield which, which, partial(baseline, fit, options.data)
    if options.peer_python:
        yield "cornac VAECF", "cornac", partial(cornac, options.peer_python, options.data)
    for config in sorted(CONFIGS.glob("recommender*.yaml")):
        if not options.configs or config.stem in options.configs:
            text = "\n".join([yaml.safe_dump(yaml.safe_load(config.read_text())), *options.overrides])
            key = f"{config.stem} {blake2b(text.encode(), digest_size=6).hexdigest()}"
            yield config.stem, key, partial(trained, config, options.overrides, options.data)


def means(results: list[Result]) -> pd.DataFrame:
    """The mean over users of every measure, a row for every split."""
    return pd.DataFrame([pd.DataFrame(result["users"]).mean() for result in results])


def report(data: str, name: str, results: list[Result], ease: list[Result]) -> None:
    """The row of a contender: means over splits, and its lead over EASE."""
    found, gain = means(results), means(results) - means(ease)
    share = len(results[0]["users"][MEASURES[0]]) / results[0]["trained"]
    intervals = [over_splits(gain, s).loc["ndcg@100"] for s in (share, 0.0)]
    reach = [f"{i.low:+.4f} … {i.high:+.4f}" for i in intervals]
    lead = (f"{gain['ndcg@100'].mean():+.4f}", *reach, f"{(gain['ndcg@100'] > 0).sum()} of {len(results)}")
    cost = [f"{np.median([result[key] for result in results]):.1f}" for key in ("seconds", "cpu")]
    spread = float(found["ndcg@100"].std())
    row(data, name, *(float(found[measure].mean()) for measure in MEASURES), spread, *lead, *cost)


def compare(data: str, names: list[tuple[str, str, Contender]], cache: Cache, splits: int) -> None:
    """All contenders on the splits of one data set."""
    seeds = range(SEED, SEED + splits)
    found: dict[str, list[Result]] = {}
    for name, key, contender in names:
        found[name] = [cache.of(f"{data} {seed} {key}", partial(contender, data, seed)) for seed in seeds]
        report(data, name, found[name], found["EASE"])


def main() -> None:
    """A row for every data set and contender."""
    parser = options_of(__doc__)
    parser.add_argument("--ratings", nargs="*", choices=RATINGS, default=list(RATINGS))
    parser.add_argument("--configs", nargs="*", help="stems of configs/recommender*.yaml; all of them otherwise")
    parser.add_argument("--splits", type=int, help="how many; 5 of ML-1M and 10 of ML-100K otherwise")
    parser.add_argument("--peer-python", help="interpreter of the peers' environment: cornac too")
    parser.add_argument("overrides", nargs="*", help="key=value changes to the configs")
    options = parser.parse_args()
    cache = Cache(options.cache)
    lead = ("NDCG - EASE", "95 %", "95 %, splits taken for independent", "splits ahead", "fit s", "CPU s")
    table("data", "model", *MEASURES, "sd of NDCG over splits", *lead)
    for data in options.ratings:
        compare(data, list(contenders(options)), cache, options.splits or RATINGS[data].splits)


if __name__ == "__main__":
    main()

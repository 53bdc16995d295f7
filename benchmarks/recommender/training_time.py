"""Seconds of training on ML-1M to the best NDCG@100 on validation users: vaehub's configs, and cornac's Mult-VAE beside them.

Of vaehub by the clock of its metrics.csv, which counts its validation after every epoch; of cornac without any, since it has none. The third
time is that of the first epoch that is as good as the best of cornac's; "in all" is the whole of `vaehub.train`, or of cornac's 100 epochs.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from measure import CONFIGS, Cache, clocks, row, table
from protocol import SEED, options_of
from quality import cornac, fit

DATA = "ml-1m"


def curve(config: Path, changes: list[str], data: Path) -> tuple[pd.DataFrame, list[float]]:
    """metrics.csv of a run, and its wall and CPU seconds in all."""
    with tempfile.TemporaryDirectory() as folder:
        started = clocks()
        fit(config, changes, data, DATA, SEED, Path(folder))
        spent = (clocks() - started).tolist()
        return pd.read_csv(Path(folder) / "run" / "metrics.csv").dropna(subset="val_ndcg"), spent


def report(what: str, curve: pd.DataFrame, peer: float | None, spent: list[float]) -> None:
    """The row of a contender, from a row for every validation."""
    ndcg, seconds = curve["val_ndcg"].to_numpy(), curve["seconds"].to_numpy()
    best = int(ndcg.argmax())
    as_good = np.flatnonzero(ndcg >= peer) if peer is not None else []
    reached = f"{seconds[as_good[0]]:.1f}" if len(as_good) else "never" if peer is not None else ""
    row(
        what,
        curve["epoch"].max() + 1,
        curve["epoch"].iloc[best] + 1,
        float(ndcg[best]),
        f"{seconds[best]:.1f}",
        reached,
        *(f"{s:.1f}" for s in spent),
    )


def main() -> None:
    """A row for every contender."""
    parser = options_of(__doc__)
    parser.add_argument("--configs", nargs="*", default=["recommender_mult_vae"], help="stems of configs/recommender*.yaml")
    parser.add_argument("--peer-python", help="interpreter of the peers' environment")
    parser.add_argument("overrides", nargs="*", help="key=value changes to the configs")
    options = parser.parse_args()
    table("what", "epochs", "best", "NDCG@100 there, validation", "s", "s until as good as cornac", "s in all", "CPU s in all")
    best = None
    if options.peer_python:
        told = Cache(options.cache).of(f"{DATA} {SEED} cornac", partial(cornac, options.peer_python, options.data, DATA, SEED))
        spent, best = [told["told"]["seconds"], told["told"]["cpu"]], max(told["curve"])
        epochs = pd.DataFrame({"epoch": np.arange(-1, len(spent[0]) - 1), "val_ndcg": told["curve"], "seconds": spent[0]})
        report("cornac VAECF", epochs, best, [each[-1] for each in spent])
    for config in options.configs:
        metrics, spent = curve(CONFIGS / f"{config}.yaml", options.overrides, options.data)
        report(config, metrics, best, spent)


if __name__ == "__main__":
    main()

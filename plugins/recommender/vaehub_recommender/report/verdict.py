"""What the figures say, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from vaehub import report
from vaehub_recommender.judge import Judged
from vaehub_recommender.judge.items import BANDS, LIST
from vaehub_recommender.judge.metrics import MEASURES

MEANING = {
    "ndcg": "how much of what the user was found to like is on the list, and how far up; 1 = all of it, first",
    "recall": "the share of the kept items that are among the first, of as many as fit there",
    "map": "mean average precision: the share of hits, averaged over the places of the hits",
    "mrr": "1 / the place of the first hit, averaged",
    "hit": "the share of users with any hit",
    "novelty": "how rare the recommended items are, in bits: 1 more = had by half as many users",
    "popularity_bias": "mean popularity rank (0 to 1) of the list less that of the user's own items; 0 = as popular as what they choose",
    "coverage": "the share of the catalogue that is on anyone's list",
    "gini": "how unevenly items are shown: 0 = all alike, 1 = one item alone",
}


def main_metric(judged: Judged) -> str:
    """The one to read first."""
    return str(judged.scorecards[judged.models[0]].users.columns[0])


def verdict(judged: Judged) -> tuple[bool, str]:
    """(all is well, how the model fares beside the others), in a sentence or two."""
    metric = main_metric(judged)
    rows = judged.differences().query("metric == @metric")
    sides = [interval_sign(row) for row in rows.to_dict("records")]
    clauses = [f"{SIDES[sign]} {other}" for sign, other in zip(sides, rows["against"], strict=True)]
    if not clauses:
        return False, "No other model was judged beside it."
    text = f"By {metric_title(metric)}, over the same {report.plural(len(judged.history), 'user')}, this model ranks {', '.join(clauses)}."
    return min(sides) > 0, f"{text} {ADVICE[min(sides)]}"


SIDES = {1: "better than", 0: "level with", -1: "worse than"}
ADVICE = {
    1: "The 95 % intervals of the differences, taken user by user, lie above 0.",
    0: "Level: the 95 % interval of the difference, taken user by user, holds 0.",
    -1: "Where a simpler model is better, take that one.",
}


def interval_sign(row: Any) -> int:
    """1, 0 or -1: the interval lies above 0, holds 0, lies below 0."""
    return int(row["low"] > 0) - int(row["high"] < 0)


def exposure_in_words(judged: Judged) -> str:
    """What the lists are made of, beside what users choose for themselves."""
    had, listed = interaction_shares(judged)[0], judged.exposure().to_numpy()[0, 0]
    items = report.plural(int((judged.items.band == 0).sum()), "item")
    return f"The most popular {items} ({BANDS[0]}) have {had:.0%} of all interactions, and {listed:.0%} of the recommendations."


def interaction_shares(judged: Judged) -> Any:
    """The share of all interactions that is in each band of popularity (3,)."""
    counts = np.bincount(judged.items.band, judged.items.counts, len(BANDS))
    return counts / max(counts.sum(), 1)


def tiles(judged: Judged) -> Iterator[report.Tile]:
    """The figures to read first."""
    metric, figures = main_metric(judged), judged.figures()
    mean, error = figures[metric], figures.get(f"{metric}_se", np.nan)
    yield report.Tile(
        metric_title(metric),
        f"{mean:.3f}{plus_minus(error)}",
        f"mean ± standard error, {report.plural(len(judged.history), 'user')}",
    )
    for row in judged.differences().query("metric == @metric").to_dict("records"):
        yield report.Tile(
            f"beside {row['against']}", f"{row['difference']:+.3f}", f"95 % interval {row['low']:+.3f} … {row['high']:+.3f}"
        )
    yield report.Tile(
        "catalogue in use",
        f"{figures[f'coverage@{LIST}']:.0%}",
        f"of {report.plural(len(judged.items.counts), 'item')}, in the first {LIST} of any list",
    )


def plus_minus(error: float, digits: int = 3) -> str:
    """An uncertainty, where there is one."""
    return "" if pd.isna(error) else f" ± {error:.{digits}f}"


def metric_title(metric: str) -> str:
    """NDCG@100 for "ndcg@100": a measure as it is written in a text."""
    name, at, k = metric.partition("@")
    usual = {"ndcg": "NDCG", "map": "MAP", "mrr": "MRR"}
    return usual.get(name, name.replace("_", " ").capitalize()) + at + k


def meaning(metric: str) -> str:
    """What a measure says."""
    return MEANING[metric.partition("@")[0]]


def is_quality(metric: str) -> bool:
    """Whether more of it is better."""
    return metric.partition("@")[0] in MEASURES

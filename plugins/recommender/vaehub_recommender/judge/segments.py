"""The same measures for some users or some items alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from vaehub_recommender.judge.items import BANDS, Items
from vaehub_recommender.judge.metrics import Floats, Integers
from vaehub_recommender.judge.scorecard import Scorecard
from vaehub_recommender.judge.uncertainty import mean_and_error

QUARTERS = (0.25, 0.5, 0.75)
COLUMNS = ["by", "segment", "users", "model", "metric", "mean", "se"]


def segments(scorecards: Mapping[str, Scorecard], history: pd.Series, items: Items) -> pd.DataFrame:
    """by, segment, users, model, metric, mean, se: by the length of a user's history (its quartiles) and by the held-out items' popularity.

    A band's measures count its held-out items alone, among lists of all items; users with none held out in it are left out.
    """
    quarter, bands = quarters(history), band_labels(items)
    parts = []
    for model, card in scorecards.items():
        parts += [summary(card.users.loc[rows], "history", name, model) for name, rows in quarter.items()]
        parts += [summary(card.bands[band], "popularity", label, model) for band, label in bands.items()]
    return pd.concat(parts, ignore_index=True)


def quarters(history: pd.Series) -> dict[str, pd.Index]:
    """The users in each quarter of the lengths of histories, shortest first; users of one length are never parted."""
    edges = np.unique(np.quantile(history, QUARTERS)) if len(history) else np.zeros(0)
    groups = history.groupby(np.searchsorted(edges, history))
    return {range_text(lengths): lengths.index for _, lengths in groups}


def range_text(lengths: pd.Series) -> str:
    """From the least to the greatest."""
    low, high = lengths.min(), lengths.max()
    if low == high:
        return f"{low:,} item{'' if low == 1 else 's'}"
    return f"{low:,}–{high:,} items"


def band_labels(items: Items) -> dict[str, str]:
    """The bands with how many items each has."""
    sizes = np.bincount(items.band, minlength=len(BANDS))
    return {band: f"{band} ({size:,} items)" for band, size in zip(BANDS, sizes, strict=True)}


def shares_of(shown: Integers, items: Items) -> Floats:
    """What share of all that is shown (I,) is in each band."""
    places = np.bincount(items.band, shown, len(BANDS))
    return np.asarray(places / max(places.sum(), 1.0))


def summary(users: pd.DataFrame, by: str, segment: str, model: str) -> pd.DataFrame:
    """Mean and standard error of every measure over these users."""
    table = mean_and_error(users).rename_axis("metric").reset_index()
    return table.assign(by=by, segment=segment, users=len(users), model=model)[COLUMNS]

"""A small recommender of generated ratings, trained once in a process within a second: for the examples of docstrings."""

from __future__ import annotations

from functools import cache

import pandas as pd

from vaehub_recommender.generated_ratings import ratings
from vaehub_recommender.recommender import Recommender

CONFIG = {
    "domain": {"name": "recommender", "history": True},
    "latent": 4,
    "encoder": {"name": "bag", "hidden": [16]},
    "decoder": {"name": "ease", "penalty": 20, "base": {"name": "catalogue", "hidden": []}},
    "likelihood": "implicit_multinomial",
    "train": {"epochs": 1, "batch_size": 50, "score_rows": 0},
}


def film_ratings() -> pd.DataFrame:
    """user, item, rating, time: what 80 generated viewers think of 36 films."""
    return ratings(viewers=80, films=3)


@cache
def film_recommender() -> Recommender:
    """A recommender of the films with four stars or five; a copy shares the model, so that none changes another's."""
    return Recommender(CONFIG).fit(film_ratings(), min_rating=4)

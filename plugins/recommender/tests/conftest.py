"""A small trained recommender that tests share; none of them changes it."""

import pandas as pd
import pytest

from vaehub_recommender.generated_ratings import ratings
from vaehub_recommender.recommender import Recommender

TRAIN = {"batch_size": 50, "epochs": 3, "monitor": "val_ndcg", "score_rows": 0}
SMALL = {"encoder": {"name": "bag", "hidden": [16]}, "likelihood": "implicit_multinomial", "latent": 8, "train": TRAIN}
BASE = {"name": "catalogue", "hidden": [16]}


@pytest.fixture(scope="session")
def liked() -> pd.DataFrame:
    """Generated pairs of users and items that they like, with times."""
    frame = ratings(150, 6)
    return frame[frame.rating >= 4].drop(columns="rating").reset_index(drop=True)


@pytest.fixture(scope="session")
def recommender(liked: pd.DataFrame) -> Recommender:
    """A VAE beside the linear part."""
    decoder = {"name": "ease", "penalty": 20, "dropout": 0.3, "base": BASE}
    return Recommender({**SMALL, "domain": {"name": "recommender", "history": True}, "decoder": decoder}).fit(liked)


@pytest.fixture(scope="session")
def network(liked: pd.DataFrame) -> Recommender:
    """A VAE alone."""
    return Recommender({**SMALL, "domain": "recommender", "decoder": BASE}).fit(liked)


@pytest.fixture(scope="session")
def linear_config() -> dict:
    """The linear part alone, which is fitted in no time."""
    return {
        "domain": {"name": "recommender", "history": True},
        "encoder": {"name": "bag", "hidden": [2]},
        "decoder": {"name": "ease", "penalty": 20, "base": None},
        "likelihood": "implicit_multinomial",
        "train": {"epochs": 1, "score_rows": 0},
    }

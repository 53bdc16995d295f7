"""What else is known of users and items, from `fit` to lists, and through a file."""

import numpy as np
import pandas as pd
import pytest

from vaehub_recommender.recommender import Recommender

SMALL = {"latent": 4, "encoder": {"name": "bag", "hidden": [16]}, "train.epochs": 30, "train.batch_size": 40}


@pytest.fixture(scope="module")
def tables():
    """120 users of two clubs; whoever is in club a likes items below 10, and has shown only what all like."""
    rng = np.random.default_rng(0)
    clubs = np.where(np.arange(120) % 2 == 0, "a", "b")
    rows = [
        (u, i) for u in range(120) for i in (*rng.choice(10, 5, replace=False) + 10 * (clubs[u] == "b"), *(20 + rng.choice(4, 2)))
    ]
    likes = pd.DataFrame(rows, columns=["user", "item"]).drop_duplicates()
    users = pd.DataFrame({"user": range(120), "club": clubs, "age": rng.integers(20, 60, 120)})
    items = pd.DataFrame({"item": range(24), "kind": ["low"] * 10 + ["high"] * 10 + ["all"] * 4})
    return likes, users, items


@pytest.fixture(scope="module")
def recommender(tables):
    likes, users, items = tables
    options = {**SMALL, "decoder": {"name": "catalogue", "hidden": [16]}, "domain.history": False}
    return Recommender(objective="elbo", **options).fit(likes, "user", "item", users=users, items=items)


def test_the_condition_has_what_is_known_of_users(recommender):
    assert recommender.fitted.run.spec.cond == 3
    assert recommender.fitted.side.shape == (120, 3)


def test_known_users_are_served_by_their_side_information(recommender):
    shown = {user: [20, 21] for user in (0, 1)}
    lists = recommender.recommend(shown, k=5)
    low = lists.groupby("user", sort=False)["item"].apply(lambda found: (found < 10).mean())
    assert low[0] > low[1]


def test_strangers_are_served_without_it(recommender):
    lists = recommender.recommend([[1, 2, 3], []], k=4)
    assert lists.groupby("user").size().tolist() == [4, 4]


def test_it_is_kept_in_a_file(recommender, tmp_path):
    recommender.save(tmp_path / "model")
    again = Recommender.load(tmp_path / "model")
    users = list(range(20))
    pd.testing.assert_frame_equal(again.recommend(users, k=5), recommender.recommend(users, k=5))


def test_more_data_keep_it(recommender, tmp_path):
    more = pd.DataFrame({"user": [0, 500], "item": [15, 99]})
    recommender.save(tmp_path / "model")
    with pytest.warns(UserWarning, match="1 of 25 ids have no row"):  # the new item; the table of items is saved, too
        wider = Recommender.load(tmp_path / "model").partial_fit(more, epochs=1)
    assert wider.fitted.side.shape == (121, 3)
    assert not wider.fitted.side[120].any()
    assert len(wider.recommend([0, 500], k=3)) == 6

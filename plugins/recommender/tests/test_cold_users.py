"""Users of whom nothing but features is known get lists by these, whatever the model."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from scipy.sparse import csr_array

from vaehub import UsageError
from vaehub_recommender.api.files import no_users
from vaehub_recommender.cold.users import UserRegression
from vaehub_recommender.recommender import Recommender

EASE = {
    "domain": {"name": "recommender", "history": True}, "latent": 1, "encoder": {"name": "bag", "hidden": [1]},
    "decoder": {"name": "ease", "penalty": 20, "base": None}, "likelihood": "implicit_multinomial", "train": {"epochs": 1, "score_rows": 0},
}  # fmt: skip


@pytest.fixture(scope="module")
def tables():
    """Users of club a have items below 10, others of club b those from 10 on; all have 20."""
    rng = np.random.default_rng(0)
    clubs = np.where(np.arange(120) % 2 == 0, "a", "b")
    rows = [(u, i) for u in range(120) for i in (*rng.choice(10, 5, replace=False) + 10 * (clubs[u] == "b"), 20)]
    users = pd.DataFrame({"user": range(120), "club": clubs, "age": rng.integers(20, 60, 120)})
    return pd.DataFrame(rows, columns=["user", "item"]), users


@pytest.fixture(scope="module")
def ease(tables):
    likes, users = tables
    return Recommender(EASE).fit(likes, users=users)


def check(lists: pd.DataFrame) -> None:
    assert lists["reason"].astype(str).unique().tolist() == ["features"]
    assert lists["item"].tolist()[0] == 20
    ours = lists[lists["item"] < 20]
    assert ((ours["item"] < 10) == (ours["user"] == "ann")).all()


def test_a_frame_of_features(ease):
    frame = pd.DataFrame({"user": ["ann", "bob"], "club": ["a", "b"], "age": [30, None]})
    check(ease.recommend(frame, k=6))
    check(ease.recommend(frame.set_index("user"), k=6))


def test_features_by_user(ease):
    lists = ease.recommend({"ann": {"club": "a"}, "bob": {"club": "b", "age": 40}}, k=6)
    check(lists)
    alone = ease.recommend({"bob": {"club": "b", "age": 40}}, k=6)
    pd.testing.assert_frame_equal(alone, lists[lists["user"] == "bob"].reset_index(drop=True))


def test_a_network_with_a_condition(tables):
    likes, users = tables
    options = {
        "encoder": {"name": "bag", "hidden": [16]},
        "decoder": {"name": "catalogue", "hidden": [16]},
        "domain.history": False,
    }
    model = Recommender(latent=4, objective="elbo", **{"train.epochs": 5, "train.batch_size": 40}, **options).fit(
        likes, users=users
    )
    check(model.recommend({"ann": {"club": "a"}, "bob": {"club": "b"}}, k=6))


def test_features_that_say_nothing_leave_what_is_popular(ease, tables, tmp_path):
    """Without known users there is no regression, and this model reads no features."""
    likes, users = tables
    alone = Recommender(EASE).fit(likes, users=users)
    alone._model = replace(alone.fitted, log=no_users(alone.fitted.items))
    lists = alone.recommend({"ann": {"club": "a"}, "eve": {"club": "another"}}, k=2)
    assert lists["reason"].astype(str).tolist() == ["popular"] * 4
    assert lists["item"].tolist()[::2] == [20, 20]


def test_nothing_known_gets_what_is_popular(ease):
    lists = ease.recommend({"eve": {"club": "another"}, "ann": {"club": "a"}}, k=2)
    assert lists["reason"].astype(str).tolist() == ["popular", "popular", "features", "features"]


def test_rules_hold_for_them(ease):
    lists = ease.recommend({"ann": {"club": "a"}}, k=30, block=[20, 1], candidates=None)
    assert not {20, 1} & set(lists["item"])
    assert ease.recommend({"ann": {"club": "a"}}, candidates={"ann": [3, 15]}, k=2)["item"].tolist() == [3, 15]


def test_through_a_file(ease, tmp_path):
    ease.save(tmp_path / "model")
    asked = {"ann": {"club": "a"}, "bob": {"club": "b"}}
    pd.testing.assert_frame_equal(Recommender.load(tmp_path / "model").recommend(asked), ease.recommend(asked))


def test_the_regression_is_the_ridge_regression():
    rng = np.random.default_rng(0)
    likes, features = (rng.random((40, 6)) < 0.4).astype(np.float32), rng.normal(size=(40, 3)).astype(np.float32)
    scores = UserRegression.of(csr_array(likes), features, 3.0).scores(torch.from_numpy(features[:5])).block(0, 6).numpy()
    centred = features - features.mean(0)
    slopes = np.linalg.solve(centred.T @ centred + 3 * np.eye(3), centred.T @ (likes - likes.mean(0)))
    assert np.allclose(scores, likes.mean(0) + centred[:5] @ slopes, atol=1e-5)


@pytest.mark.parametrize(
    ("given", "message"),
    [({"ann": {"clubb": "a"}}, "did you mean 'club'"), (pd.DataFrame({"user": ["ann"], "club": ["a"]}), "age")],
)
def test_what_cannot_be_read(ease, given, message):
    with pytest.raises(UsageError, match=message):
        ease.recommend(given)


def test_evaluate_by_hidden_users(ease):
    judged = ease.evaluate("new_users")
    figures = judged.figures()
    assert figures["ndcg@100"] > figures["popularity ndcg@100"] + 0.1
    assert judged.notes[0].startswith("12 users of whom nothing but features was shown")
    assert judged.history.sum() == 0


def test_a_model_without_features(recommender):
    with pytest.raises(UsageError, match="fit it with users="):
        recommender.evaluate("new_users")
    with pytest.raises(UsageError, match="fit it with users="):
        recommender.recommend({"ann": {"club": "a"}})


def test_a_model_that_scores_all_items_alike_is_never_chosen():
    """Catalogue order is right here by chance: item i is the i-th most popular, and features are noise."""
    rng = np.random.default_rng(0)
    likes = rng.random((120, 60)) < np.linspace(0.9, 0.1, 60)
    frame = pd.DataFrame(np.argwhere(likes), columns=["user", "item"])
    noise = pd.DataFrame(rng.normal(size=(120, 30)), columns=[f"n{n}" for n in range(30)])
    model = Recommender(EASE).fit(frame, users=noise.assign(user=range(120)))
    assert not model.fitted.new_users.by_model
    side = torch.zeros(2, 30)
    assert (model.fitted.scores_by_features(side).block(0, 60).std(1) > 0).all()
    alone = replace(model.fitted, side=None)  # nobody's features are at hand: what is popular
    assert alone.scores_by_features(side).block(0, 60).argmax(1).tolist() == [int(likes.sum(0).argmax())] * 2


def test_tables_of_other_libraries_describe_users_too(ease):
    people = pd.DataFrame({"user": ["ann", "bob"], "club": ["a", "b"], "age": [20, 30]})
    pd.testing.assert_frame_equal(ease.recommend(pa.Table.from_pandas(people), k=3), ease.recommend(people, k=3))

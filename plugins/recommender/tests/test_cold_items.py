"""Items that nobody has, by their features: among the others, in histories, through files, and taken over once users have them."""

import copy

import numpy as np
import pandas as pd
import pytest

from vaehub import UsageError
from vaehub_recommender.cold.regression import FeatureRegression
from vaehub_recommender.recommender import Recommender
from vaehub_recommender.report import write

NEW = [f"{genre} film {n}" for genre in ("Noir", "War") for n in (98, 99)]


@pytest.fixture(scope="module")
def films(liked):
    items = [*sorted(liked["item"].unique()), *NEW]
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "item": items,
            "genre": [item.split()[0] for item in items],
            "title": [f"the {item.split()[0]} of {n}" for n, item in enumerate(items)],
            "year": rng.integers(1950, 2020, len(items)),
            "embedding": list(rng.normal(size=(len(items), 3))),
        }
    )


@pytest.fixture(scope="module")
def model(liked, films, recommender):
    return Recommender(recommender.config).fit(liked, items=films[~films["item"].isin(NEW)])


@pytest.fixture(scope="module")
def larger(model, films):
    return copy.copy(model).add_items(films[films["item"].isin(NEW)])


def test_the_regression_is_the_ridge_regression_of_scores_on_features():
    rng = np.random.default_rng(0)
    features, scores, new = rng.normal(size=(30, 4)), rng.normal(size=(5, 30)), rng.normal(size=(3, 4))
    read, write = FeatureRegression.of(features, np.ones(30, bool)).factors(new, 2.0)
    centred, mean = features - features.mean(0), scores.mean(1, keepdims=True)
    slopes = np.linalg.solve(centred.T @ centred + 2 * np.eye(4), centred.T @ (scores - mean).T)
    assert np.allclose(scores @ read @ write.T, mean + ((new - features.mean(0)) @ slopes).T, atol=1e-5)


def test_a_score_by_features_is_that_of_regressed_weights(larger):
    """Of a linear part, the regression of scores is the regression of the columns of its weights."""
    fitted = larger.fitted
    history = fitted.log.matrix[:4]
    scores = fitted.ranker.scores(history, None)
    read, write = (part.numpy() for part in fitted.new_items.factors)
    known = scores.block(0, len(fitted.log.items)).detach().numpy()
    found = scores.block(len(fitted.log.items), scores.items).detach().numpy()
    assert np.allclose(found, known @ read @ write.T, rtol=1e-4, atol=1e-4)


def test_new_items_are_listed_and_never_flood(model, larger):
    before, after = model.recommend(k=10), larger.recommend(k=10)
    assert len(larger.fitted.items) == len(model.fitted.items) + len(NEW)
    share = after["item"].isin(NEW).mean()
    assert 0.02 < share < 0.3  # four of 76, of the kinds that most like
    kept = after[~after["item"].isin(NEW)]
    for user, items in kept.groupby("user", sort=False)["item"]:
        assert items.tolist() == before[before["user"] == user]["item"].tolist()[: len(items)], "the others keep their order"
        break


def test_new_items_go_to_those_who_like_their_kind(liked, larger):
    genre = liked["item"].str.split().str[0]
    taste = genre.eq("Noir").groupby(liked["user"]).mean()
    lists = larger.recommend([*taste.nlargest(10).index], candidates=NEW, k=1)
    assert lists["item"].str.startswith("Noir").mean() > 0.8


def test_similar_items_of_a_new_one_are_of_its_kind(larger):
    assert larger.similar_items("War film 99", k=3)["similar"].str.startswith("War").sum() >= 2
    assert "Noir film 99" in larger.similar_items("Noir film 98", k=100)["similar"].tolist()


def test_a_new_item_in_a_history_counts_and_is_not_shown_again(larger):
    lists = larger.recommend({"a": ["War film 99"], "b": []}, k=100)
    assert "War film 99" not in lists[lists["user"] == "a"]["item"].tolist()
    assert lists[lists["user"] == "a"]["reason"].unique().tolist() == ["history"]
    assert lists[lists["user"] == "a"]["item"].tolist()[0].startswith("War")


def test_one_by_one_is_as_together(larger):
    users = larger.fitted.users.values[:7].tolist()
    together = larger.recommend(users, k=30)
    alone = pd.concat([larger.recommend([user], k=30) for user in users], ignore_index=True)
    pd.testing.assert_frame_equal(alone, together)


def test_an_explanation_adds_up(larger):
    why = larger.explain(["Noir film 01", "War film 99"], "Noir film 99")
    assert np.isclose(why["contribution"].sum(), why.attrs["score"] - why.attrs["base"], atol=1e-5)


def test_through_a_file(larger, tmp_path):
    larger.save(tmp_path / "films")
    again = Recommender.load(tmp_path / "films")
    users = larger.fitted.users.values[:5].tolist()
    pd.testing.assert_frame_equal(again.recommend(users, k=40), larger.recommend(users, k=40))
    (tmp_path / "films" / "item_features.json").write_text('{"features": 1}')
    with pytest.raises(UsageError, match="damaged"):
        Recommender.load(tmp_path / "films")


def test_rows_that_nobody_has_wait_in_the_table_of_fit(liked, films, recommender):
    model = Recommender(recommender.config).fit(liked, items=films)
    assert not set(NEW) & set(model.recommend(k=50)["item"])
    assert set(NEW) <= set(model.add_items().fitted.items.values)


def test_users_take_over_what_was_new(model, larger):
    """The linear part is exact after it, as if the item had never been listed by its features."""
    rows = pd.DataFrame({"user": ["viewer 0001", "viewer 0002"], "item": "Noir film 99", "time": pd.Timestamp("2025-01-01")})
    direct, later = (copy.copy(one).partial_fit(rows, epochs=0) for one in (model, larger))
    assert np.array_equal(direct.fitted.run.vae.decoder.weights, later.fitted.run.vae.decoder.weights)
    assert later.fitted.new_items.content.ids.values.tolist() == [item for item in sorted(NEW) if item != "Noir film 99"]
    assert len(later.fitted.items) == len(larger.fitted.items)
    assert len(later.recommend(["viewer 0003"], k=100))


def test_evaluate_by_hidden_items(model, recommender):
    judged = model.evaluate("new_items")
    assert judged.models == ["model", "content kNN", "popularity by features"]
    assert len(judged.items.counts) == 7  # a tenth of the items, ranked among themselves
    figures = judged.figures()
    assert figures["ndcg@100"] > figures["popularity by features ndcg@100"]
    assert "7 of 72 items were hidden" in judged.notes[0]
    with pytest.raises(UsageError, match="fit it with items="):
        recommender.evaluate("new_items")


def test_later_interactions_with_new_items_are_judged(larger):
    later = pd.DataFrame({"user": ["viewer 0001", "viewer 0002"], "item": ["Noir film 99", "War film 98"]})
    judged = larger.evaluate(later)
    assert len(judged.history) == 2
    assert judged.figures()["ndcg@100"] > 0


def test_the_page_is_on_what_was_learnt(larger, tmp_path):
    judged = larger.evaluate(pd.DataFrame({"user": ["viewer 0001"], "item": ["Noir film 99"]}))
    assert "72 items" in write(larger, tmp_path / "films.html", judged).read_text()


BAD = {
    "known": (lambda films: films.head(3), "users have all of them already"),
    "twice": (lambda films: pd.concat([films.tail(2), films.tail(2)]), "has 2 rows"),
    "no genre": (lambda films: films.tail(2).drop(columns="genre"), "genre"),
    "numbers": (lambda films: films.tail(2).assign(item=[1, 2]), "convert them"),
    "no id": (lambda films: films.tail(2).assign(item=[None, "x"]), "no id"),
    "ragged": (lambda films: films.tail(2).assign(embedding=[[1.0], [2.0, 3.0]]), "row 0: column 'embedding': give lists of 3"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_tables(model, films, name):
    change, message = BAD[name]
    with pytest.raises(UsageError, match=message):
        copy.copy(model).add_items(change(films))


def test_a_model_without_features_says_what_to_do(recommender, films):
    with pytest.raises(UsageError, match="fit it with items="):
        copy.copy(recommender).add_items(films)


def test_whole_numbers_written_as_floats_are_new_items(linear_config):
    likes = pd.DataFrame([(user, item) for user in range(20) for item in (user % 10, (user + 3) % 10)], columns=["user", "item"])
    films = pd.DataFrame({"item": range(10), "genre": ["War", "Noir"] * 5})
    model = Recommender(linear_config).fit(likes, items=films)
    model.add_items(pd.DataFrame({"item": [200.0, 201.0], "genre": ["War", "Noir"]}))
    found = model.recommend([0], k=20)["item"]
    assert found.dtype == np.int64
    assert {200, 201} <= set(found)
    with pytest.raises(UsageError, match="whole numbers"):
        model.add_items(pd.DataFrame({"item": [1e300], "genre": ["War"]}))

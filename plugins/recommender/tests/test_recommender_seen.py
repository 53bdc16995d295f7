"""Rows below a rating: not learnt from, and on no list, whichever door is taken."""

import numpy as np
import pandas as pd
import pytest
import torch

import vaehub
from vaehub import UsageError
from vaehub_recommender.recommender import Recommender

RNG = np.random.default_rng(0)
PAIRS = [(user, item) for user in range(60) for item in RNG.choice(30, 10, replace=False).tolist()]
RATED = pd.DataFrame(PAIRS, columns=["user", "item"]).assign(rating=np.where(RNG.random(len(PAIRS)) < 0.3, 1, 5))


def shown(lists: pd.DataFrame, seen: pd.DataFrame = RATED) -> int:
    """How many rows of lists were seen."""
    return len(lists.merge(seen, on=["user", "item"]))


@pytest.fixture(scope="module")
def linear(linear_config) -> Recommender:
    return Recommender(linear_config).fit(RATED, min_rating=4)


def test_nothing_that_was_rated_low_is_on_a_list(linear, linear_config) -> None:
    lists = linear.recommend(k=30)
    assert shown(lists) == 0
    assert len(lists) == 60 * 20  # ten of thirty are seen, at whatever rating


def test_only_what_is_learnt_from_counts_where_that_is_asked_for(linear, linear_config) -> None:
    narrow = Recommender(linear_config).fit(RATED, min_rating=4, seen="learnt")
    assert shown(narrow.recommend(k=30)) == (RATED.rating == 1).sum()
    assert torch.equal(narrow.fitted.run.vae.decoder.weights, linear.fitted.run.vae.decoder.weights)


def test_the_config_may_say_so_and_is_taken_at_its_word(linear_config) -> None:
    config = linear_config | {"domain": {"name": "recommender", "history": True, "min_rating": 4, "seen": "learnt"}}
    model = Recommender(config).fit(RATED)
    assert model.fitted.log.matrix.nnz == (RATED.rating == 5).sum()
    assert shown(model.recommend(k=30)) == (RATED.rating == 1).sum()
    with pytest.raises(UsageError, match="seen: 'both' is none of all, learnt"):
        Recommender(linear_config).fit(RATED, min_rating=4, seen="both")


def test_histories_given_as_frames_with_ratings(linear, linear_config) -> None:
    strangers = RATED.assign(user=RATED.user + 1000)
    assert shown(linear.recommend(strangers, k=30), strangers) == 0
    hated = pd.DataFrame({"user": ["new"] * 2, "item": [3, 4], "rating": [1, 2]})
    lists = linear.recommend(hated, k=30)
    assert set(lists.reason) == {"popular"}
    assert set(range(30)) - set(lists.item) == {3, 4}
    assert set(linear.recommend(hated, k=30, exclude_seen=False).item) == set(range(30))


def test_a_known_users_list_is_that_of_what_he_likes_given_by_hand(linear, linear_config) -> None:
    likes = RATED[RATED.rating == 5].groupby("user").item.agg(list).to_dict()
    pd.testing.assert_frame_equal(linear.recommend(likes, k=30), linear.recommend(list(likes), k=30), check_exact=True)


def test_a_saved_recommender_remembers(linear, tmp_path) -> None:
    linear.save(tmp_path / "saved")
    pd.testing.assert_frame_equal(Recommender.load(tmp_path / "saved").recommend(k=30), linear.recommend(k=30), check_exact=True)


def test_more_interactions(linear, linear_config) -> None:
    model = Recommender.of(linear.fitted)
    before = model.recommend([0], k=30).item.tolist()
    model.partial_fit(pd.DataFrame({"user": [0, 777], "item": [before[0], before[1]], "rating": [1, 1]}), epochs=0)
    assert model.recommend([0], k=30).item.tolist() == before[1:]
    model.partial_fit(pd.DataFrame({"user": [777, 0], "item": [before[2], before[3]], "rating": [5, 5]}), epochs=0)
    assert not {before[1], before[2]} & set(model.recommend([777], k=30).item)  # seen before he was known
    assert shown(model.recommend(k=30)) == 0


def test_items_that_become_known_later_stay_seen(linear_config) -> None:
    frame = pd.concat([RATED, pd.DataFrame({"user": [1], "item": [99], "rating": [1]})])
    model = Recommender(linear_config).fit(frame, min_rating=4)
    assert 99 not in set(model.fitted.items.values)
    model.partial_fit(pd.DataFrame({"user": [2], "item": [99], "rating": [5]}), epochs=0)
    listed = model.recommend([1, 3], k=40)
    assert listed[listed.item == 99].user.tolist() == [3]


def test_evaluation_keeps_the_published_definition(linear, linear_config) -> None:
    narrow = Recommender(linear_config).fit(RATED, min_rating=4, seen="learnt")
    assert linear.evaluate("random").figures() == narrow.evaluate("random").figures()


def test_later_ratings_that_are_all_low_judge_nothing(linear) -> None:
    with pytest.raises(UsageError, match="none of 600 rows has rating >= 4"):
        linear.evaluate(RATED.assign(rating=1))


def test_a_run_of_the_command_line(tmp_path, linear_config) -> None:
    RATED.to_csv(tmp_path / "rated.csv", index=False)
    domain = linear_config["domain"] | {"path": str(tmp_path / "rated.csv"), "min_rating": 4, "held_out": 5}
    vaehub.train(linear_config | {"domain": domain}, out=tmp_path / "run", progress=False)
    assert shown(Recommender.load(tmp_path / "run").recommend(k=30)) == 0


def test_a_table_of_nothing_but_low_ratings_is_refused(linear_config) -> None:
    with pytest.raises(UsageError, match="none of 600 rows has rating >= 6"):
        Recommender(linear_config).fit(RATED, min_rating=6)

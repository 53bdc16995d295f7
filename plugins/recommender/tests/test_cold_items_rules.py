"""Items that were added by their features are seen, blocked, filtered and saved as all others are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from vaehub_recommender.recommender import Recommender

NEW = pd.DataFrame({"item": [99], "genre": ["War"]})
FILMS = pd.DataFrame({"item": range(60), "genre": ["War", "Noir"] * 30})


@pytest.fixture(scope="module")
def pairs() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    items = [rng.choice(60, 10, replace=False) for _ in range(120)]
    return pd.DataFrame({"user": np.repeat(np.arange(120), 10), "item": np.concatenate(items)})


def test_nobody_is_shown_what_is_blocked_or_what_he_has(pairs) -> None:
    model = Recommender("ease").fit(pairs, items=FILMS).add_items(NEW)
    lists = model.recommend(k=99, block={user: [99] for user in range(120)})
    assert not (lists["item"] == 99).any()
    assert lists.merge(pairs).empty


def test_a_new_item_that_was_rated_low_is_seen(pairs) -> None:
    low = pd.DataFrame({"user": range(60), "item": 99, "rating": 1})
    rated = pd.concat([pairs.assign(rating=5), low])
    lists = Recommender("ease").fit(rated, min_rating=4, items=FILMS).add_items(NEW).recommend(k=99)
    assert set(lists["user"][lists["item"] == 99]) == set(range(60, 120))
    assert lists.merge(pairs).empty


def test_items_that_nobody_has_are_saved(pairs, tmp_path) -> None:
    films = pd.concat([FILMS, pd.DataFrame({"item": [60, 61], "genre": ["War", "Noir"]})])
    model = Recommender("ease").fit(pairs, items=films).add_items()
    model.save(tmp_path / "model")
    again = Recommender.load(tmp_path / "model")
    pd.testing.assert_frame_equal(again.recommend(k=99), model.recommend(k=99))
    rule = "genre == 'Noir'"
    pd.testing.assert_frame_equal(again.recommend(k=99, filter=rule), model.recommend(k=99, filter=rule))


def test_rows_of_items_that_nobody_has_yet_are_there_when_somebody_has_them(pairs, tmp_path) -> None:
    """Also where they were never added, and for a model without features to rank by."""
    films = pd.concat([FILMS, pd.DataFrame({"item": [60, 61, 61], "genre": ["War", "Noir", "Noir"]})])
    films["from"] = [pd.Timestamp("2020-01-01")] * 61 + [pd.Timestamp("2020-01-01"), pd.Timestamp("2030-01-01")]
    model = Recommender("ease").fit(pairs, items=films.drop_duplicates("item"))
    model.fitted.frames["item"] = films  # several windows of an item
    model.save(tmp_path / "model")
    later = pd.DataFrame({"user": [0, 1, 2], "item": [60, 60, 61]})
    for one in (model, Recommender.load(tmp_path / "model")):
        lists = one.partial_fit(later, epochs=0).recommend([5], k=99, filter="genre == 'War'", at="2025-01-01")
        assert 60 in set(lists["item"])
        assert 61 not in set(lists["item"])
    assert len(model.fitted.frames["item"]) == len(one.fitted.frames["item"]) == 63


def test_rules_read_the_rows_of_new_items(pairs) -> None:
    known = FILMS.assign(until=pd.Timestamp("2030-01-01"))
    model = Recommender("ease").fit(pairs, items=known).add_items(NEW.assign(until=pd.Timestamp("2020-01-01")))
    assert 99 not in set(model.recommend([1], k=99, at="2025-01-01")["item"])
    assert 99 in set(model.recommend([1], k=99, filter="genre == 'War'")["item"])
    assert 99 not in set(model.recommend([1], k=99, filter="genre == 'Noir'")["item"])
    assert 99 in set(model.similar_items(0, k=99, filter="genre == 'War'")["similar"])

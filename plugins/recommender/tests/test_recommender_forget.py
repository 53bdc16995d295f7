"""What is to be forgotten is gone: from the linear part as if it had never been there, from lists, and from files."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch

from vaehub import UsageError
from vaehub_recommender.example import CONFIG
from vaehub_recommender.recommender import Recommender

EASE = {**CONFIG, "decoder": {**CONFIG["decoder"], "dropout": 0.3, "base": None}}
GONE = ["viewer 0003", "viewer 0007"]


def decoder(recommender: Recommender):
    return recommender.fitted.run.vae.decoder


@pytest.mark.parametrize("refit", [False, True])
def test_users_are_as_if_they_had_never_been_there(liked: pd.DataFrame, refit: bool) -> None:
    found = Recommender(EASE).fit(liked).forget(GONE, refit=refit)
    never = Recommender(EASE).fit(liked[~liked.user.isin(GONE)])
    torch.testing.assert_close(decoder(found).weights, decoder(never).weights, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(decoder(found).diagonal, decoder(never).diagonal, rtol=1e-4, atol=1e-7)
    assert found.fitted.users.values.tolist() == never.fitted.users.values.tolist()
    assert torch.equal(found.fitted.popularity, never.fitted.popularity)
    assert found.recommend([[]], k=5).item.tolist() == never.recommend([[]], k=5).item.tolist()


def test_a_refit_is_bit_for_bit_the_fit_of_what_is_left(recommender: Recommender, liked: pd.DataFrame) -> None:
    updated = copy.copy(recommender).partial_fit(liked.head(3).assign(user="aaa"), epochs=0)  # an id that is not in its order
    found = updated.forget(["aaa", *GONE])
    never = Recommender(recommender.config).fit(liked[~liked.user.isin(GONE)])
    pd.testing.assert_frame_equal(found.recommend(k=5), never.recommend(k=5))


def test_rows_are_forgotten_and_may_be_recommended_again(liked: pd.DataFrame) -> None:
    rows = liked[liked.user == "viewer 0003"].head(2)[["item", "user"]]
    found = Recommender(EASE).fit(liked).forget(rows=rows, refit=False)
    never = Recommender(EASE).fit(liked.drop(rows.index))
    torch.testing.assert_close(decoder(found).weights, decoder(never).weights, rtol=1e-4, atol=1e-6)
    assert set(rows.item) <= set(found.recommend(["viewer 0003"], k=1000).item)


def test_a_user_without_any_row_left_is_gone(recommender: Recommender, liked: pd.DataFrame) -> None:
    found = copy.copy(recommender).forget(rows=liked[liked.user == "viewer 0003"], refit=False)
    with pytest.raises(UsageError, match="'viewer 0003' is not known"):
        found.recommend(["viewer 0003"])


@pytest.mark.parametrize("refit", [False, True])
def test_saved_files_hold_nothing_of_the_user(liked: pd.DataFrame, tmp_path, refit: bool) -> None:
    secret = pd.DataFrame({"user": "viewer-xyzzy", "item": liked.item.unique()[:7]}).assign(time=liked.time.max())
    recommender = Recommender(CONFIG).fit(pd.concat([liked, secret]))
    recommender.save(tmp_path / "films")
    assert any(b"xyzzy" in path.read_bytes() for path in (tmp_path / "films").iterdir())
    recommender.forget("viewer-xyzzy", refit=refit).save(tmp_path / "films")
    assert not any(b"xyzzy" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert len(Recommender.load(tmp_path / "films").fitted.users) == liked.user.nunique()


def test_the_model_that_was_shared_keeps_its_users(recommender: Recommender) -> None:
    before = decoder(recommender).weights.clone()
    copy.copy(recommender).forget(GONE, refit=False)
    assert torch.equal(decoder(recommender).weights, before)
    assert len(recommender.recommend(GONE, k=1)) == 2


def test_side_information_of_others_stays_theirs(liked: pd.DataFrame) -> None:
    ages = pd.DataFrame({"user": liked.user.unique(), "age": np.arange(liked.user.nunique())})
    recommender = Recommender(CONFIG).fit(liked, users=ages)
    side = recommender.fitted.side
    found = copy.copy(recommender).forget(GONE, refit=False).fitted
    assert torch.equal(found.side, side[torch.from_numpy(recommender.fitted.users.positions(found.users.values))])
    assert not found.frames["user"].user.isin(GONE).any()


@pytest.mark.parametrize("decoder_of", [EASE["decoder"], CONFIG["decoder"]])
def test_what_is_known_of_users_outlives_a_refit_of_a_loaded_model(liked: pd.DataFrame, tmp_path, decoder_of: dict) -> None:
    names = liked.user.unique()
    groups = pd.DataFrame({"user": names, "group": ["a", "b"] * (len(names) // 2)})
    recommender = Recommender({**CONFIG, "decoder": decoder_of}).fit(liked, users=groups)
    recommender.save(tmp_path / "films")
    found = Recommender.load(tmp_path / "films").forget(GONE)
    expected = copy.copy(recommender).forget(GONE)
    assert torch.equal(found.fitted.side, expected.fitted.side)
    asked = {"new": {"group": "a"}}
    pd.testing.assert_frame_equal(found.recommend(asked, k=3), expected.recommend(asked, k=3))
    found.save(tmp_path / "films")
    pd.testing.assert_frame_equal(Recommender.load(tmp_path / "films").recommend(asked, k=3), expected.recommend(asked, k=3))


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ({}, "forget: what"),
        ({"users": ["viewer 0003", "nobody"]}, "1 of 2 users are not known"),
        ({"users": []}, "no user is named"),
        ({"rows": pd.DataFrame({"user": ["nobody"], "item": ["nothing"]})}, "none of the 1 pairs"),
        ({"rows": "nobody"}, "rows"),
        ({"users": "viewer 0003", "refit": "yes"}, "refit"),
    ],
)
def test_what_cannot_be_forgotten_is_refused(recommender: Recommender, what: dict, message: str) -> None:
    shared = copy.copy(recommender)
    with pytest.raises(UsageError, match=message):
        shared.forget(**what)
    assert shared.fitted is recommender.fitted


def test_everybody_is_not_forgotten(recommender: Recommender) -> None:
    with pytest.raises(UsageError, match="nobody would be left"):
        copy.copy(recommender).forget(recommender.fitted.users.values)


@pytest.mark.parametrize("refit", [False, True])
def test_what_was_seen_without_being_learnt_from_is_forgotten_too(liked: pd.DataFrame, tmp_path, refit: bool) -> None:
    low = pd.DataFrame({"user": ["viewer 0003", "viewer 0005"], "item": "War film 01"})
    rated = pd.concat([liked.assign(rating=5).drop(liked[(liked.item == "War film 01")].index), low.assign(rating=1)])
    rated = pd.concat([rated, liked[liked.item == "War film 01"].assign(rating=5)[lambda d: ~d.user.isin(low.user)]])
    recommender = Recommender(EASE).fit(rated, min_rating=4)
    assert "War film 01" not in set(recommender.recommend(["viewer 0003"], k=1000).item)
    found = copy.copy(recommender).forget("viewer 0003", refit=refit)
    found.save(tmp_path / "films")
    assert "War film 01" in set(Recommender.load(tmp_path / "films").recommend({"viewer 0003": []}, k=1000).item)
    assert "War film 01" not in set(found.recommend(["viewer 0005"], k=1000).item)
    again = copy.copy(recommender).forget(rows=low.tail(1), refit=refit)
    assert "War film 01" in set(again.recommend(["viewer 0005"], k=1000).item)
    assert "War film 01" not in set(again.recommend(["viewer 0003"], k=1000).item)


def test_a_mask_in_place_of_users_is_refused(recommender: Recommender) -> None:
    with pytest.raises(UsageError, match="users: 80 flags given"):
        copy.copy(recommender).forget(np.arange(80) == 7)


def test_iterators_are_forgotten_whole(recommender: Recommender) -> None:
    found = copy.copy(recommender).forget(iter(GONE), refit=False)
    assert not set(GONE) & set(found.fitted.users.values)


def test_nothing_is_left_in_memory_of_who_rated_low_alone(liked: pd.DataFrame) -> None:
    low = pd.DataFrame({"user": ["viewer-xyzzy"], "item": liked.item.iloc[:1], "rating": 1})
    rated = pd.concat([liked.assign(rating=5), low])
    towns = pd.DataFrame({"user": rated.user.unique()})
    towns["town"] = np.where(towns.user == "viewer-xyzzy", "Xyzzytown", np.where(towns.index % 2, "Ashford", "Barrow"))
    found = Recommender(EASE).fit(rated, min_rating=4, users=towns).forget("viewer-xyzzy")
    kept = pickle.dumps(found)
    assert b"viewer-xyzzy" not in kept
    assert b"Xyzzytown" not in kept

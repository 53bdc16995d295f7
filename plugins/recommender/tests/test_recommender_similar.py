"""Neighbours of items and users, and the codes behind them."""

import numpy as np
import pandas as pd
import pytest

from vaehub import UsageError


def test_similar_items_share_the_taste(recommender) -> None:
    similar = recommender.similar_items(["Noir film 01", "Space film 01"], k=3)
    assert similar.columns.tolist() == ["item", "similar", "rank", "similarity"]
    assert similar["rank"].tolist() == [1, 2, 3] * 2
    genre = similar["item"].str.split(" ").str[0] == similar.similar.str.split(" ").str[0]
    assert genre.sum() >= 5
    assert (similar["item"] != similar.similar).all()


def test_one_item_needs_no_list(recommender) -> None:
    pd.testing.assert_frame_equal(recommender.similar_items("Noir film 01"), recommender.similar_items(["Noir film 01"]))


def test_items_that_are_not_known(recommender) -> None:
    with pytest.raises(UsageError, match="item 'x' is unknown"):
        recommender.similar_items(["Noir film 01", "x"])
    with pytest.raises(UsageError, match="none given"):
        recommender.similar_items([])


def test_similar_users_have_the_smallest_angle(recommender) -> None:
    codes = recommender.embed()
    similar = recommender.similar_users(["viewer 0001", "viewer 0002"], k=4)
    unit = codes.to_numpy() / np.linalg.norm(codes, axis=1, keepdims=True)
    cosine = pd.DataFrame(unit @ unit.T, codes.index, codes.index)
    for user, rows in similar.groupby("user"):
        nearest = cosine.loc[user].drop(user).nlargest(4)
        assert rows.similar.tolist() == nearest.index.tolist()
        assert rows.similarity.to_numpy() == pytest.approx(nearest.to_numpy(), abs=1e-5)


def test_a_history_may_be_like_the_user_who_has_it(recommender, liked) -> None:
    mine = liked[liked.user == "viewer 0001"].item.tolist()
    (found,) = recommender.similar_users([mine], k=1).itertuples()
    assert found.similarity == pytest.approx(1, abs=1e-5)


def test_codes_have_the_users_as_index(recommender, liked) -> None:
    codes = recommender.embed()
    assert codes.index.tolist() == sorted(liked.user.unique())
    assert codes.columns.tolist() == [f"z{i}" for i in range(8)]
    mine = {"me": liked[liked.user == "viewer 0001"].item.tolist()}
    assert codes.loc["viewer 0001"].tolist() == recommender.embed(mine).loc["me"].tolist()

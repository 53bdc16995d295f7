"""Lists: for whom, of what, and what becomes of what cannot be served."""

from datetime import date
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_array

from vaehub import UsageError
from vaehub_recommender.api.ranked_lists import may_have_missed
from vaehub_recommender.recommender import Recommender

LINEAR = {
    "domain": {"name": "recommender", "history": True},
    "encoder": {"name": "bag", "hidden": [2]},
    "decoder": {"name": "ease", "penalty": 5, "base": None},
    "likelihood": "implicit_multinomial",
    "train": {"epochs": 1, "score_rows": 0},
}


def test_lists_are_tidy(recommender, liked) -> None:
    lists = recommender.recommend(k=4)
    assert list(lists.columns) == ["user", "item", "rank", "score", "reason"]
    assert lists.user.unique().tolist() == sorted(liked.user.unique())
    assert lists.groupby("user")["rank"].apply(list).map(lambda ranks: ranks == [1, 2, 3, 4]).all()
    assert (lists.groupby("user").score.diff().dropna() <= 0).all()
    assert not lists.merge(liked, on=["user", "item"]).size


def test_users_come_in_the_order_in_which_they_are_asked_for(recommender) -> None:
    users = ["viewer 0017", "viewer 0003", "viewer 0017"]
    assert recommender.recommend(users, k=1).user.tolist() == users


def test_one_user_is_asked_for_by_the_bare_id(recommender) -> None:
    pd.testing.assert_frame_equal(recommender.recommend("viewer 0003"), recommender.recommend(["viewer 0003"]))


def test_a_user_who_is_not_known_is_named(recommender) -> None:
    with pytest.raises(UsageError, match=r"user 'nobody' is not known \(1 of 2 are not\)"):
        recommender.recommend(["viewer 0003", "nobody"])


def test_every_form_of_a_history_gives_the_same_lists(recommender) -> None:
    items = [["Noir film 01", "Heist film 02"], ["War film 01"]]
    long = pd.DataFrame({"user": ["a", "a", "b"], "item": [*items[0], *items[1]]})
    expected = recommender.recommend(long, k=5)
    matrix = np.zeros((2, len(recommender.fitted.items)), np.float32)
    matrix[[0, 0, 1], recommender.fitted.items.positions(long.item)] = 1
    for given in ({"a": items[0], "b": items[1]}, pd.DataFrame({"user": ["a", "b"], "item": items}), items, csr_array(matrix)):
        pd.testing.assert_frame_equal(recommender.recommend(given, k=5).drop(columns="user"), expected.drop(columns="user"))


def test_seen_items_come_back_when_asked_for(recommender, liked) -> None:
    mine = set(liked[liked.user == "viewer 0001"].item)
    lists = recommender.recommend("viewer 0001", k=10**6, exclude_seen=False)
    assert len(lists) == liked.item.nunique()
    assert mine <= set(lists.item)


def test_a_list_longer_than_the_catalogue_ends_with_it(recommender, liked) -> None:
    lists = recommender.recommend(["viewer 0001", "viewer 0002"], k=10**6)
    left = liked.item.nunique() - liked.groupby("user").item.nunique()[["viewer 0001", "viewer 0002"]]
    assert lists.groupby("user").size().tolist() == left.tolist()


def test_who_has_seen_everything_gets_nothing(recommender, liked) -> None:
    everything = list(liked.item.unique())
    lists = recommender.recommend({"all": everything, "most": everything[1:]}, k=5)
    assert lists[["user", "item"]].to_numpy().tolist() == [["most", everything[0]]]
    assert not len(recommender.recommend([everything], k=5))


def test_an_empty_history_gets_what_is_popular_and_is_told_so(recommender, liked) -> None:
    lists = recommender.recommend({"new": [], "old": ["Noir film 01"]}, k=5)
    popular = liked.drop_duplicates(["user", "item"]).item.value_counts()
    new = lists[lists.user == "new"]
    assert new.reason.tolist() == ["popular"] * 5
    assert popular[new.item].tolist() == popular.iloc[:5].tolist()
    assert lists[lists.user == "old"].reason.tolist() == ["history"] * 5
    pd.testing.assert_frame_equal(recommender.recommend({"new": []}, k=5), new)


def test_unknown_items_of_a_history_are_counted_and_left_out(recommender) -> None:
    with pytest.warns(UserWarning, match="2 items in 1 history are unknown to the model and left out"):
        lists = recommender.recommend([["Noir film 01", "x", "y"]], k=3)
    pd.testing.assert_frame_equal(lists, recommender.recommend([["Noir film 01"]], k=3))


def test_a_history_of_unknown_items_alone_is_empty(recommender) -> None:
    with pytest.warns(UserWarning, match="unknown to the model"):
        assert recommender.recommend([["x"]], k=2).reason.tolist() == ["popular"] * 2


def test_nobody_gets_an_empty_table(recommender) -> None:
    assert list(recommender.recommend([]).columns) == ["user", "item", "rank", "score", "reason"]


@pytest.mark.parametrize("k", [0, -1, 2.5, True, "3"])
def test_a_list_has_a_length(recommender, k) -> None:
    with pytest.raises(UsageError, match="k: "):
        recommender.recommend("viewer 0001", k=k)


def test_before_fit_there_is_nothing_to_ask() -> None:
    with pytest.raises(UsageError, match="call fit"):
        Recommender().recommend()


@pytest.mark.parametrize(
    "kinds",
    [
        (np.int16, lambda n: n * 7),
        (object, lambda n: UUID(int=n)),
        (object, lambda n: ("shop", n)),
        (object, lambda n: date(2024, 1, 1 + n)),
    ],
)
def test_ids_come_back_as_they_went_in(kinds) -> None:
    dtype, make = kinds
    rng = np.random.default_rng(0)
    ids = pd.Series([make(n) for n in range(12)], dtype=dtype)
    frame = pd.DataFrame({"user": ids.take(np.repeat(np.arange(12), 4)).array, "item": ids.take(rng.integers(0, 12, 48)).array})
    only = Recommender(LINEAR).fit(frame)
    lists = only.recommend(k=3)
    assert set(lists.user) == set(frame.user)
    assert set(lists.item) <= set(frame.item)
    assert {type(value) for value in lists.item} == {type(value) for value in frame.item}
    one = lists.user.iloc[0]
    pd.testing.assert_frame_equal(only.recommend(one, k=3), lists[lists.user == one])


def test_a_shortlist_that_may_miss_an_item_is_not_trusted() -> None:
    exact = torch.tensor([5.0, 4.0, 3.0])
    assert not may_have_missed(exact, exact, last=torch.tensor(4.0))
    assert may_have_missed(exact + torch.tensor([0.0, 0.5, 0.0]), exact, last=torch.tensor(4.0))

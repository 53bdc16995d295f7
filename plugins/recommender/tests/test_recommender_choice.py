"""Candidates and blocked items."""

import pytest

from vaehub import UsageError

SOME = ["Noir film 01", "Noir film 02", "War film 01", "War film 02"]


def test_nothing_but_candidates(recommender) -> None:
    lists = recommender.recommend(candidates=SOME, k=10)
    assert set(lists.item) <= set(SOME)
    everything = recommender.recommend(k=10**6)
    among = everything[everything.item.isin(SOME)]
    assert lists[["user", "item", "score"]].to_numpy().tolist() == among[["user", "item", "score"]].to_numpy().tolist()


def test_candidates_of_each_user(recommender) -> None:
    given = {"viewer 0001": SOME[:2], "viewer 0002": SOME[2:], "viewer 0009": []}
    lists = recommender.recommend(list(given)[:2], candidates=given, k=10, exclude_seen=False)
    assert lists.groupby("user").item.apply(set).to_dict() == {"viewer 0001": set(SOME[:2]), "viewer 0002": set(SOME[2:])}


def test_candidates_for_users_of_whom_nothing_is_known(recommender) -> None:
    histories = {"a": [], "b": ["Heist film 01"], "c": []}
    lists = recommender.recommend(histories, candidates={"a": SOME[:1], "b": SOME, "c": SOME[1:]}, k=9)
    assert lists.groupby("user").item.apply(set).to_dict() == {"a": set(SOME[:1]), "b": set(SOME), "c": set(SOME[1:])}
    assert recommender.recommend({"a": [], "c": []}, candidates=SOME[:1]).item.tolist() == SOME[:1] * 2


def test_blocked_items_are_never_shown(recommender) -> None:
    with pytest.warns(UserWarning, match=r"block: 1 of \d+ are unknown to the model and left out \('not there'\)"):
        lists = recommender.recommend(block=[*SOME, "not there"], k=10**6)
    assert not set(lists.item) & set(SOME)
    assert set(recommender.recommend(candidates=SOME, block=SOME[1:]).item) == set(SOME[:1])
    each = {"viewer 0001": SOME}
    assert set(recommender.recommend("viewer 0001", candidates=each, block=SOME[1:], exclude_seen=False).item) == set(SOME[:1])


def test_everything_blocked_leaves_nothing(recommender, liked) -> None:
    assert not len(recommender.recommend("viewer 0001", block=liked.item))


def test_unknown_candidates_are_counted_and_named(recommender) -> None:
    with pytest.warns(UserWarning, match=r"candidates: 4 of 5 are unknown to the model and left out \('a', 'b', 'c', …\)"):
        assert set(recommender.recommend(candidates=["a", "b", "c", "d", SOME[0]]).item) == {SOME[0]}
    with pytest.warns(UserWarning, match=r"candidates: 1 of 2 are unknown"):
        recommender.recommend("viewer 0001", candidates={"viewer 0001": ["a", SOME[0]]})


@pytest.mark.parametrize("candidates", [["a", "b"], [], {"viewer 0001": ["a"]}])
def test_candidates_of_which_none_is_known_are_refused(recommender, candidates) -> None:
    with pytest.raises(UsageError, match="the model knows none of"):
        recommender.recommend("viewer 0001", candidates=candidates)


def test_a_user_without_candidates_is_named(recommender) -> None:
    with pytest.raises(UsageError, match=r"candidates: none for user 'viewer 0002' \(1 of 2"):
        recommender.recommend(["viewer 0001", "viewer 0002"], candidates={"viewer 0001": SOME})

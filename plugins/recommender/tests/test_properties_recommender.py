"""Whatever the users: never what they have seen, and the same answer however it is asked for."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaehub_recommender.rank import Ranker

ITEMS = 72
USERS = 150
histories = st.lists(st.lists(st.integers(0, ITEMS - 1), max_size=30), min_size=1, max_size=9)
often = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=["recommender", "network"])
def model(request):
    return request.getfixturevalue(request.param)


def named(model, positions: list[list[int]]) -> list[list[str]]:
    return [model.fitted.items.take(np.array(row, int)).tolist() for row in positions]


@given(histories, st.integers(1, 80))
@often
def test_seen_items_are_never_returned(model, positions, k: int) -> None:
    given_items = named(model, positions)
    lists = model.recommend(given_items, k=k)
    for user, items in enumerate(given_items):
        found = lists[lists.user == user].item
        assert not set(found) & set(items)
        assert found.is_unique
        assert len(found) == min(k, ITEMS - len(set(items)))


@given(histories)
@often
def test_one_at_a_time_or_together_to_the_same_bits(model, positions) -> None:
    given_items = named(model, positions)
    together = model.recommend(given_items, k=9)
    alone = [model.recommend([items], k=9).assign(user=user) for user, items in enumerate(given_items)]
    pd.testing.assert_frame_equal(pd.concat(alone, ignore_index=True), together, check_exact=True)


@given(st.lists(st.integers(0, USERS - 1), min_size=1, max_size=6, unique=True))
@often
def test_a_stored_row_and_the_same_history_score_alike(model, liked, rows: list[int]) -> None:
    users = model.fitted.users.take(np.array(rows)).tolist()
    stored = model.recommend(users, k=ITEMS)
    shuffled = liked.sample(frac=1, random_state=rows[0])
    folded = model.recommend({user: shuffled[shuffled.user == user].item.tolist() for user in users}, k=ITEMS)
    pd.testing.assert_frame_equal(stored, folded, check_exact=True)


@given(histories, st.integers(1, 7))
@often
def test_the_size_of_a_batch_changes_nothing(model, positions, size: int) -> None:
    given_items = named(model, positions)
    expected = model.recommend(given_items, k=9)
    whole = model.fitted.ranker
    model.fitted.__dict__["ranker"] = Ranker(model.fitted.run, size)
    try:
        pd.testing.assert_frame_equal(model.recommend(given_items, k=9), expected, check_exact=True)
    finally:
        model.fitted.__dict__["ranker"] = whole


@given(histories, st.sets(st.integers(0, ITEMS - 1), min_size=1), st.sets(st.integers(0, ITEMS - 1)))
@often
def test_lists_hold_candidates_that_are_not_blocked(model, positions, candidates, block) -> None:
    allowed, blocked = (set(model.fitted.items.take(np.array(sorted(some), int))) for some in (candidates, block))
    given_items = named(model, positions)
    lists = model.recommend(given_items, k=ITEMS, candidates=allowed, block=blocked)
    for user, items in enumerate(given_items):
        assert set(lists[lists.user == user].item) == allowed - blocked - set(items)

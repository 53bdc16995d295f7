"""Users and items with too few interactions are left out, until those that stay have enough among themselves."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaehub.errors import UsageError
from vaehub_recommender.recommender import Recommender
from vaehub_recommender.tables import Columns, training_log

CHAIN = pd.DataFrame({"user": [*"aaabbbccc", "d", "d", "e"], "item": [*"xyzxyzxyz", "z", "w", "w"]})


def kept(frame, **least):
    with warnings.catch_warnings(action="ignore"):
        return training_log(frame, Columns(**least))


def test_leaving_out_one_leaves_out_the_next():
    with pytest.warns(UserWarning, match="min_user=2, min_item=2: 2 users, 1 items and 3 interactions are left out"):
        log = training_log(CHAIN, Columns(min_user=2, min_item=2))  # e has one item; then w has one user; then d has one item
    assert log.users.values.tolist() == [*"abc"]
    assert log.items.values.tolist() == [*"xyz"]
    assert log.tally.interactions == log.matrix.nnz == 9


@given(st.integers(0, 30), st.integers(1, 5), st.integers(1, 5))
def test_both_hold_and_nobody_more_is_left_out(seed, min_user, min_item):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.integers(0, 12, (60, 2)), columns=["user", "item"]).drop_duplicates()
    left = frame
    while True:  # the definition
        counts = [left.groupby(name)[name].transform("size") for name in ("user", "item")]
        enough = (counts[0] >= min_user) & (counts[1] >= min_item)
        if enough.all():
            break
        left = left[enough]
    if left["user"].nunique() < 2 or left["item"].nunique() < 2:
        with pytest.raises(UsageError):
            kept(frame, min_user=min_user, min_item=min_item)
        return
    log = kept(frame, min_user=min_user, min_item=min_item)
    rows, columns = log.matrix.nonzero()
    found = set(zip(log.users.take(rows).tolist(), log.items.take(columns).tolist(), strict=True))
    assert found == set(left.itertuples(index=False, name=None))


def test_times_and_weights_stay_with_their_rows():
    frame = CHAIN.assign(time=np.arange(12) + 100, plays=np.arange(12) + 1.0)
    log = kept(frame, weight="plays", min_user=3)
    assert log.matrix.data.tolist() == [*range(1, 10)]
    assert np.array_equal(np.argsort(log.times), np.arange(9))


def test_nobody_left_is_an_error_that_says_what_to_lower():
    with pytest.raises(UsageError, match="users with 9 or more and items with 1 or more; lower min_user or min_item"):
        training_log(CHAIN, Columns(min_user=9))


@pytest.mark.parametrize("least", [{"min_user": 0}, {"min_item": -1}, {"min_user": 1.5}])
def test_a_count_that_is_none_is_refused(least):
    with pytest.raises(UsageError, match="min_"):
        Recommender().fit(CHAIN, **least)


def test_a_model_knows_who_stays_and_serves_the_others_by_their_items(liked):
    few = pd.DataFrame({"user": ["rare"] * 2, "item": ["rarity", liked["item"].iloc[0]], "time": liked["time"].max()})
    with pytest.warns(UserWarning, match="1 users, 1 items and 2 interactions are left out"):
        recommender = Recommender("configs/recommender_ease.yaml").fit(pd.concat([liked, few]), min_user=2, min_item=2)
    assert "rare" not in recommender.fitted.users.values
    assert len(recommender.recommend({"rare": [liked["item"].iloc[0]]}, k=3)) == 3
    assert recommender.fitted.run.config.to_dict()["domain"]["min_item"] == 2

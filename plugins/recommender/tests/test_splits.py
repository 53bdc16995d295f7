"""What is held out is not learnt from, and is what the reference protocol holds out."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from vaehub.errors import UsageError
from vaehub_recommender.leakage import check_leakage
from vaehub_recommender.splits import last_out, random_out, strong
from vaehub_recommender.tables import Columns, interaction_log, read_table

SHARED = Path(__file__).parents[3].parent / "shared"
TOOL = SHARED / "tools/strong_generalisation.py"


def drawn(users=60, items=20, most=15, seed=0):
    """A log with times, some of them the same; users of any activity."""
    rng = np.random.default_rng(seed)
    counts = np.minimum(rng.integers(1, most, users), items)
    user = np.repeat(np.arange(users), counts)
    item = np.concatenate([rng.choice(items, count, replace=False) for count in counts])
    return interaction_log(pd.DataFrame({"user": user, "item": item, "time": rng.integers(0, 40, len(user))}), Columns())


@pytest.fixture(scope="module")
def log():
    return drawn()


def dense(matrix):
    return matrix.toarray() > 0


def whole(split, held, matrix):
    """What is seen and held of users, against all they have with the items kept."""
    return np.array_equal(dense(held.history) | dense(held.targets), dense(matrix[held.users][:, split.items]))


@pytest.mark.skipif(not TOOL.exists(), reason="no reference protocol beside the checkout")
@pytest.mark.parametrize(("name", "strangers"), [("ml-100k", 100), ("ml-1m", 600)])
def test_strong_is_the_reference_protocol(name, strangers):
    spec = importlib.util.spec_from_file_location("strong_generalisation", TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    likes = tool.likes(SHARED / "data", name)[["user", "item"]].sort_values(["user", "item"])
    theirs = tool.split(likes, strangers)
    ours = interaction_log(likes.sample(frac=1, random_state=0), Columns())
    split = strong(ours.matrix, strangers)
    assert ours.items.take(split.items).tolist() == theirs.items.tolist()
    pairs = [
        (split.train, theirs.train),
        (split.val.history, theirs.val_fold_in),
        (split.val.targets, theirs.val_held),
        (split.test.history, theirs.fold_in),
        (split.test.targets, theirs.held),
    ]
    assert [(mine.shape, (mine != other).nnz) for mine, other in pairs] == [(other.shape, 0) for _, other in pairs]


def test_strangers_are_strangers(log):
    split = strong(log.matrix, 5)
    parts = (split.users, split.val.users, split.test.users)
    assert len(np.unique(np.concatenate(parts))) == sum(map(len, parts))
    assert (len(split.val), len(split.test)) == (5, 5)
    assert (np.diff(log.matrix.indptr)[np.concatenate(parts)] >= 5).all()
    assert (np.diff(split.train.indptr) >= 5 - 1).all()
    assert (dense(split.train).sum(0) > 0).all()
    for held in (split.val, split.test):
        assert whole(split, held, log.matrix)
        assert not (dense(held.history) & dense(held.targets)).any()
        assert np.diff(held.targets.indptr).tolist() == [
            int(0.2 * n) for n in np.diff(held.targets.indptr) + np.diff(held.history.indptr)
        ]
    assert split.notes == (f"{(np.diff(log.matrix.indptr) < 5).sum()} users of fewer than 5 interactions are left out",)
    assert split.train.indptr.dtype == np.int64


def test_how_many_are_held_out(log):
    active = int((np.diff(log.matrix.indptr) >= 5).sum())
    assert len(strong(log.matrix).test) == active // 10
    assert len(strong(log.matrix, 0.2).test) == int(0.2 * active)
    assert np.array_equal(strong(log.matrix, seed=1).users, strong(log.matrix, seed=1).users)
    assert not np.array_equal(strong(log.matrix, seed=1).users, strong(log.matrix, seed=2).users)
    for bad in (0, -1, active, 0.6):
        with pytest.raises(UsageError, match=rf"held_out={bad}: .*of {active} with 5 .*hold out from 1 to"):
            strong(log.matrix, bad)


def test_too_little_to_split():
    with pytest.raises(UsageError, match="of 0 with 5 interactions"):
        strong(csr_array(np.eye(4)))
    alone = np.kron(np.eye(4), np.ones(6))
    with pytest.raises(UsageError, match="no held-out user has 5 interactions with items that others have"):
        strong(csr_array(alone), 1)


def test_stored_zeros_and_double_entries_count_once():
    matrix = np.random.default_rng(0).random((30, 12)) < 0.6
    messy = csr_array(
        (np.append(np.ones(matrix.sum()), 0), (np.append(matrix.nonzero()[0], 0), np.append(matrix.nonzero()[1], 0))),
        matrix.shape,
    )
    messy = csr_array((np.append(messy.data, []), messy.indices, messy.indptr), messy.shape)
    tidy, other = strong(csr_array(matrix.astype(float))), strong(messy)
    assert (tidy.test.targets != other.test.targets).nnz == 0


def test_the_last_is_the_latest(log):
    with pytest.warns(UserWarning, match="chance chose|lie before") as caught:
        split = last_out(log)
    assert [str(warning.message) for warning in caught] == list(split.notes)
    assert f"of {len(split.test) + split.dropped:,} users has the same time as others" in split.notes[0]
    assert "lie before the last training interaction" in split.notes[1]
    times = log.matrix.copy()
    times.data = log.times.astype(float) + 1
    latest = times.toarray()
    for held, later in ((split.test, []), (split.val, [split.test])):
        for row, user in enumerate(held.users):
            (item,) = split.items[held.targets[[row]].indices]
            left = latest[user].copy()
            for other in later:
                at = np.flatnonzero(other.users == user)
                left[split.items[other.targets[at].indices]] = 0
            assert latest[user, item] == left.max() or split.dropped
        assert len(held) > 40
        assert (np.diff(held.targets.indptr) == 1).all()
    assert whole(split, split.test, log.matrix)


def test_times_that_need_no_warning():
    frame = pd.DataFrame({"user": np.repeat([1, 2, 3], 3), "item": [1, 2, 3, 2, 1, 3, 1, 3, 2], "time": [1, 2, 3] * 3})
    split = last_out(interaction_log(frame, Columns()))
    assert split.notes == ()
    assert split.dropped == 3
    assert split.items.tolist() == [0, 1]


def test_a_log_without_times():
    log = interaction_log(pd.DataFrame({"user": [1, 1, 2], "item": [1, 2, 1]}), Columns())
    with pytest.raises(UsageError, match="there are no times; name their column with time="):
        last_out(log)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
def test_a_share_of_each_user(log, share):
    split = random_out(log, share)
    counts = np.diff(log.matrix.indptr)
    tested = np.zeros(len(counts), np.int64)
    tested[split.test.users] = np.diff(split.test.targets.indptr)
    expected = np.where(counts >= 3, np.maximum(1, (share * counts).astype(int)), 0)
    assert (tested <= expected).all()
    assert expected.sum() - tested.sum() <= split.dropped
    assert split.users.tolist() == list(range(60))
    assert whole(split, split.test, log.matrix)
    assert split.train.nnz + split.val.targets.nnz + split.test.targets.nnz + split.dropped == log.matrix.nnz


@pytest.mark.parametrize("share", [0, 0.5, -1, 2])
def test_a_share_that_leaves_nothing(log, share):
    with pytest.raises(UsageError, match=f"share={share}: .*between 0 and 0.5"):
        random_out(log, share)


def test_users_who_are_too_few():
    log = interaction_log(pd.DataFrame({"user": [1, 1, 2, 2], "item": [1, 2, 1, 2], "time": [1, 2, 3, 4]}), Columns())
    with pytest.raises(UsageError, match="no user of 3 interactions or more"):
        random_out(log)


SPLITS = {"strong": lambda log: strong(log.matrix), "last": last_out, "random": random_out}


@pytest.mark.filterwarnings("ignore:the last interaction:UserWarning", "ignore:.*lie before the last training:UserWarning")
@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_split_leaks(split, seed):
    found = check_leakage(split(drawn(seed=seed)))
    assert found.clean, found.lines()
    assert found.unlearnt == 0


@pytest.mark.skipif(not SHARED.exists(), reason="no data beside the checkout")
def test_real_times():
    columns = Columns(min_rating=4)
    log = interaction_log(read_table(SHARED / "data/ml100k/ratings.parquet", columns), columns)
    with pytest.warns(UserWarning, match="chance chose|lie before"):
        split = last_out(log)
    assert (split.train.shape, len(split.test)) == ((942, 1426), 928)

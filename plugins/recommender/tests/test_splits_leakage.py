"""A leak that is put into a split is found."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array, vstack

from vaehub_recommender.held_out import HeldOut
from vaehub_recommender.leakage import check_leakage
from vaehub_recommender.splits import random_out, strong
from vaehub_recommender.tables import Columns, interaction_log


@pytest.fixture(scope="module")
def matrix():
    return csr_array((np.random.default_rng(0).random((80, 30)) < 0.4).astype(np.float32))


@pytest.fixture(scope="module")
def split(matrix):
    return strong(matrix, 10)


def test_a_clean_split(split):
    found = check_leakage(split)
    assert found.clean
    assert found.lines()[0] == "no leak found"
    assert "users in more than one part (none expected): 0" in found.lines()


def test_a_stranger_who_is_known(split):
    found = check_leakage(
        replace(split, test=HeldOut(np.append(split.test.users[1:], split.users[0]), split.test.history, split.test.targets))
    )
    assert found.shared_users == 1
    assert not found.clean
    assert found.lines()[0].startswith("LEAK")


def test_what_is_held_out_and_shown(split):
    held = split.test
    found = check_leakage(replace(split, test=HeldOut(held.users, held.history + held.targets, held.targets)))
    assert found.shown_pairs == held.targets.nnz > 0
    assert not found.clean


def test_what_is_held_out_and_learnt(matrix):
    coo = matrix.tocoo()
    import pandas as pd

    split = random_out(interaction_log(pd.DataFrame({"user": coo.row, "item": coo.col}), Columns()))
    assert check_leakage(split).clean
    assert check_leakage(split).shared_users == 80
    learnt = matrix[split.users][:, split.items]
    found = check_leakage(replace(split, train=learnt))
    assert found.learnt_pairs == split.val.targets.nnz + split.test.targets.nnz
    assert not found.clean
    twice = check_leakage(replace(split, val=HeldOut(split.test.users, split.val.history[: len(split.test)], split.test.targets)))
    assert twice.tested_twice == split.test.targets.nnz


def test_items_that_nobody_learnt(split):
    column = split.test.targets.indices[0]
    train = split.train.tolil()
    train[:, column] = 0
    found = check_leakage(replace(split, train=csr_array(train)))
    assert found.unlearnt >= 1
    assert found.clean


def test_the_same_person_twice(split):
    twin = split.test.history[[0]] + split.test.targets[[0]]
    found = check_leakage(replace(split, train=csr_array(vstack([split.train, twin])), users=np.append(split.users, 10**6)))
    assert found.twins == 1
    assert found.clean
    assert "held-out users with exactly the items of a training user: 1" in found.lines()

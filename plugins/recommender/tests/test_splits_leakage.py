"""A leak that is put into a split is found."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array, vstack

from vaehub_recommender.held_out import Held
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
        replace(split, test=Held(np.append(split.test.rows[1:], split.rows[0]), split.test.seen, split.test.held))
    )
    assert found.shared_users == 1
    assert not found.clean
    assert found.lines()[0].startswith("LEAK")


def test_what_is_held_out_and_shown(split):
    held = split.test
    found = check_leakage(replace(split, test=Held(held.rows, held.seen + held.held, held.held)))
    assert found.shown_pairs == held.held.nnz > 0
    assert not found.clean


def test_what_is_held_out_and_learnt(matrix):
    coo = matrix.tocoo()
    import pandas as pd

    split = random_out(interaction_log(pd.DataFrame({"user": coo.row, "item": coo.col}), Columns()))
    assert check_leakage(split).clean
    assert check_leakage(split).shared_users == 80
    learnt = matrix[split.rows][:, split.items]
    found = check_leakage(replace(split, train=learnt))
    assert found.learnt_pairs == split.val.held.nnz + split.test.held.nnz
    assert not found.clean
    twice = check_leakage(replace(split, val=Held(split.test.rows, split.val.seen[: len(split.test)], split.test.held)))
    assert twice.tested_twice == split.test.held.nnz


def test_items_that_nobody_learnt(split):
    column = split.test.held.indices[0]
    train = split.train.tolil()
    train[:, column] = 0
    found = check_leakage(replace(split, train=csr_array(train)))
    assert found.unlearnt >= 1
    assert found.clean


def test_the_same_person_twice(split):
    twin = split.test.seen[[0]] + split.test.held[[0]]
    found = check_leakage(replace(split, train=csr_array(vstack([split.train, twin])), rows=np.append(split.rows, 10**6)))
    assert found.twins == 1
    assert found.clean
    assert "held-out users with exactly the items of a training user: 1" in found.lines()

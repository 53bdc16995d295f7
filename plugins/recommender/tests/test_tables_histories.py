"""Histories in any form are the same rows."""

import uuid

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array, csr_array

from vaehub.errors import UsageError
from vaehub_recommender.tables import Columns, Ids, histories, interaction_log

ITEMS = Ids.of(["a", "b", "c"])
ROWS = [[0, 1, 1], [0, 0, 0], [1, 0, 0]]
LONG = pd.DataFrame({"user": [7, 9, 7, 7], "item": ["c", "a", "b", "c"]})

FORMS = {
    "dict": {7: ["c", "b", "c"], 8: [], 9: ("a",)},
    "lists": [["c", "b"], [], ["a"]],
    "arrays": [np.array(["c", "b"]), np.array([]), np.array(["a"])],
    "series": pd.Series([["c", "b"], None, ["a"]], index=[7, 8, 9]),
    "sets": [{"b", "c"}, set(), {"a"}],
    "column of lists": pd.DataFrame({"user": [7, 8, 9], "item": [["c", "b"], None, ["a"]]}),
    "column of arrays": pd.DataFrame({"user": [7, 8, 9], "item": [np.array(["c", "b"]), np.array([]), np.array(["a"])]}),
    "index of users": pd.DataFrame({"item": [["c", "b"], [], ["a"]]}, index=[7, 8, 9]),
    "matrix": csr_array(np.array(ROWS)),
    "another matrix": coo_array(np.array(ROWS)),
    "generator": (row for row in [["c", "b"], [], ["a"]]),
}


@pytest.mark.parametrize("given_", FORMS.values(), ids=FORMS)
def test_forms_agree(given_):
    found = histories(given_, ITEMS)
    assert found.matrix.toarray().tolist() == ROWS
    assert found.unknown.tolist() == [0, 0, 0]
    assert found.users.tolist() in ([7, 8, 9], [0, 1, 2])
    assert found.matrix.indptr.dtype == np.int64


def test_long_rows_are_gathered_in_order_of_first_appearance():
    found = histories(LONG, ITEMS)
    assert found.users.tolist() == [7, 9]
    assert found.matrix.toarray().tolist() == [ROWS[0], ROWS[2]]
    assert histories(LONG.set_index("user").reset_index()[::-1], ITEMS).users.tolist() == [7, 9]


def test_unknown_and_missing_items_are_counted():
    found = histories({"u": ["a", "x", None, "y"], "v": []}, ITEMS)
    assert found.unknown.tolist() == [3, 0]
    assert histories(LONG.assign(item=["c", None, "z", "z"]), ITEMS).unknown.tolist() == [2, 1]
    assert histories([[1, "a"]], ITEMS).unknown.tolist() == [1]


def test_tuples_are_lists_in_lists_and_ids_in_columns():
    pairs = Ids.of([("a", 1), ("b", 2)])
    frame = pd.DataFrame({"user": [1, 1], "item": [("a", 1), ("b", 2)]})
    assert histories(frame, pairs).matrix.toarray().tolist() == [[1, 1]]
    assert histories([[("b", 2)]], pairs).matrix.toarray().tolist() == [[0, 1]]


def test_users_of_any_kind_come_back():
    users = [uuid.UUID(int=1), ("x", 2), "x"]
    found = histories({user: ["a"] for user in users}, ITEMS)
    assert found.users.tolist() == users
    assert histories(pd.DataFrame({"user": np.array([3, 2], np.int16), "item": "a"}), ITEMS).users.dtype == np.int16


def test_ratings_and_weights():
    rated = LONG.assign(rating=[5, 1, 4, 5])
    found = histories(rated, ITEMS, Columns(min_rating=4))
    assert found.matrix.toarray().tolist() == [ROWS[0], [0, 0, 0]]
    assert histories(rated, ITEMS, Columns(weight="rating")).matrix.toarray().tolist() == [[0, 4, 10], [1, 0, 0]]
    assert histories(LONG, ITEMS, Columns(weight="rating", min_rating=4)).matrix.nnz == 3


def test_a_matrix_by_the_numbers_of_its_columns():
    ids = Ids.of([1, 4])
    assert histories(csr_array(np.array([[9, 1, 0, 0, 2]])), ids).matrix.toarray().tolist() == [[1, 2]]
    assert histories(csr_array(np.array([[9, 1, 0, 0, 2]])), ids).unknown.tolist() == [1]


def test_no_histories():
    for nothing in ([], {}, LONG[:0], pd.Series([], dtype=object), csr_array((0, 3))):
        assert histories(nothing, ITEMS).matrix.shape == (0, 3)
    assert histories([[]], ITEMS).matrix.shape == (1, 3)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=2), st.lists(st.sampled_from("abcxyz"), max_size=5), min_size=1, max_size=5))
def test_what_is_known_is_stored_and_the_rest_counted(lists):
    found = histories(lists, ITEMS)
    assert found.users.tolist() == list(lists)
    for row, (at, items) in enumerate(lists.items()):
        stored = ITEMS.take(found.matrix[[row]].indices).tolist()
        assert stored == sorted({item for item in items if item in "abc"}), at
        assert found.unknown[row] == sum(item not in "abc" for item in items)
    long = pd.DataFrame([(user, item) for user, items in lists.items() for item in items], columns=["user", "item"])
    assert (histories(long, ITEMS).matrix != found.matrix[[bool(items) for items in lists.values()]]).nnz == 0


def test_a_stored_row_is_its_own_history():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"user": rng.integers(0, 9, 99), "item": rng.choice(list("abcdef"), 99)}).sort_values("user")
    log = interaction_log(frame, Columns())
    found = histories(frame, log.items)
    assert found.users.tolist() == log.users.values.tolist()
    assert (found.matrix != log.matrix).nnz == 0


BAD = {
    "nothing": (None, "give a frame, a dict"),
    "text": ("abc", "'abc' given"),
    "one flat list": (["a", "b"], r"history 0: 'a' is no list of items; give each user a list, such as \['a'\]"),
    "one item a user": ({"u": 3}, "history 0: 3 is no list"),
    "a list of lists of lists": ([[["a"]]], r"row 0: \['a'\] \(list\) is no id"),
    "a missing user": (LONG.assign(user=[1, None, 2, 3]), "row 1: column 'user': .* is no user"),
    "a missing key": ({None: ["a"]}, "history 0: has no user"),
    "no item column": (pd.DataFrame({"user": [1]}), r"no column looks like the item column.*item="),
    "no user column": (pd.DataFrame({"item": ["a"]}), r"no column looks like the user column.*user="),
    "a matrix of other items": (csr_array((2, 5)), "a matrix of 5 columns, the model knows 3 items"),
    "negative weights": (csr_array(np.array([[0, -1, 0]])), "negative or infinite weights"),
    "a bad weight": (LONG.assign(weight=[1, 0, 1, 1]), "row 1: column 'weight': 0 is no weight"),
}


@pytest.mark.parametrize(("given_", "message"), BAD.values(), ids=BAD)
def test_bad_histories_are_named(given_, message):
    columns = Columns(weight="weight" if isinstance(given_, pd.DataFrame) and "weight" in given_ else None)
    with pytest.raises(UsageError, match=message) as error:
        histories(given_, ITEMS, columns)
    assert "\n" not in str(error.value)

"""Ids at every door: their type, the container that they come in, and what is said of those that are not known."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.sparse import csr_array

from vaehub import UsageError
from vaehub_recommender.recommender import Recommender

RNG = np.random.default_rng(1)
PAIRS = pd.DataFrame(
    [(user, item) for user in range(40) for item in RNG.choice(20, 6, replace=False).tolist()], columns=["user", "item"]
)
TEXT = PAIRS.assign(user="u" + PAIRS.user.astype(str), item="i" + PAIRS.item.astype(str))


@pytest.fixture(scope="module")
def numbers(linear_config) -> Recommender:
    return Recommender(linear_config).fit(PAIRS)


@pytest.fixture(scope="module")
def words(linear_config) -> Recommender:
    return Recommender(linear_config).fit(TEXT)


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "array": np.array,
    "floats": lambda items: np.array(items, float),
    "Series": pd.Series,
    "Index": pd.Index,
    "keys of a dict": lambda items: dict.fromkeys(items).keys(),
    "generator": lambda items: (item for item in items),
    "map": lambda items: map(int, items),
    "arrow array": pa.array,
    "arrow column": lambda items: pa.chunked_array([items]),
    "arrow table": lambda items: pa.table({"sku": items}),
    "polars Series": lambda items: pytest.importorskip("polars").Series(items),
    "polars frame": lambda items: pytest.importorskip("polars").DataFrame({"title": "x", "item": items}),
    "frame of one column": lambda items: pd.DataFrame({"sku": items}),
    "frame": lambda items: pd.DataFrame({"title": "x", "item": items}),
}


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
def test_every_container_holds_the_same_items(numbers, container) -> None:
    items = [5, 7, 9]
    full = numbers.recommend([3, 4], k=20)
    blocked = numbers.recommend([3, 4], k=20, block=container(items))
    assert blocked.item.tolist() == full[~full.item.isin(items)].item.tolist()
    only = numbers.recommend([3, 4], k=20, candidates=container(items))
    assert only.item.tolist() == full[full.item.isin(items)].item.tolist()
    assert sorted(numbers.similar_items(container(items), k=2)["item"]) == [5, 5, 7, 7, 9, 9]


def test_an_array_without_dimensions_is_one_id(numbers) -> None:
    assert numbers.recommend(np.array(3), k=1)["user"].tolist() == [3]
    with pytest.raises(UsageError, match="block: should be a list of items, not 5"):
        numbers.recommend([3], block=np.array(5))


def test_histories_in_a_column_of_lists(numbers) -> None:
    lists = [[5, 7], [9], []]
    wanted = numbers.recommend(lists, k=3)
    for given in (pa.array(lists), pa.chunked_array([lists]), pytest.importorskip("polars").Series(lists)):
        pd.testing.assert_frame_equal(numbers.recommend(given, k=3), wanted)


@pytest.mark.parametrize("name", ["block", "candidates"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["5"], r"the model knows none of 1 \('5'\); it knows 5 \(int\), and was given '5' \(str\)"),
        ([" 5 "], "it knows 5"),
        ([b"5"], "it knows 5"),
        (["x"], r"the model knows none of 1 \('x'\); give ids as they are in the training table"),
        ("5", r"should be a list of items, not '5'; give \['5'\]"),
        (50, "should be a list of items, not 50"),
        (np.arange(20) < 3, "20 flags given, and ids wanted"),
        ([True, False], "2 flags given"),
        (pd.Series([True, False]), "2 flags given"),
        (np.zeros((2, 2)), "should be a list of items"),
        (csr_array((1, 20)), "should be a list of items"),
    ],
)
def test_what_blocks_or_chooses_nothing_is_refused(numbers, name, given, said) -> None:
    with pytest.raises(UsageError, match=f"{name}: .*{said}"):
        numbers.recommend([3], **{name: given})


def test_words_where_numbers_are_given(words) -> None:
    with pytest.raises(UsageError, match="block: the model knows none of 1"):
        words.recommend(["u3"], block=[5])
    with pytest.raises(UsageError, match=r"it knows 'i5' \(str\), and was given 'i5 ' \(str\)"):
        words.recommend(["u3"], block=["i5 "])


def test_some_unknown_items_are_counted(numbers) -> None:
    for name in ("block", "candidates"):
        with pytest.warns(UserWarning, match=rf"{name}: 1 of 2 are unknown to the model and left out \('x'\)"):
            numbers.recommend([3], **{name: [5, "x"]})


def test_iterators_keep_their_first_element(numbers) -> None:
    for one_shot in ((user for user in [3, 4, 5]), map(int, [3, 4, 5]), iter([3, 4, 5])):
        assert numbers.recommend(one_shot, k=1).user.tolist() == [3, 4, 5]
    pd.testing.assert_frame_equal(
        numbers.recommend(([user, user + 1] for user in range(3)), k=1), numbers.recommend([[0, 1], [1, 2], [2, 3]], k=1)
    )
    assert numbers.recommend([iter([1, 2]), iter([3])], k=1).equals(numbers.recommend([[1, 2], [3]], k=1))
    assert set(numbers.explain((item for item in [1, 2, 3]), 5)["item"]) == {1, 2, 3}
    one = {3: (item for item in [5, 7])}
    assert sorted(numbers.recommend([3, 3], candidates=one, exclude_seen=False).item) == [5, 5, 7, 7]


def test_codes_of_iterators(recommender) -> None:
    users = ["viewer 0001", "viewer 0002"]
    assert recommender.embed(iter(users)).equals(recommender.embed(users))
    assert recommender.similar_users(iter(users), k=2).equals(recommender.similar_users(users, k=2))


DOORS = {
    "recommend": lambda model: model.recommend(["3"]),
    "score": lambda model: model.score(["3"], 5),
    "explain": lambda model: model.explain("3", 5),
    "score of items": lambda model: model.score([3], ["5"]),
    "explain an item": lambda model: model.explain(3, "5"),
    "similar_items": lambda model: model.similar_items(["5"]),
    "block by user": lambda model: model.recommend([3], block={"3": [5]}),
    "candidates by user": lambda model: model.recommend([3], candidates={"3": [5]}),
    "partial_fit": lambda model: model.partial_fit(PAIRS.astype(str)),
    "partial_fit of items": lambda model: model.partial_fit(PAIRS.astype({"item": str})),
    "evaluate": lambda model: model.evaluate(PAIRS.astype(str)),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_ids_of_another_type_are_told_apart_in_words(numbers, door) -> None:
    with pytest.raises(UsageError, match=r"it knows \d+ \(int\), and was given '\d+' \(str\)") as error:
        door(numbers)
    assert "\n" not in str(error.value)
    assert numbers.facts()["users"] == "40"


def test_a_history_of_another_type_says_so(numbers) -> None:
    with pytest.warns(UserWarning, match=r"2 items in 1 history are unknown .*it knows 1 \(int\), and was given '1' \(str\)"):
        numbers.recommend([["1", "2"]])


def test_flags_are_no_users_and_no_histories(numbers) -> None:
    with pytest.raises(UsageError, match="users: 40 flags given"):
        numbers.recommend(np.arange(40) < 5)
    with pytest.raises(UsageError, match="histories: 20 flags given"):
        numbers.recommend([np.arange(20) < 5])


def test_none_is_nobody(numbers) -> None:
    for given in ([None], [None, None]):
        with pytest.raises(UsageError, match="times None; give ids"):
            numbers.recommend(given)


def test_some_new_users_of_another_type_are_told(numbers) -> None:
    model = Recommender.of(numbers.fitted)
    mixed = pd.DataFrame({"user": [3, "4"], "item": [0, 0]})
    with pytest.warns(UserWarning, match=r"1 of 2 users are of another type .* and new to the model"):
        model.partial_fit(mixed, epochs=0)
    assert Recommender.of(numbers.fitted).partial_fit(PAIRS[:2].astype(float), epochs=0).facts()["users"] == "40"


def test_blocks_by_user(numbers) -> None:
    full = numbers.recommend([3, 4], k=20)
    hidden = (full.user == 3) & full.item.isin([0, 1, 2, 5])
    expected = full[~hidden].item.tolist()
    frame = pd.DataFrame({"user": 3, "item": [0, 1, 2, 5]})
    for block in ({3: [0, 1, 2, 5]}, {3: [0, 1, 2, 5], 4: []}, frame, pd.Series([[0, 1, 2, 5]], index=[3])):
        assert numbers.recommend([3, 4], k=20, block=block).item.tolist() == expected
    with pytest.warns(UserWarning, match="block: 1 of 2 users are not known"):
        numbers.recommend([3], block={3: [0], "x": [1]})
    with pytest.raises(UsageError, match="block: the model knows none of 2"):
        numbers.recommend([3], block={3: ["x", "y"]})
    assert 0 not in set(numbers.recommend({"new": [1], "none": []}, k=20, block={"new": [0], "none": [0]}).item)


def test_a_matrix_is_read_by_ids_whatever_its_width(linear_config) -> None:
    model = Recommender(linear_config).fit(PAIRS[PAIRS.item != 7])
    narrow = csr_array((np.ones(3), ([0, 0, 0], [8, 9, 10])), shape=(1, 19))  # as wide as the catalogue, which has no 7
    wide = csr_array((np.ones(3), ([0, 0, 0], [8, 9, 10])), shape=(1, 20))
    expected = model.recommend([[8, 9, 10]], k=20).item.tolist()
    assert model.recommend(narrow, k=20).item.tolist() == model.recommend(wide, k=20).item.tolist() == expected
    assert not {8, 9, 10} & set(expected)


def test_a_later_table_of_which_nothing_is_new(numbers) -> None:
    with pytest.raises(UsageError, match="evaluate: none of 240 interactions can be judged by: 240 are known to it already"):
        numbers.evaluate(PAIRS)
    with pytest.raises(UsageError, match="1 are of users whom the model does not know, 1 are with items that it does not know"):
        numbers.evaluate(pd.DataFrame({"user": [99, 3], "item": [0, 99]}))


def test_codes_that_a_linear_part_alone_has_not(numbers) -> None:
    for door in (numbers.embed, lambda: numbers.similar_users([3])):
        with pytest.raises(UsageError, match="this model has no codes"):
            door()


def test_features_of_new_users_are_used_by_a_linear_part_alone(linear_config) -> None:
    users = pd.DataFrame({"user": range(40), "age": range(40)})
    model = Recommender(linear_config).fit(PAIRS, users=users)
    assert set(model.recommend({"new": {"age": 3}}, k=2).reason) == {"features"}


@pytest.mark.parametrize("dtype", [float, "float32", bool, int])
def test_a_dense_matrix_is_not_read_as_lists_of_ids(numbers, dtype) -> None:
    with pytest.raises(UsageError, match=r"a dense matrix \(3 x 20, .*give scipy.sparse.csr_array\(matrix\), or lists of items"):
        numbers.recommend(np.eye(3, 20, dtype=dtype), k=1)
    assert len(numbers.recommend(np.array([[1, 2], [3, 4]]), k=1)) == 2


def test_tables_of_other_libraries_hold_items_by_user(numbers) -> None:
    pairs = pd.DataFrame({"user": [0, 0, 1], "item": [3, 4, 5]})
    for name in ("candidates", "block"):
        expected = numbers.recommend([0, 1], k=30, exclude_seen=False, **{name: pairs})
        pd.testing.assert_frame_equal(
            numbers.recommend([0, 1], k=30, exclude_seen=False, **{name: pa.Table.from_pandas(pairs)}), expected
        )
        with pytest.raises(UsageError, match="there are no users here"):
            numbers.similar_items(3, **{name: pa.Table.from_pandas(pairs)})


def test_an_evaluation_needs_no_times(linear_config) -> None:
    recommender = Recommender(linear_config).fit(PAIRS.assign(at=range(len(PAIRS))), time="at")
    later = pd.DataFrame({"user": PAIRS.user[::6], "item": 0})
    assert recommender.evaluate(later).figures() == recommender.evaluate(later.assign(at=0)).figures()


def test_users_and_histories_in_arrow_columns(numbers) -> None:
    for given in ([3, 4], [[1, 2], [5]]):
        pd.testing.assert_frame_equal(numbers.recommend(pa.array(given), k=3), numbers.recommend(given, k=3))

"""Histories from files, a piece at a time, are the histories of the whole."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array, save_npz, vstack

from vaehub.errors import UsageError
from vaehub.files.tables import reading
from vaehub_recommender.tables import Columns, Ids, histories, read_histories, whole_users

ITEMS = Ids.of(["a", "b", "c", "d"])


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    user = np.repeat(rng.permutation(40), rng.integers(1, 20, 40))
    return pd.DataFrame({"user": user, "item": rng.choice(list("abcdx"), len(user)), "rating": rng.integers(1, 6, len(user))})


def read_whole(pieces):
    pieces = list(pieces)
    users = [user for piece in pieces for user in piece.users.tolist()]
    return users, vstack([piece.matrix for piece in pieces]), np.concatenate([piece.unknown for piece in pieces]), len(pieces)


def check_same(pieces, whole, least=2):
    users, matrix, unknown, count = read_whole(pieces)
    assert users == whole.users.tolist()
    assert (matrix != whole.matrix).nnz == 0
    assert unknown.tolist() == whole.unknown.tolist()
    assert count >= least


@pytest.mark.parametrize("rows", [1, 20, 10**6])
@pytest.mark.parametrize(
    "columns", [Columns(), Columns(min_rating=4), Columns(weight="rating")], ids=["pairs", "likes", "weights"]
)
def test_pairs(tmp_path, frame, rows, columns):
    frame.to_parquet(tmp_path / "in.parquet")
    check_same(
        read_histories(tmp_path / "in.parquet", ITEMS, columns, rows), histories(frame, ITEMS, columns), 1 if rows > 1000 else 2
    )


@pytest.mark.parametrize("name", ["in.csv", "in.csv.gz"])
def test_text(tmp_path, frame, name, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK", 200)
    frame.to_csv(tmp_path / name, index=False)
    check_same(read_histories(tmp_path / name, ITEMS, Columns(min_rating=4)), histories(frame, ITEMS, Columns(min_rating=4)))
    numbers = frame.assign(item=frame["item"].map({"a": 7, "b": 8, "c": 9, "d": 10, "x": 11}))
    numbers.to_csv(tmp_path / name, index=False)
    check_same(read_histories(tmp_path / name, Ids.of([7, 8, 9, 10])), histories(numbers, Ids.of([7, 8, 9, 10])))


def test_users_in_text_are_numbers_only_if_all_are(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK", 16)
    (tmp_path / "in.csv").write_text("user,item\n" + "".join(f"{n},a\n" for n in range(9)) + "x,b\n")
    assert read_whole(read_histories(tmp_path / "in.csv", ITEMS))[0] == [*"012345678", "x"]


def test_lists(tmp_path, frame):
    lists = frame.groupby("user", sort=False)["item"].agg(list).reset_index()
    lists.loc[3, "item"] = None
    lists.at[4, "item"] = []
    lists.to_parquet(tmp_path / "in.parquet", row_group_size=20)
    check_same(read_histories(tmp_path / "in.parquet", ITEMS, rows=15), histories(lists, ITEMS))
    lists[["item"]].to_parquet(tmp_path / "in.parquet", index=False)
    assert read_whole(read_histories(tmp_path / "in.parquet", ITEMS, rows=15))[0] == list(range(40))


def test_a_matrix(tmp_path):
    matrix = csr_array(np.random.default_rng(0).random((50, 4)) < 0.3)
    matrix = matrix.astype(float)
    save_npz(tmp_path / "in.npz", matrix)
    check_same(read_histories(tmp_path / "in.npz", ITEMS, rows=7), histories(matrix, ITEMS))


def test_a_user_with_many_rows_is_one_user(tmp_path):
    pd.DataFrame({"user": 1, "item": list("abcd") * 100}).to_parquet(tmp_path / "in.parquet")
    (history,) = read_histories(tmp_path / "in.parquet", ITEMS, rows=10)
    assert history.matrix.toarray().tolist() == [[1, 1, 1, 1]]


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_a_torn_user_is_an_error(tmp_path, rows):
    pd.DataFrame({"user": [1, 2, 1], "item": "a"}).to_parquet(tmp_path / "in.parquet")
    with pytest.raises(UsageError, match=r"in\.parquet: .*sort it by user") as error:
        list(read_histories(tmp_path / "in.parquet", ITEMS, rows=rows))
    assert "\n" not in str(error.value)


def test_nothing_is_nothing(tmp_path):
    pd.DataFrame({"user": [1], "item": ["a"]})[:0].to_parquet(tmp_path / "in.parquet")
    assert list(read_histories(tmp_path / "in.parquet", ITEMS)) == []
    (tmp_path / "in.csv").write_text("user,item\n")
    assert list(read_histories(tmp_path / "in.csv", ITEMS)) == []


BAD = {
    "a missing user": ("user,item\n1,a\n,b\n", "counted from row 1: row 0: column 'user': .* is no user"),
    "no items": ("user,thing\n1,a\n", r"no column looks like the item column.*item="),
    "no users": ("who,item\n1,a\n", r"no column looks like the user column.*user="),
    "ragged": ("user,item\n1,a\n1\n", "line 3: 1 cells where the first line has 2"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_bad_files_are_named(tmp_path, content, message):
    (tmp_path / "in.csv").write_text(content)
    with pytest.raises(UsageError, match=message) as error:
        list(read_histories(tmp_path / "in.csv", ITEMS))
    assert str(error.value).startswith(str(tmp_path / "in.csv"))


def test_users_are_cut_between():
    frames = [
        pd.DataFrame({"u": list("aab")}),
        pd.DataFrame({"u": list("bbc")}),
        pd.DataFrame({"u": []}),
        pd.DataFrame({"u": ["c"]}),
    ]
    assert ["".join(part["u"]) for part in whole_users.whole_users(frames, "u")] == ["aa", "bbb", "cc"]

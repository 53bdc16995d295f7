"""Every form in which interactions come: the same pairs from each of them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.sparse import csr_array

from vaehub.errors import UsageError
from vaehub_recommender.bulk.recommend import recommend
from vaehub_recommender.bulk.request import Request
from vaehub_recommender.recommender import Recommender
from vaehub_recommender.rerank import Calibration
from vaehub_recommender.tables import Columns, Ids, Layout, as_frame, interaction_log, read_frame, read_histories, read_table

PAIRS = [(7, 30, 5, 100), (7, 40, 3, 101), (9, 30, 4, 102)]
COLUMNS = ["user_id", "item_id", "rating", "timestamp"]
FRAME = pd.DataFrame(PAIRS, columns=COLUMNS)
EASE = {
    "domain": {"name": "recommender", "history": True},
    "latent": 1,
    "encoder": {"name": "bag", "hidden": [2]},
    "decoder": {"name": "ease", "penalty": 5, "base": None},
    "likelihood": "implicit_multinomial",
    "train": {"epochs": 1, "batch_size": 50, "score_rows": 0},
}


def text(separator, head=None):
    rows = [separator.join(map(str, row)) for row in PAIRS]
    return "\n".join([*([separator.join(head)] if head else []), *rows]) + "\n"


TYPED = ["user_id:token", "item_id:token", "rating:float", "timestamp:float"]
TEXTS = {
    "ml-1m.dat": text("::"),
    "u.data.tsv": text("\t"),
    "u.txt": text("|"),
    "comma.dat": text(",", COLUMNS),
    "ml.inter": text("\t", TYPED),
    "ml.csv": text(";", COLUMNS),
}


def pairs_of(log):
    users, items = log.matrix.nonzero()
    return list(zip(log.users.take(users).tolist(), log.items.take(items).tolist(), strict=True))


def history_of(path):
    found = read_histories(path, Ids.of([30, 40]))
    return [(user, row) for part in found for user, row in zip(part.users.tolist(), part.matrix.toarray().tolist(), strict=True)]


@pytest.mark.parametrize("name", TEXTS)
def test_texts_are_read_by_what_is_in_them(tmp_path, name):
    (tmp_path / name).write_text(TEXTS[name])
    log = interaction_log(read_table(tmp_path / name, Columns(min_rating=4)), Columns(min_rating=4))
    assert pairs_of(log) == [(7, 30), (9, 30)]
    everything = interaction_log(read_table(tmp_path / name), Columns())
    assert pairs_of(everything) == [(7, 30), (7, 40), (9, 30)]
    assert everything.times.tolist() == [100 * 10**9, 101 * 10**9, 102 * 10**9]
    assert history_of(tmp_path / name) == [(7, [1, 1]), (9, [1, 0])]


def test_a_headerless_text_with_text_ids_has_a_number_above_numbers(tmp_path):
    path = tmp_path / "likes.tsv"
    path.write_text("ann\tfilm a\t5\nbob\tfilm b\t3\n")
    assert pairs_of(interaction_log(read_table(path), Columns())) == [("ann", "film a"), ("bob", "film b")]


def test_what_was_found_can_be_overridden(tmp_path):
    path = tmp_path / "odd.dat"
    path.write_text("user item\n1 2\n1 3\n")
    assert read_table(path, layout=Layout(sep=" ")).to_dict("list") == {"user": [1, 1], "item": [2, 3]}
    path.write_text("ann,film\nbob,book\n")
    assert read_table(path, layout=Layout(header=False)).to_dict("list") == {"0": ["ann", "bob"], "1": ["film", "book"]}
    with pytest.raises(UsageError, match="sep=''"):
        Layout(sep="")
    with pytest.raises(UsageError, match="encoding='klingon': no such encoding"):
        Layout(encoding="klingon")


def test_encodings_are_found_or_named(tmp_path):
    path = tmp_path / "names.csv"
    path.write_bytes("user,item\nanné,café\n".encode("utf-16-le"))
    with pytest.raises(UsageError, match=r"names.csv: .*NUL.*encoding=latin-1, utf-16"):
        read_table(path)
    assert read_table(path, layout=Layout(encoding="utf-16-le"))["item"].tolist() == ["café"]
    path.write_bytes("user,item\nanné,café\n".encode("latin-1"))
    with pytest.warns(UserWarning, match="Windows-1252"):
        assert read_table(path)["user"].tolist() == ["anné"]
    assert read_table(path, layout=Layout(encoding="latin-1"))["user"].tolist() == ["anné"]


def test_json_lines_hold_pairs_or_lists(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps({"user": u, "item": i}) + "\n" for u, i, *_ in PAIRS))
    assert pairs_of(interaction_log(read_table(path), Columns())) == [(7, 30), (7, 40), (9, 30)]
    path.write_text('{"user": 7, "items": [30, 40]}\n{"user": 9, "items": [30]}\n')
    assert pairs_of(interaction_log(read_table(path), Columns())) == [(7, 30), (7, 40), (9, 30)]
    assert history_of(path) == [(7, [1, 1]), (9, [1, 0])]
    path.write_text('{"user": 7, "items": [30\n')
    with pytest.raises(UsageError, match=r"pairs.jsonl: .*one JSON object a line"):
        read_table(path)


def test_ids_that_pandas_wrote_as_floats_are_whole_numbers(tmp_path):
    path = tmp_path / "floats.csv"
    FRAME[["user_id", "item_id"]].astype(float).to_csv(path, index=False)
    assert read_table(path).to_dict("list") == {"user_id": [7, 7, 9], "item_id": [30, 40, 30]}
    assert history_of(path) == [(7, [1, 1]), (9, [1, 0])]
    assert Ids.of(["30", "1.0"]).spelled(["30.0", "1.0"]).tolist() == [-1, 0]
    path.write_text("user,item\n1.0,1.5\n2.0,2.0\n")
    assert read_table(path)["item"].tolist() == ["1.5", "2.0"]


class Spark:
    """A table of a library that only turns itself into one of pandas."""

    columns = tuple(COLUMNS)

    def to_pandas(self):
        return FRAME


@pytest.mark.parametrize(
    "make", [lambda: pa.Table.from_pandas(FRAME), Spark, lambda: polars(FRAME)], ids=["arrow", "spark", "polars"]
)
def test_frames_of_other_libraries(make):
    frame = as_frame("df", make())
    assert frame.astype("int64").equals(FRAME)
    assert pairs_of(interaction_log(frame, Columns())) == [(7, 30), (7, 40), (9, 30)]


def polars(frame):
    return pytest.importorskip("polars").DataFrame(frame.to_dict("list"))


def test_text_of_other_libraries_is_text():
    view = pa.table(
        {
            "user": pa.array(["ann"], pa.string_view()),
            "item": pa.array(["x"]).dictionary_encode(),
            "n": pa.array([None], pa.int64()),
            "kinds": pa.array([["War", "Noir"]], pa.large_list(pa.string_view())),
        }
    )
    frame = as_frame("df", view)
    assert frame["user"].tolist() == ["ann"]
    assert frame["item"].tolist() == ["x"]
    assert frame["n"].isna().all()
    assert [list(kinds) for kinds in frame["kinds"]] == [["War", "Noir"]]


def test_what_is_no_table_is_refused():
    with pytest.raises(UsageError, match="read the file first"):
        as_frame("df", "likes.csv")
    with pytest.raises(UsageError, match=r"df: .*sparse matrix"):
        as_frame("df", pa.array([1]))


def test_a_list_for_each_user_with_as_many_weights():
    frame = pd.DataFrame({"user": [1, 2], "items": [["a", "b"], ["a"]], "plays": [[2.0, 3.0], [4.0]]})
    log = interaction_log(frame, Columns(weight="plays"))
    assert log.matrix.toarray().tolist() == [[2, 3], [4, 0]]
    with pytest.raises(UsageError, match=r"row 1: 1 items and 2 of 'plays'"):
        interaction_log(frame.assign(plays=[[2.0, 3.0], [4.0, 5.0]]), Columns(weight="plays"))


def test_every_form_gives_the_same_lists():
    rng = np.random.default_rng(0)
    matrix = csr_array(rng.random((40, 12)) < 0.4)
    rows, columns = matrix.nonzero()
    frame = pd.DataFrame({"user": rows.astype(int), "item": columns.astype(int)})
    lists = frame.groupby("user")["item"].agg(list).reset_index(name="items")
    numbered = frame.set_axis([0, 1], axis=1)
    forms = {
        "csr": lambda: Recommender(EASE).fit(matrix),
        "lists": lambda: Recommender(EASE).fit(lists),
        "numbers": lambda: Recommender(EASE).fit(numbered, user=0, item=1),
        "unnamed": lambda: Recommender(EASE).fit(numbered),
        "arrow": lambda: Recommender(EASE).fit(pa.Table.from_pandas(frame)),
    }
    expected = Recommender(EASE).fit(frame)
    for name, fit in forms.items():
        assert fit().recommend(k=3).equals(expected.recommend(k=3)), name
    asked = pa.table({"user": [1, 1], "item": [2, 3]})
    assert expected.recommend(asked, k=3).equals(expected.recommend({1: [2, 3]}, k=3))
    assert Recommender(EASE).fit(numbered).recommend(numbered, k=2)["item"].tolist() == expected.recommend(k=2)["item"].tolist()


def test_lists_are_written_as_text_or_parquet_and_are_the_same_in_python(tmp_path):
    recommender = Recommender(EASE).fit(FRAME.iloc[:, :2])
    recommender.save(tmp_path / "run")
    pd.DataFrame({"user": ["a", "b"], "item": [30, 40]}).to_csv(tmp_path / "new.csv", index=False)
    expected = recommender.recommend({"a": [30], "b": [40]}, k=2)
    for name, read in (("lists.csv", pd.read_csv), ("lists.parquet", pd.read_parquet)):
        recommend(Request(tmp_path / "run", k=2), tmp_path / "new.csv", tmp_path / name)
        written = read(tmp_path / name)
        assert written["item"].tolist() == expected["item"].tolist()
        assert written["rank"].dtype == expected["rank"].dtype
    assert written["reason"].dtype == expected["reason"].dtype
    with pytest.raises(UsageError, match=r"lists.feather: lists are written as .parquet or .csv"):
        recommend(Request(tmp_path / "run"), tmp_path / "new.csv", tmp_path / "lists.feather")


@pytest.mark.parametrize("name", ["none.parquet", "none.csv"])
def test_a_table_without_rows_gives_a_table_without_rows(tmp_path, name):
    Recommender(EASE).fit(FRAME.iloc[:, :2]).save(tmp_path / "run")
    (tmp_path / "empty.csv").write_text("user,item\n")
    recommend(Request(tmp_path / "run"), tmp_path / "empty.csv", tmp_path / name)
    written = pd.read_csv(tmp_path / name) if name.endswith("csv") else pd.read_parquet(tmp_path / name)
    assert written.columns.tolist() == ["user", "item", "rank", "score", "reason"]
    assert len(written) == 0


def test_a_first_line_of_numbers_is_a_row_unless_they_count_on(tmp_path):
    path = tmp_path / "items.csv"
    path.write_text("0\n1\n2\n")
    assert Layout().dialect(path).named is False
    path.write_text("0,1\n0,5\n")
    with pytest.warns(
        UserWarning, match=r"items.csv: its first line \(0, 1\) is taken for names; if it is a row, say header=false"
    ):
        assert Layout().dialect(path).named
    assert not Layout(header=False).dialect(path).named


def test_a_table_of_items_without_names_has_its_ids_first(tmp_path):
    (tmp_path / "ratings.dat").write_text("1::30::5::9\n1::40::5::9\n2::30::4::9\n2::50::4::9\n3::40::4::9\n3::50::4::9\n")
    (tmp_path / "movies.dat").write_text("30::Toy Story (1995)::Animation|Comedy\n40::Heat (1995)::Action\n50::Jumanji::Comedy\n")
    films = read_frame(tmp_path / "movies.dat")
    model = Recommender(EASE).fit(read_table(tmp_path / "ratings.dat"), items=films)
    lists = model.recommend({"new": [40]}, k=2, rerank=Calibration("2", 0.9))
    assert set(lists["item"]) == {30, 50}


def test_whole_numbers_may_be_days():
    frame = pd.DataFrame({"user": [1, 2], "item": [1, 1], "time": [20240131, 20240201]})
    with pytest.warns(UserWarning, match="20240131, … are read as dates"):
        days = interaction_log(frame, Columns()).times
    assert pd.to_datetime(days).strftime("%Y-%m-%d").tolist() == ["2024-01-31", "2024-02-01"]


def test_the_time_that_cannot_be_read_is_named():
    frame = pd.DataFrame({"user": [1, 2, 3], "item": [1, 1, 2], "time": ["2024-01-31", "2024-02-01", "soon"]})
    with pytest.raises(UsageError, match="row 2: column 'time': 'soon' cannot be read as a time"):
        interaction_log(frame, Columns(time="time"))


def test_an_evaluation_in_which_nothing_is_new_says_so():
    frame = FRAME.iloc[:, :2]
    with pytest.raises(UsageError, match="none of 3 interactions can be judged by: 3 are known to it already"):
        Recommender(EASE).fit(frame).evaluate(frame)


@pytest.mark.parametrize("bad", [np.nan, -1.0, np.inf])
def test_a_cell_that_is_no_interaction_is_named(bad):
    matrix = csr_array([[1.0, 0.0, 2.0], [0.0, bad, 0.0]])
    with pytest.raises(UsageError, match=f"row 1, column 1: the matrix holds {bad}, and interactions are above 0 and finite"):
        as_frame("df", matrix)
    assert len(as_frame("df", matrix, Columns(min_rating=1))) == 3


def test_no_row_above_the_rating_has_no_time_to_read():
    frame = pd.DataFrame({"user": [0], "item": [0], "rating": [0], "time": [0j]})
    assert interaction_log(frame, Columns(min_rating=4)).matrix.nnz == 0

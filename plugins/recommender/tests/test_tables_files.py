"""Tables from files: what stands there comes in, what is damaged is named."""

import gzip
import io
import zipfile

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array, csc_array, csr_array, save_npz

from vaehub.errors import UsageError
from vaehub.files.tables import reading
from vaehub_recommender.tables import Columns, arrays, interaction_log, read_frame, read_table, training_log

FRAME = pd.DataFrame(
    {"user": [1, 2, 2], "item": ["b", "a", "b"], "rating": [5.0, 3.5, 4.0], "time": [10, 20, 30], "title": ["x", "y", "z"]}
)
RATED = Columns(min_rating=4)


@pytest.fixture
def write(tmp_path):
    def written(content, name="in.csv"):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / name

    return written


def saved(path, frame=FRAME):
    {".csv": frame.to_csv, ".gz": frame.to_csv, ".parquet": frame.to_parquet}[path.suffix](path, index=False)
    return path


@pytest.mark.parametrize("name", ["in.csv", "in.csv.gz", "in.parquet", "IN.CSV"])
def test_only_what_is_needed_is_read(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(saved(tmp_path / name.lower()).read_bytes())
    assert list(read_table(path)) == ["user", "item", "time"]
    frame = read_table(path, RATED)
    pd.testing.assert_frame_equal(frame, FRAME[["user", "item", "rating", "time"]], check_dtype=name != "in.parquet")
    assert interaction_log(frame, RATED).tally.below_rating == 1


def test_old_line_ends_decimal_commas_and_other_suffixes(write):
    assert read_table(write("user,item,rating\ru1,i1,3\r")).to_dict("list") == {"user": ["u1"], "item": ["i1"]}
    path = write("user;item;rating\n1;10;3,5\n", "in.TSV")
    assert read_table(path, Columns(weight="rating"))["rating"].tolist() == [3.5]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators(write, separator):
    text = FRAME.to_csv(index=False, sep=separator)
    pd.testing.assert_frame_equal(read_table(write("\ufeff" + text)), FRAME[["user", "item", "time"]])


def test_ids_in_text_stay_as_they_are_written(write):
    assert read_table(write("user,item\n007,1\n8,2\n"))["user"].tolist() == ["007", "8"]
    assert read_table(write("user,item\n7,1.0\n-8,2e3\n")).to_dict("list") == {"user": [7, -8], "item": ["1.0", "2e3"]}
    assert read_table(write('user,item\n"a, b","c\nd"\n')).to_numpy().tolist() == [["a, b", "c\nd"]]
    assert read_table(write("user,item\n12345678901234567890,1\n"))["user"].tolist() == ["12345678901234567890"]
    assert read_table(write("user,item\n1,\n2,b\n"))["item"].isna().tolist() == [True, False]
    assert read_table(write("user,item\n")).empty


def test_flags_and_stamps_in_text(write):
    path = write("user,item,liked,date\n1,a,True,2021-01-01\n2,b,false,2021-01-02 03:04\n")
    log = training_log(read_table(path, Columns(weight="liked")), Columns())
    assert pd.to_datetime(log.times).tolist() == [pd.Timestamp("2021-01-01"), pd.Timestamp("2021-01-02 03:04")]
    assert read_table(path, Columns(weight="liked"))["liked"].tolist() == [True, False]


def test_a_partitioned_folder(tmp_path):
    FRAME.to_parquet(tmp_path / "parts", partition_cols=["item", "rating"])
    (tmp_path / "parts/_SUCCESS").write_text("")
    (tmp_path / "parts/.hidden.parquet").write_text("no parquet")
    (tmp_path / "parts/README.md").write_text("about")
    frame = read_table(tmp_path / "parts", RATED)
    assert (
        frame[["user", "item", "time"]].sort_values("time").to_numpy().tolist()
        == FRAME[["user", "item", "time"]].to_numpy().tolist()
    )
    assert interaction_log(frame, RATED).tally == interaction_log(FRAME, RATED).tally


def test_files_of_a_folder_that_differ(tmp_path):
    pd.DataFrame({"user": np.array([1], np.int16), "item": ["a"]}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"user": [2**40], "item": ["b"]}).to_parquet(tmp_path / "b.parquet")
    assert read_table(tmp_path)["user"].tolist() == [1, 2**40]
    pd.DataFrame({"user": ["x"], "item": ["b"]}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(UsageError, match=r"b\.parquet: damaged .*user"):
        read_table(tmp_path)


def test_parquet_keeps_the_types_of_ids(tmp_path):
    frame = pd.DataFrame({"user": np.array([1, 2], np.int16), "item": pd.Categorical(["b", "a"])})
    frame.to_parquet(tmp_path / "in.parquet")
    log = training_log(read_table(tmp_path / "in.parquet"), Columns())
    assert log.users.values.dtype == np.int16
    assert log.items.values.tolist() == ["a", "b"]


MATRIX = np.array([[0, 2, 0], [1, 0, 0], [0, 3, 4]])


@pytest.mark.parametrize("form", [csr_array, csc_array, coo_array])
def test_matrices(tmp_path, form):
    matrix = form(MATRIX)
    for name in ("indices", "indptr"):
        if hasattr(matrix, name):
            setattr(matrix, name, getattr(matrix, name).astype(np.int64))
    save_npz(tmp_path / "in.npz", matrix)
    log = training_log(read_table(tmp_path / "in.npz"), Columns())
    assert log.matrix.toarray().tolist() == (MATRIX > 0).tolist()
    weighed = Columns(user="u", weight="w")
    assert training_log(read_table(tmp_path / "in.npz", weighed), weighed).matrix.toarray().tolist() == MATRIX.tolist()


def test_stored_zeros_are_no_interactions(tmp_path):
    save_npz(tmp_path / "in.npz", csr_array(([0.0, 1, 1], [0, 1, 2], [0, 2, 3])))
    assert len(read_table(tmp_path / "in.npz")) == 2


def test_a_whole_table(write, tmp_path):
    path = write("user,sex,zip,age\n1,F,02460,25\n2,M,48067,\n")
    assert read_frame(path)["zip"].tolist() == ["02460", "48067"]
    assert read_frame(path)["age"].isna().tolist() == [False, True]
    pd.testing.assert_frame_equal(read_frame(saved(tmp_path / "t.parquet")), FRAME)
    with pytest.raises(UsageError, match="no names"):
        read_frame(write(b"", "in.npz"))


def bad_matrix():
    buffer = io.BytesIO()
    matrix = csr_array(MATRIX)
    matrix.indices[0] = 10**6
    save_npz(buffer, matrix)
    return buffer.getvalue()


def pickled():
    buffer = io.BytesIO()
    np.savez(buffer, format=np.array("csr", object), data=np.array([{}], object))
    return buffer.getvalue()


def parquet():
    buffer = io.BytesIO()
    pd.DataFrame({"user": range(999), "item": range(999)}).to_parquet(buffer)
    return buffer.getvalue()


BAD = {
    "no file": ("missing.csv", None, "no such file"),
    "no table": ("in.xlsx", b"", r"no known suffix; give one of \.csv, .*\.parquet, .*\.npz"),
    "empty": ("in.csv", b"", "no column looks like the user column"),
    "ragged": ("in.csv", b"user,item\n1,2\n1,2,3,4\n", "line 3: 4 cells where the first line has 2"),
    "not UTF-8": ("in.csv", "user,item\né,1\n".encode() + b"\xff,1\n", "UnicodeDecodeError"),
    "no columns": ("in.csv", b"a,b\n1,2\n", r"no column looks like the user column \(columns: 'a', 'b'\)"),
    "no gzip": ("in.csv.gz", b"user,item\n1,2\n", "damaged|Error"),
    "half a gzip": ("in.csv.gz", gzip.compress(b"user,item\n" + b"1,2\n" * 99_999)[:-20], "damaged|Error"),
    "no parquet": ("in.parquet", b"PAR1 or not", "damaged"),
    "half a parquet": ("in.parquet", parquet()[:-300], "damaged"),
    "torn parquet": ("in.parquet", parquet()[:200] + bytes(400) + parquet()[600:], "damaged"),
    "no npz": ("in.npz", b"PK or not", "damaged"),
    "bad indices": ("in.npz", bad_matrix(), "damaged"),
    "a pickle": ("in.npz", pickled(), "holds Python objects"),
}


@pytest.mark.parametrize(("name", "content", "message"), BAD.values(), ids=BAD)
def test_bad_files_are_named(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=message) as error:
        read_table(tmp_path / name)
    assert str(error.value).startswith(str(tmp_path / name))
    assert "\n" not in str(error.value)


def test_a_bad_file_in_a_folder_is_named(tmp_path):
    for name in ("a", "b"):
        saved(tmp_path / f"{name}.parquet")
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    with pytest.raises(UsageError, match=r"b\.parquet: damaged"):
        read_table(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"holds no \.parquet files"):
        read_table(tmp_path / "empty")


def test_bombs_are_not_unpacked(write, monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", 1000)
    monkeypatch.setattr(arrays, "MAX_BYTES", 2000)
    with pytest.raises(UsageError, match="more than 1,000 bytes in memory"):
        read_table(write(gzip.compress(b"user,item\n" + b"1,2\n" * 10_000), "in.csv.gz"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.npy", bytes(10**6))
    with pytest.raises(UsageError, match="unpack to more than 2,000"):
        read_table(write(buffer.getvalue(), "in.npz"))

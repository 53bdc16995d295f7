"""Tables: what is written is read again, whatever is in a file is read or refused in one line."""

from __future__ import annotations

import gzip
import math
import os
import tempfile
import tracemalloc
import warnings
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from vaehub.errors import UsageError
from vaehub.files import guard
from vaehub.files.guard import most_in_memory
from vaehub.files.tables import MISSING_WORDS, check_output, open_table, read_table, reading, suffix_of, write_table

TEXT = [".csv", ".tsv", ".txt"]
COLUMNAR = [".parquet", ".feather", ".arrow"]
NAMES = [f"out{suffix}{gz}" for suffix in TEXT + COLUMNAR for gz in ("", ".gz")] + ["OUT.CSV", "Out.Csv.GZ", "OUT.PARQUET"]


@pytest.fixture
def write(tmp_path):
    def written(content, name="in.csv"):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / name

    return written


def cells(path, **options):
    return read_table(path, **options).to_dict("list")


def refused(path, **options):
    """The one line with which a file is refused."""
    with pytest.raises(UsageError) as error:
        read_table(path, **options)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_read_again(tmp_path, name):
    frame = pd.DataFrame(
        {
            "date": ["1/2/2021", "1/3/2021", "1/4/2021"],
            "x": [0.1 + 0.2, np.nan, 1e-300],
            "whole": [1, 2, 2**63 - 1],
            "large": np.array([1, 2, 2**64 - 1], np.uint64),
            "gaps": pd.array([2**53 + 1, None, 3], "Int64"),
            "flag": [True, False, True],
            "maybe": pd.array([True, None, False], "boolean"),
            "text": ["a", None, 'c "d"\r\n, e'],
            "007": ["007", "8", "9"],
        }
    )
    write_table(frame, tmp_path / name)
    pd.testing.assert_frame_equal(read_table(tmp_path / name), frame)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("suffix", COLUMNAR)
def test_files_with_types_keep_them(tmp_path, suffix):
    frame = pd.DataFrame(
        {
            "decimal": [Decimal("1.50"), None, Decimal("2.25")],
            "stamp": pd.date_range("2021", periods=3, freq="h", tz="Europe/Rome"),
            "kind": pd.Categorical(["b", "a", None]),
            "small": np.array([1, 2, 3], np.int8),
            "byte": pd.array([1, None, 255], "UInt8"),
        }
    )
    write_table(frame, tmp_path / f"a{suffix}")
    pd.testing.assert_frame_equal(read_table(tmp_path / f"a{suffix}"), frame)


def test_whole_numbers_and_flags_with_gaps_are_the_same_from_text_and_from_parquet_of_others(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"n": pa.array([1, None, 3], pa.int64()), "flag": pa.array([True, None, False])})
    pq.write_table(table, tmp_path / "a.parquet")
    (tmp_path / "a.csv").write_text("n,flag\n1,true\n,\n3,false\n")
    for name in ("a.parquet", "a.csv"):
        for index in (True, False):
            assert [str(kind) for kind in read_table(tmp_path / name, index=index).dtypes] == ["Int64", "boolean"]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv.gz", "a.parquet", "a.feather"])
def test_an_index_comes_back(tmp_path, name):
    frame = pd.DataFrame({"a": [1.0, 2]}, index=["r0", "r1"])
    write_table(frame, tmp_path / name, index=True)
    pd.testing.assert_frame_equal(read_table(tmp_path / name, index=True), frame)
    write_table(frame, tmp_path / name)
    assert list(read_table(tmp_path / name, index=True).index) == [0, 1]


@pytest.mark.parametrize("name", ["a.csv.gz", "a.parquet", "a.arrow"])
def test_the_same_frame_is_the_same_bytes(tmp_path, name):
    contents = []
    for _ in range(2):
        write_table(pd.DataFrame({"a": [1.0, 2], "b": ["x", None]}), tmp_path / name)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]


PLAIN = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=8)
WORDS = PLAIN.map(lambda text: f"x{text}")  # no word that is a number or a flag
COLUMNS = {
    "int64": st.integers(-(2**63), 2**63 - 1),
    "float64": st.floats(),
    "bool": st.booleans(),
    "Int64": st.none() | st.integers(-(2**63), 2**63 - 1),
    "boolean": st.none() | st.booleans(),
    "object": st.none() | WORDS,
}


@st.composite
def frames(draw):
    rows = draw(st.integers(1, 6))
    names = draw(
        st.lists(WORDS.map(lambda name: name.translate(dict.fromkeys(map(ord, ";\t|")))), min_size=1, max_size=4, unique=True)
    )
    kinds = [draw(st.sampled_from(sorted(COLUMNS))) for _ in names]
    parts = {
        name: pd.Series(draw(st.lists(COLUMNS[kind], min_size=rows, max_size=rows)), dtype=kind)
        for name, kind in zip(names, kinds, strict=True)
    }
    return pd.DataFrame(parts)


def same_cell(one, other):
    if pd.isna(one) or pd.isna(other):
        return bool(pd.isna(one) and pd.isna(other))
    return one == other and (not isinstance(one, float) or math.copysign(1, one) == math.copysign(1, other))


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(frames(), st.sampled_from(NAMES))
def test_any_frame_comes_back(frame, name):
    with tempfile.TemporaryDirectory() as folder:
        write_table(frame, Path(folder) / name)
        found = read_table(Path(folder) / name)
    assert list(found) == list(frame)
    assert len(found) == len(frame)
    for column in frame:
        assert all(map(same_cell, frame[column], found[column])), column
        if frame[column].notna().any() and frame[column].dtype != object:
            assert pd.api.types.is_float_dtype(found[column].dtype) == pd.api.types.is_float_dtype(frame[column].dtype)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
@pytest.mark.parametrize("column", ["x,", "a;b", "a|b", "a\tb"])
def test_a_name_that_holds_a_separator_is_one_column(tmp_path, name, column):
    write_table(pd.DataFrame({column: [None, "a"]}), tmp_path / name)
    assert list(read_table(tmp_path / name)) == [column]


def read_or_refused(path):
    """Columns with different names, or one line that names the file."""
    message = None
    try:
        assert read_table(path).columns.is_unique
    except UsageError as error:
        message = str(error)
    assert message is None or (message.startswith(str(path)) and "\n" not in message)


LOOKALIKE = st.text('a,;\t|"\r\n 0179.-+eé\ufeff', max_size=60).map(str.encode)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(
        st.binary(max_size=80),
        LOOKALIKE,
        LOOKALIKE.map(lambda raw: b"a,b\n" + raw),
        st.text(max_size=30).map(lambda t: t.encode("utf-16")),
    ),
    st.sampled_from(NAMES),
    st.booleans(),
)
@example(b'a,b\n1,"2\n', "out.csv", False)
@example(b"\xff\xfea", "out.csv", False)
@example(b"a\n\xe9", "out.csv", False)
def test_any_bytes_are_read_or_refused(raw, name, packed):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*Windows-1252", UserWarning)
        path = Path(folder) / name
        path.write_bytes(gzip.compress(raw) if packed else raw)
        read_or_refused(path)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.integers(0, 20_000), st.binary(max_size=4)), max_size=6), st.integers(0, 400), st.sampled_from(COLUMNAR)
)
def test_any_damage_to_a_file_with_types_is_read_or_refused(edits, cut, suffix):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        write_table(pd.DataFrame({"a": range(200), "b": list("xy") * 100}), path)
        raw = bytearray(path.read_bytes())
        for at, put in edits:
            raw[at % len(raw) : at % len(raw) + len(put)] = put
        path.write_bytes(raw[: len(raw) - cut])
        read_or_refused(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", ["in.csv", "in.csv.gz"])
def test_encodings_and_line_ends(write, encoding, end, name):
    raw = end.join(["naïve,b", "é,1", "€,2", ""]).encode(encoding)
    assert cells(write(gzip.compress(raw) if name.endswith("gz") else raw, name)) == {"naïve": ["é", "€"], "b": [1, 2]}
    assert cells(write(("\ufeff" + "a,b\n1,2\n").encode("utf-16-be"))) == {"a": [1], "b": [2]}


def test_windows_text_is_read_and_said_to_be(write):
    path = write("name,x\n" + "plain,1\n" * 300_000 + "café €,2\n".encode("cp1252").decode("latin-1"), "in.csv")
    path.write_bytes(b"name,x\n" + b"plain,1\n" * 300_000 + "café €,2\n".encode("cp1252"))
    with pytest.warns(UserWarning, match=r"in\.csv: is not UTF-8, so it is read as Windows-1252"):
        assert read_table(path)["name"].iloc[-1] == "café €"


def test_what_is_neither_is_refused(write):
    assert "UnicodeDecodeError" in refused(write("a,b\né,1\n".encode() + b"\xe9,2\n"))
    assert "no text; save it as UTF-8" in refused(write("a,b\n1,2\n".encode("utf-16-le")))
    assert "neither UTF-8 nor Windows-1252, so it is no text" in refused(write(b"a,b\n1,\x8f\n"))  # and no warning of an encoding


@pytest.mark.parametrize("name", ["in.csv", "in.tsv", "in.TXT"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators(write, name, separator):
    text = 'station,note\n007,"a, b; c | d"\n008,\n'
    path = write(text.replace("n,n", f"n{separator}n").replace("7,", f"7{separator}").replace("8,", f"8{separator}"), name)
    assert cells(path)["station"] == ["007", "008"]
    assert cells(path)["note"][0] == "a, b; c | d"


def test_names_with_other_separators_in_quotes(write):
    path = write('time;"temp, outdoor, C";"wind, mean, m/s"\n1;2,5;3,5\n2;;4\n')
    assert cells(path)["wind, mean, m/s"] == [3.5, 4.0]


def test_the_separator_that_excel_declares(write):
    assert cells(write("sep=;\r\nsmiles;x\r\nC,C;1\r\n")) == {"smiles": ["C,C"], "x": [1]}


DECIMALS = {
    "one row": ("a;b;c\n1;10;3,5\n", 3.5),
    "not in the first row": ("a;b;c\n;;\n1;10;\n1;10;3,5\n", 3.5),
    "tabs": ("a\tb\tc\n1\t10\t3,5\n", 3.5),
    "three digits": ("a;b;c\n1;1,25;12,500\n", 12.5),
    "points beside": ("a;b;c\n1;1.25;12,500\n", "12,500"),
    "after the sample": ("a;b;c\n" + "1;1.5;2\n" * 400 + "1;1.5;3,5\n", 3.5),
    "points in a file with commas": ("a;b;c\n1;1,25;2.5\n", 2.5),
    "thousands in a file with commas": ("a;b;c\n1;1,25;2.500\n", "2.500"),
    "points": ("a;b;c\n1;10;3.5\n", 3.5),
    "commas part cells": ("a,b,c\n1,10,3.5\n", 3.5),
}


@pytest.mark.parametrize(("text", "value"), DECIMALS.values(), ids=DECIMALS)
def test_decimal_marks(write, text, value):
    assert cells(write(text))["c"][-1] == value


def test_identifiers_keep_their_zeros_and_digits(write):
    found = read_table(write("station,n,big,id\n007,9007199254740993,123456789012345678901,+7\n8,,5,8\n"))
    assert found["station"].tolist() == ["007", "8"]
    assert found["n"].tolist()[0] == 9007199254740993
    assert found["big"].tolist() == ["123456789012345678901", "5"]
    ids = open_table(write("a,b,c,d\n7,+7,1.0,12345678901234567890\n-8,8,2,1\n")).frame(ids=["a", "b", "c", "d"])
    assert ids.to_dict("list") == {"a": [7, -8], "b": ["+7", "8"], "c": ["1.0", "2"], "d": ["12345678901234567890", "1"]}


def test_numbers_in_any_spelling(write):
    assert cells(write("a\n+1\n.5\n5.\n inf\n-1E5 \n"))["a"] == [1, 0.5, 5, np.inf, -1e5]


def test_words_for_missing_are_those_that_are_given(write):
    path = write("a,b\n1,NA\n--,x\n")
    assert read_table(path)["a"].tolist() == ["1", "--"]
    assert read_table(path)["b"].tolist() == ["NA", "x"]
    assert read_table(path, missing=("--", *MISSING_WORDS)).isna().to_numpy().tolist() == [[False, True], [True, False]]


def test_blank_lines_are_rows_only_of_one_column(write):
    assert read_table(write("a\n1\n\n3\n"))["a"].isna().tolist() == [False, True, False]
    assert cells(write("\n\na,b\n\n1,2\n\n3,4\n")) == {"a": [1, 3], "b": [2, 4]}


def test_empty_columns_without_names_mean_nothing(write):
    assert cells(write("a,,b,,\n1,x,2,,\n")) == {"a": [1], "Unnamed: 1": ["x"], "b": [2]}


REFUSED = {
    "ragged": ("a,b\n1,2\n\n1,2,3\n", "line 4: 3 cells where the first line has 2"),
    "short": ("a,b,c\n1,2,3\n1,2\n", "line 3: 2 cells where the first line has 3"),
    "short, mac": ("a,b,c\r1,2,3\r1,2\r", "line 3: 2 cells"),
    "ragged below a declaration": ("sep=;\na;b\n1;2;3\n", "line 3: 3 cells"),
    "no names": ("0.1,2\n0.2,3\n", "holds numbers (0.1, 2) and no names"),
    "no names, one column": ("17\n18\n", "put a line with a name for each column before it"),
    "twice": ("a,b,a\n1,2,3\n", "column 'a' is there 2 times"),
    "empty": ("", "is empty"),
    "blank": ("\n\n \n", "is empty"),
    "an open quote": ('a,b\n1,2\n1,"2\n1,2\n', "below line 2: unexpected end of data; is there a quote that is never closed?"),
    "an open quote, long": (
        'a,b\n1,2\n1,"2\n' + "1,2\n" * 2_000_000,
        "below line 2: field larger than field limit (131072); is there a quote that is never closed?",
    ),
    "a long cell": ("a\n" + "x" * (5 << 20) + "\n1\n", "a line of more than 1,048,576 characters"),
    "a long first line": (",".join(f"n{at}" for at in range(800_000)), "does not end within"),
    "many columns": ("a," * 199_999 + "b", "200,000 columns"),
}


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_tables_that_cannot_be_meant_are_refused(write, content, message):
    assert message in refused(write(content))


def test_names_that_count_are_names(write):
    assert list(read_table(write("0,1,2\n5,6,7\n"))) == ["0", "1", "2"]
    assert list(read_table(write("2001,2002,2003\n5,6,7\n"))) == ["2001", "2002", "2003"]


def test_a_first_line_of_twenty_million_columns_is_refused_without_reading_it(tmp_path):
    with gzip.open(tmp_path / "in.csv.gz", "wb", 1) as file:
        for _ in range(20):
            file.write(b"ab," * 1_000_000)
    tracemalloc.start()
    assert "does not end within" in refused(tmp_path / "in.csv.gz")
    assert tracemalloc.get_traced_memory()[1] < 48 << 20
    tracemalloc.stop()


def test_bombs_are_refused(write, monkeypatch):
    monkeypatch.setattr(guard, "FREE_BYTES", 1 << 20)
    assert "that unpack to more than" in refused(write(gzip.compress(b"a\n" + b"1\n" * 5_000_000), "in.csv.gz"))


@pytest.mark.parametrize("name", ["in.arrow", "in.feather", "in.arrow.gz"])
def test_arrow_as_it_is_sent_is_read_too(tmp_path, name):
    table = pa.table({"a": [1, None, 3], "b": ["x", "y", None]})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table, max_chunksize=2)
    content = sink.getvalue().to_pybytes()
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    found = read_table(path)
    assert found["a"].tolist() == [1, pd.NA, 3]
    assert found["b"].isna().tolist() == [False, False, True]
    path.write_bytes(gzip.compress(content[:-40]) if name.endswith(".gz") else content[: len(content) // 2])
    assert "damaged" in refused(path)


def test_a_small_file_of_many_equal_cells_is_refused_by_what_it_says_of_itself(tmp_path, monkeypatch):
    path = tmp_path / "in.parquet"
    pd.DataFrame({"a": np.zeros(3_000_000)}).to_parquet(path)
    assert path.stat().st_size < 1 << 20
    monkeypatch.setattr(reading, "most_in_memory", lambda limit: 20 << 20)
    assert "3,000,000 cells, more than 20,971,520 bytes in memory; split it" in refused(path)


def test_half_of_what_is_free_is_the_most():
    assert 1 << 20 < most_in_memory(1 << 62) < 1 << 50
    assert most_in_memory(1000) == 1000


def test_tables_larger_than_memory_are_refused(write, monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", 1000)
    pd.DataFrame({"a": np.zeros(5000)}).to_parquet(path := write("", "in.parquet"))
    assert "5,000 cells, more than 1,000 bytes in memory" in refused(path)
    assert "more than 1,000 bytes in memory" in refused(write("a\n" + "1\n" * 500))


@pytest.mark.parametrize("name", ["pipe.csv", "pipe.parquet", "pipe.csv.gz"])
def test_pipes_and_devices_do_not_block(tmp_path, name):
    os.mkfifo(tmp_path / name)
    assert "a pipe" in refused(tmp_path / name)
    (tmp_path / "link.csv").symlink_to("/dev/zero")
    assert "a device" in refused(tmp_path / "link.csv")
    assert "no such file" in refused(tmp_path / "absent.csv")


@pytest.mark.parametrize("rows", [1, 7, 10_000])
@pytest.mark.parametrize("name", ["in.csv", "in.parquet", "in.feather"])
def test_pieces_are_the_whole(tmp_path, name, rows, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK", 300)
    frame = pd.DataFrame({"a": range(200), "b": [f"x{n}" for n in range(200)]})
    write_table(frame, tmp_path / name)
    table = open_table(tmp_path / name)
    batches = list(table.batches(["b"], rows))
    assert max(map(len, batches)) <= rows
    assert [cell for batch in batches for cell in batch["b"].to_pylist()] == frame["b"].tolist()


def test_memory_does_not_grow_with_a_text(tmp_path):
    line = b"1234567,abcdefghij\n"
    (tmp_path / "in.csv").write_bytes(b"a,b\n" + line * 10_000_000)
    tracemalloc.start()
    assert sum(batch.num_rows for batch in open_table(tmp_path / "in.csv").batches(["a"])) == 10_000_000
    assert tracemalloc.get_traced_memory()[1] < 96 << 20
    tracemalloc.stop()


def test_rows_come_with_the_numbers_of_their_lines(write):
    assert list(open_table(write('a,b\n1,2\n\n"x\ny",3\n4\n')).rows()) == [(2, ["1", "2"]), (5, ["x\ny", "3"]), (6, ["4"])]


def test_suffixes_in_any_case():
    assert [suffix_of(name) for name in ("a.CSV", "b.x.Parquet.GZ", "c.arrow")] == [".csv", ".parquet.gz", ".arrow"]
    with pytest.raises(UsageError, match=r"a\.xlsx: .*\.csv, \.tsv, \.txt, \.parquet, \.feather, \.arrow \(each also \.gz\)"):
        suffix_of("a.xlsx")


def test_an_output_that_is_the_input_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    (tmp_path / "b.csv").symlink_to(path)
    check_output(tmp_path / "new.csv", [path, None, tmp_path / "absent.csv"])
    check_output(path, [path], force=True)
    for output in (path, tmp_path / "b.csv", tmp_path / "." / "a.csv"):
        with pytest.raises(
            UsageError, match="is the input itself, which would be lost; write elsewhere, or replace it with --force"
        ):
            check_output(output, [path])
    with pytest.raises(UsageError, match="is a folder"):
        check_output(tmp_path, known=())


def test_nothing_is_written_half(tmp_path):
    frame = pd.DataFrame({"a": [1.0]})
    write_table(frame, tmp_path / "out.csv")
    with pytest.raises(UsageError, match=r"parquet.*write a \.csv"):
        write_table(pd.DataFrame({"a": np.array([1, "x"], object)}), tmp_path / "out.parquet")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="can be written to"):
        write_table(frame, tmp_path / "file" / "out.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "out.csv"]


def test_offsets_that_lie_outside_of_the_file_are_refused(tmp_path):
    file, offsets = tmp_path / "in.feather", np.array([0, 3, 6], np.int32)
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, pa.schema([("a", pa.string())])) as writer:
        writer.write_table(pa.table({"a": ["abc", "def"]}))
    content = file.read_bytes()
    assert content.count(offsets.tobytes()) == 1
    file.write_bytes(content.replace(offsets.tobytes(), np.array([0, 3, 2**30], np.int32).tobytes()))
    with pytest.raises(UsageError, match=r"in\.feather"):
        read_table(file)

"""Tables from and to files."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vaehub.errors import UsageError
from vaehub_timeseries.frames import Reading, read_table, tables, understand, write_table

ITALY = "Date,Time,CO(GT),PT08.S1(CO),note,,\n3/10/2004,18:00:00,2.6,1360,,,\n3/10/2004,19:00:00,,,,,\n3/10/2004,20:00:00,2.25,1402,,,\n"
ITALY += ",,,,,,\n,,,,,,\n"


@pytest.fixture
def write(tmp_path):
    def written(text, name="in.csv"):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path / name

    return written


def test_a_csv_keeps_its_columns_and_loses_its_blanks(write):
    frame = read_table(write(ITALY))
    assert list(frame) == ["Date", "Time", "CO(GT)", "PT08.S1(CO)", "note"]
    assert len(frame) == 3
    assert frame["PT08.S1(CO)"].dtype == "Int64"
    assert frame["CO(GT)"].dtype == "float64"
    panel = understand(frame, Reading())
    assert list(panel.series[0].index) == list(pd.date_range("2004-03-10 18:00", periods=3, freq="h"))


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet", "OUT.CSV"])
def test_what_is_written_is_read_again(tmp_path, name):
    frame = pd.DataFrame(
        {
            "date": ["1/2/2021", "1/3/2021", "1/4/2021"],
            "x": [0.1 + 0.2, np.nan, 1e-300],
            "whole": [1, 2, 3],
            "gaps": pd.array([1, None, 3], "Int64"),
            "flag": [True, False, True],
            "maybe": pd.array([True, None, False], "boolean"),
            "text": ["a", None, "c"],
        }
    )
    write_table(frame, tmp_path / name)
    pd.testing.assert_frame_equal(read_table(tmp_path / name), frame)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_an_index_comes_back(tmp_path, name):
    stamps = pd.date_range("2021", periods=3, freq="h", tz="Europe/Rome")
    write_table(pd.DataFrame({"a": [1.0, 2, 3]}, index=stamps), tmp_path / name)
    frame = read_table(tmp_path / name)
    assert list(frame) == ["a"]
    assert list(understand(frame, Reading()).series[0].index) == list(stamps)
    write_table(frame, tmp_path / "again.csv")
    pd.testing.assert_frame_equal(
        read_table(tmp_path / "again.csv"), frame if name == "out.csv" else read_table(tmp_path / "again.csv")
    )


def test_the_same_frame_is_the_same_bytes(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2]})
    for name in ("a.csv.gz", "b.csv.gz"):
        write_table(frame, tmp_path / name)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


def test_semicolons_and_decimal_commas(write):
    frame = read_table(write("date;a;b\n2021-01-01;1,5;2\n2021-01-02;;3\n"))
    assert frame["a"].tolist()[0] == 1.5
    assert read_table(write("a;b\n1.5;2\n"))["a"].tolist() == [1.5]


def test_rows_without_stamps_are_gaps_if_rows_are_the_time(write):
    assert len(read_table(write("a,b\n1,2\n,\n3,4\n,\n"))) == 3
    assert len(read_table(write("a\n1\n\n3\n"))) == 3


def test_text_for_missing(write):
    frame = read_table(write("a,b\n1,x\n--,y\n"), missing_values=("--", -200))
    assert frame["a"].isna().tolist() == [False, True]


BAD = {
    "no file": ("missing.csv", None, "no such file"),
    "suffix": ("in.xlsx", b"", r"\.csv, \.csv\.gz, \.parquet"),
    "empty": ("in.csv", b"", "cannot be read as .csv"),
    "ragged": ("in.csv", b"a,b\n1,2\n1,2,3,4\n", "cannot be read"),
    "bytes": ("in.csv", b"a,b\n\xff\xfe,1\n", "cannot be read"),
    "no gzip": ("in.csv.gz", b"a,b\n1,2\n", "cannot be read as .csv.gz"),
    "cut gzip": ("in.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 999)[:-20], "cannot be read"),
    "no parquet": ("in.parquet", b"PAR1 or not", "cannot be read as .parquet"),
}


@pytest.mark.parametrize(("name", "content", "message"), BAD.values(), ids=BAD)
def test_bad_files_are_named(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=message) as error:
        read_table(tmp_path / name)
    assert str(error.value).startswith(str(tmp_path / name))
    assert "\n" not in str(error.value)


def test_no_such_column(write):
    with pytest.raises(UsageError, match=r"time='when'.*did you mean"):
        read_table(write("When,a\n2021-01-01,1\n"), time="when")


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MAX_BYTES", 1000)
    monkeypatch.setattr(tables, "MAX_CELLS", 1000)
    (tmp_path / "in.csv.gz").write_bytes(gzip.compress(b"a\n" + b"1\n" * 10_000))
    with pytest.raises(UsageError, match="more than 1,000 bytes"):
        read_table(tmp_path / "in.csv.gz")
    pd.DataFrame({"a": np.zeros(5000)}).to_parquet(tmp_path / "in.parquet")
    with pytest.raises(UsageError, match="5,000 rows"):
        read_table(tmp_path / "in.parquet")


def test_nothing_is_written_half(tmp_path, monkeypatch):
    frame = pd.DataFrame({"a": [1.0]})
    write_table(frame, tmp_path / "out.csv")
    with pytest.raises(UsageError, match=r"parquet.*write a \.csv"):
        write_table(pd.DataFrame({"a": np.array([1, "x"], object)}), tmp_path / "out.parquet")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="can be written to"):
        write_table(frame, tmp_path / "file" / "out.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "out.csv"]


def test_a_real_file(tmp_path):
    source = Path(__file__).parents[3].parent / "shared/data/italy_air_quality/AirQualityUCI.csv.gz"
    if not source.exists():
        pytest.skip("no data beside the checkout")
    frame = read_table(source)
    assert frame.shape == (9357, 15)
    panel = understand(frame, Reading(missing_values=(-200,)))
    out = panel.fill([np.nan_to_num(series.values) for series in panel.series])
    write_table(out, tmp_path / "out.csv")
    pd.testing.assert_frame_equal(read_table(tmp_path / "out.csv"), out)
    observed = frame.iloc[:, 2:] != -200
    assert (out.iloc[:, 2:][observed] == frame.iloc[:, 2:][observed])[observed].sum().sum() == observed.sum().sum()

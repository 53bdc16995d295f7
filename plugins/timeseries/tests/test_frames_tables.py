"""Tables from and to files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vaehub.errors import UsageError
from vaehub.files import tables
from vaehub_timeseries.files import Dialect, read_table
from vaehub_timeseries.frames import ReadOptions, to_panel

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
    panel = to_panel(frame, ReadOptions())
    assert list(panel.series[0].index) == list(pd.date_range("2004-03-10 18:00", periods=3, freq="h"))


def write_table(frame, path):
    tables.write_table(frame, path, index=True)


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_an_index_comes_back(tmp_path, name):
    stamps = pd.date_range("2021", periods=3, freq="h", tz="Europe/Rome")
    write_table(pd.DataFrame({"a": [1.0, 2, 3]}, index=stamps), tmp_path / name)
    frame = read_table(tmp_path / name)
    assert list(frame) == ["a"]
    assert list(to_panel(frame, ReadOptions()).series[0].index) == list(stamps)
    write_table(frame, tmp_path / "again.csv")
    pd.testing.assert_frame_equal(
        read_table(tmp_path / "again.csv"), frame if name == "out.csv" else read_table(tmp_path / "again.csv")
    )


def test_semicolons_and_decimal_commas(write):
    frame = read_table(write("date;a;b\n2021-01-01;1,5;2\n2021-01-02;;3\n"))
    assert frame["a"].tolist()[0] == 1.5
    assert read_table(write("a;b\n1.5;2\n"))["a"].tolist() == [1.5]
    assert read_table(write("date;a\n;\n2021-01-02;3\n2021-01-03;1,5\n"))["a"].tolist() == [3, 1.5]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.filterwarnings("ignore:.*is not UTF-8:UserWarning")
def test_encodings_are_found_and_may_be_said(write, encoding):
    path = write("# Süd\nZeit;Wärme\n1;2,5\n2;3\n".encode(encoding))
    assert Dialect.find(path).encoding == encoding
    for said in (None, encoding, encoding.removesuffix("-sig")):
        frame = read_table(path, encoding=said)
        assert frame.to_dict("list") == {"Zeit": [1, 2], "Wärme": [2.5, 3.0]}


HEADS = {
    "quoted names with commas": 'time;"temp, outdoor, C";"wind, mean, m/s"\n1;1,5;2\n2;;3\n',
    "two lines above": "Report\nof 2024\ntime,temp\n1,1.5\n2,2.5\n",
    "a title as wide as the table": "Report\nof;2024 in\ntime;temp\n1;1,5\n2;2,5\n",
    "names in a comment": "# x\n# time temp\n1 1.5\n2 2.5\n",
    "numbers in columns": "   time    temp\n  1.0     1.5\n 20.0     2.5\n",
    "Excel": "sep=|\r\ntime|temp\r\n1|1,5\r\n",
    "units": "time\ttemp\n\t[°C]\n1\t1.5\n2\t2.5\n",
    "decimal commas in quotes": 'time,temp\n1,"1,5"\n2,"2,5"\n',
}


@pytest.mark.parametrize("text", HEADS.values(), ids=HEADS)
def test_names_are_found_below_what_is_above_them(write, text):
    frame = read_table(write(text))
    assert frame.columns[0] == "time"
    assert "temp" in frame.columns[1]
    assert frame.iloc[0, 1] == 1.5
    assert frame.iloc[0, 0] == 1


def test_no_row_is_taken_for_units_that_is_none(write):
    assert read_table(write("a\nND\n1\n2\n3\n"))["a"].tolist() == ["ND", "1", "2", "3"]
    assert read_table(write("a,b\nNA,NA\n1,2\n3,4\n"))["a"].isna().tolist() == [True, False, False]
    assert read_table(write("id,code\n007,A%\n008,B/C\n"))["code"].tolist() == ["A%", "B/C"]


def test_years_and_counters_may_be_names(write):
    assert list(read_table(write("2001,2002,2003\n1,2,3\n4,5,6\n"))) == ["2001", "2002", "2003"]
    assert list(read_table(write("site,2001,2002\na,2,3\nb,5,6\n"))) == ["site", "2001", "2002"]


@pytest.mark.parametrize(
    ("text", "value", "said", "meaning"),
    [
        ("a;b\n1.234;2\n5.678;3\n", 1.234, 1234, "1.234 . is read as the decimal mark"),
        ("a;b\n12,500;2\n13,100;3\n", 12.5, 12500, "12,500 , is read as the decimal mark"),
        ('a,b\n"12,500",2\n"13,100",3\n', 12500, 12.5, "12,500 , is read as a mark of thousands"),
    ],
)
def test_numbers_of_two_meanings_are_named(write, text, value, said, meaning):
    path = write(text)
    with pytest.warns(UserWarning, match=f"in {meaning}; if it is not, give decimal="):
        assert read_table(path)["a"].iloc[0] == value
    assert {read_table(path, decimal=mark)["a"].iloc[0] for mark in ".,"} == {value, said}


def test_numbers_of_one_meaning_are_not_doubted(write):
    assert read_table(write("a,b\n1.234,2\n5.678,3\n"))["a"].tolist() == [1.234, 5.678]
    assert read_table(write("a;b\n1.234;2,5\n5.678;3\n"))["a"].tolist() == [1234, 5678]
    assert read_table(write("a;b\n1.234;2\n0.678;3\n"))["a"].tolist() == [1.234, 0.678]


def test_rows_without_stamps_are_gaps_if_rows_are_the_time(write):
    assert len(read_table(write("a,b\n1,2\n,\n3,4\n,\n"))) == 3
    assert len(read_table(write("a\n1\n\n3\n"))) == 3


def test_text_for_missing(write):
    frame = read_table(write("a,b\n1,x\n--,y\n"), missing_values=("--", -200))
    assert frame["a"].isna().tolist() == [False, True]


def test_no_such_column(write):
    with pytest.raises(UsageError, match=r"time='when'.*did you mean"):
        read_table(write("When,a\n2021-01-01,1\n"), time="when")


def test_blank_rows_of_an_index_go_and_gaps_at_its_end_stay(write):
    frame = read_table(write(",a\n2021-01-01,1\n2021-01-02,\n,\n"))
    assert list(frame.index) == ["2021-01-01", "2021-01-02"]
    assert frame["a"].isna().tolist() == [False, True]


def test_stations_keep_their_zeros(write):
    assert read_table(write("time,station,x\n1,007,1\n2,007,\n"))["station"].tolist() == ["007", "007"]


def test_a_real_file(tmp_path):
    source = Path(__file__).parents[3].parent / "shared/data/italy_air_quality/AirQualityUCI.csv.gz"
    if not source.exists():
        pytest.skip("no data beside the checkout")
    frame = read_table(source)
    assert frame.shape == (9357, 15)
    panel = to_panel(frame, ReadOptions(missing_values=(-200,)))
    out = panel.fill([np.nan_to_num(series.values) for series in panel.series])
    write_table(out, tmp_path / "out.csv")
    pd.testing.assert_frame_equal(read_table(tmp_path / "out.csv"), out, check_dtype=False)  # without gaps: int64
    observed = frame.iloc[:, 2:] != -200
    assert (out.iloc[:, 2:][observed] == frame.iloc[:, 2:][observed])[observed].sum().sum() == observed.sum().sum()

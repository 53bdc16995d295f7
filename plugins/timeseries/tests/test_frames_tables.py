"""Tables from and to files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vaehub.errors import UsageError
from vaehub.files import tables
from vaehub_timeseries.files import read_table
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

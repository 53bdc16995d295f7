"""Time and entity that nobody named: whole numbers that count on, names that each fill one block of rows."""

import warnings

import numpy as np
import pandas as pd
import pytest

from vaehub_timeseries import Imputer
from vaehub_timeseries.frames import ReadOptions, extend, to_panel

LEVEL = np.sin(np.arange(50) / 3)
YEARS = np.arange(1850, 1900)


def silent_panel(frame, **reading):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return to_panel(frame, ReadOptions(**reading))


@pytest.mark.parametrize(
    ("label", "values", "following"),
    [
        ("year", YEARS, [1900, 1901]),
        ("unix_ms", 1704067200000 + 3_600_000 * np.arange(50), [1704247200000, 1704250800000]),
        ("seconds", 1704067200 + 60 * np.arange(50), [1704070200, 1704070260]),
    ],
)
def test_a_calendar_in_whole_numbers_is_the_time_and_goes_on(label, values, following):
    panel = silent_panel(pd.DataFrame({label: values, "level": LEVEL}))
    assert [key.label for key in panel.schema.form.time] == [label]
    assert extend(panel, 2).frame[label].tolist()[-2:] == following
    left_out = silent_panel(pd.DataFrame({label: values, "level": LEVEL}).drop(index=[7, 8, 30]))
    assert np.flatnonzero(np.isnan(left_out.series[0].values[:, 0])).tolist() == [7, 8, 30]


@pytest.mark.parametrize(
    ("label", "pattern", "frequency", "following"),
    [("month", "%Y%m", "MS", [202003, 202004]), ("day", "%Y%m%d", "D", [20160220, 20160221])],
)
def test_dates_in_the_digits_of_whole_numbers_go_on_by_the_calendar(label, pattern, frequency, following):
    digits = pd.date_range("2016-01-01", periods=50, freq=frequency).strftime(pattern).astype(int)
    panel = silent_panel(pd.DataFrame({label: digits, "level": LEVEL}).drop(index=[7, 30]))
    assert extend(panel, 2).frame[label].tolist()[-2:] == following
    assert np.flatnonzero(np.isnan(panel.series[0].values[:, 0])).tolist() == [7, 30]


def test_a_counter_of_another_name_is_the_time_with_a_warning():
    frame = pd.DataFrame({"no": np.arange(100, 600, 10), "level": LEVEL})
    with pytest.warns(
        UserWarning, match=r"column 'no' goes on by the same number in every row, so it is taken for the time; .*--columns"
    ):
        panel = to_panel(frame, ReadOptions())
    assert extend(panel, 2).frame["no"].tolist()[-2:] == [600, 610]
    assert silent_panel(frame, columns=("no", "level")).schema.form.time == ()


@pytest.mark.parametrize(
    "values", [np.arange(50).cumsum(), np.arange(50) % 25, np.append(np.arange(49), 60), np.arange(50.0)], ids=str
)
def test_a_measurement_that_rises_is_no_time(values):
    panel = silent_panel(pd.DataFrame({"count": values, "level": LEVEL}))
    assert panel.schema.form.time == ()
    assert len(panel.schema.channels) == 2


def test_a_lone_ramp_and_a_short_one_are_no_time():
    assert silent_panel(pd.DataFrame({"a": np.arange(50)})).schema.form.time == ()
    assert silent_panel(pd.DataFrame({"a": [1, 2, 3], "b": [1.0, 3, 2]})).schema.form.time == ()


def test_an_index_of_years_is_the_time_and_its_holes_are_gaps():
    index = pd.Index([year for year in YEARS if year % 3], name="year")
    panel = silent_panel(pd.DataFrame({"level": np.arange(len(index), dtype=float)}, index=index))
    assert len(panel.series[0].values) == 49
    assert extend(panel, 2).frame.index.tolist()[-2:] == [1899, 1900]
    assert extend(silent_panel(pd.DataFrame({"a": LEVEL}, index=pd.RangeIndex(1850, 1900))), 2).frame.index[-1] == 1901


@pytest.mark.parametrize("index", [pd.RangeIndex(50), pd.Index([0, *range(2, 51)]), pd.Index(np.arange(50)[::-1] + 7)], ids=str)
def test_row_numbers_are_no_calendar_and_no_label_comes_twice(index):
    panel = silent_panel(pd.DataFrame({"a": LEVEL}, index=index))
    assert panel.schema.unit == "row"
    assert extend(panel, 3).frame.index.is_unique


def blocks(**columns):
    return pd.DataFrame({"patient": ["a"] * 25 + ["b"] * 25, "level": LEVEL, **columns})


TAKEN = r"'patient': each of its values fills one block of rows, so they are taken for series of their own; .*--entity=none"


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"when": pd.date_range("2024", periods=50)},
        {"when": list(pd.date_range("2024", periods=25)) + list(pd.date_range("2023", periods=25))},
    ],
    ids=["no stamps", "stamps go on", "stamps start anew"],
)
def test_names_that_each_fill_a_block_are_series(columns):
    with pytest.warns(UserWarning, match=TAKEN):
        panel = to_panel(blocks(**columns), ReadOptions())
    assert [series.entity for series in panel.series] == ["a", "b"]
    assert {key.label for key in panel.schema.form.time} == set(columns)
    assert len(silent_panel(blocks(**columns), entity="patient").series) == 2


def test_years_that_start_anew_are_the_time_of_each_series():
    panel = silent_panel(blocks(year=np.tile(np.arange(1900, 1925), 2)))
    assert [series.entity for series in panel.series] == ["a", "b"]
    assert extend(panel, 1).frame["year"].tolist()[-2:] == [1925, 1925]


def test_two_patients_are_never_joined():
    ends = pd.DataFrame({"patient": ["a"] * 40 + ["b"] * 40, "hr": [60.0] * 36 + [np.nan] * 8 + [140.0] * 36})
    with pytest.warns(UserWarning, match=TAKEN):
        filled = Imputer().fit_transform(ends)
    assert filled["hr"][36:40].to_numpy() == pytest.approx(60, abs=1)
    assert filled["hr"][40:44].to_numpy() == pytest.approx(140, abs=1)


def test_a_numbered_id_is_an_entity_too():
    frame = blocks().assign(stay_id=[7] * 25 + [9] * 25).drop(columns="patient")
    with pytest.warns(UserWarning, match="'stay_id': each of its values fills one block of rows, so they are taken"):
        assert [series.entity for series in to_panel(frame, ReadOptions()).series] == [7, 9]


@pytest.mark.parametrize("name", ["station", "unit_nr", "Store", "wind turbine", "patientunitstayid"])
def test_whole_numbers_in_a_column_with_the_name_of_an_entity_are_series(name):
    numbered = blocks(patient=[7] * 25 + [9] * 25).rename(columns={"patient": name})
    with pytest.warns(UserWarning, match=f"'{name}': each of its values fills one block of rows, so they are taken"):
        assert [series.entity for series in to_panel(numbered, ReadOptions()).series] == [7, 9]
    with pytest.warns(UserWarning, match="'cycle' goes on by the same number in every row"):
        panel = to_panel(numbered.assign(cycle=np.tile(np.arange(1, 26), 2)), ReadOptions())
    assert [series.entity for series in panel.series] == [7, 9]
    assert extend(panel, 1).frame["cycle"].tolist()[-2:] == [26, 26]
    restarted = silent_panel(numbered.assign(when=list(pd.date_range("2024", periods=25)) * 2))
    assert [series.entity for series in restarted.series] == [7, 9]
    assert len(silent_panel(numbered.rename(columns={name: "flow"})).series) == 1


def test_one_series_where_it_is_said_and_parts_of_one_that_look_like_it():
    assert len(silent_panel(blocks(), entity="none").series) == 1
    assert len(silent_panel(blocks(), columns=("patient", "level")).series) == 1
    assert len(silent_panel(blocks(patient=["a"] * 20 + ["b"] * 20 + ["a"] * 10)).series) == 1
    for phases in (
        blocks().rename(columns={"patient": "month"}),
        blocks(when=pd.date_range("2024", periods=50)).rename(columns={"patient": "crop"}),
    ):
        with pytest.warns(
            UserWarning, match=r"each of its values fills one block of rows; if it tells series apart, give entity="
        ):
            assert len(to_panel(phases, ReadOptions()).series) == 1

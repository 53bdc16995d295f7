"""Stamps: how they are read, the grid under them, and how they go on."""

import warnings

import numpy as np
import pandas as pd
import pytest

from vaehub.errors import UsageError
from vaehub_timeseries.frames import ReadOptions, extend, to_panel

NAN = np.nan


def series_of(frame, **reading):
    return to_panel(frame, ReadOptions(**reading)).series


def stamped(stamps, **columns):
    return pd.DataFrame({"date": stamps, "a": np.arange(len(stamps), dtype=float), **columns})


TEXTS = {
    "iso": ["2021-02-03", "2021-02-04", "2021-02-05"],
    "iso with a zone": ["2021-02-03T00:00:00Z", "2021-02-04T01:00:00+01:00", "2021-02-05T00:00:00Z"],
    "month first": ["2/3/2021", "2/4/2021", "2/5/2021"],
    "day first": ["03.02.2021", "04.02.2021", "05.02.2021"],
    "month as a word": ["03 Feb 2021", "04 Feb 2021", "05 Feb 2021"],
    "whole numbers": [20210203, 20210204, 20210205],
    "python's dates": list(pd.date_range("2021-02-03", periods=3).date),
}


@pytest.mark.filterwarnings("ignore:.*'2/3/2021' is read as 2021-02-03; if it is 2021-03-02:UserWarning")
@pytest.mark.parametrize("stamps", TEXTS.values(), ids=TEXTS)
def test_dates_are_read(stamps):
    frame = stamped(stamps)
    (series,) = series_of(frame)
    assert list(series.index.tz_localize(None)) == list(pd.date_range("2021-02-03", periods=3))
    assert len(series.values) == 3


def test_day_or_month_first_is_what_makes_the_series_regular():
    days = pd.date_range("2021-01-01", periods=40, freq="D")
    for fmt in ("%d/%m/%Y", "%m/%d/%Y"):
        (series,) = series_of(stamped(days.strftime(fmt)))
        assert list(series.index) == list(days)


@pytest.mark.parametrize("fmt", ["%d/%m/%Y", "%m/%d/%Y"])
@pytest.mark.parametrize("every", ["MS", "QS", "YS"])
def test_months_and_quarters_are_regular_too(fmt, every):
    stamps = pd.date_range("2015-01-01", periods=26, freq=every)
    panel = to_panel(stamped(stamps[:24].strftime(fmt)), ReadOptions())
    assert list(extend(panel, 2).rows.stamps.local(extend(panel, 2).rows.stamps.at)) == list(stamps)


def test_days_that_may_be_months_are_told_apart_in_the_open():
    days = pd.date_range("2021-01-01", periods=12, freq="D")
    for fmt in ("%d/%m/%Y", "%m/%d/%Y"):
        with pytest.warns(
            UserWarning, match=r"column 'date': '..\/..\/2021' is read as 2021-01-02; if it is 2021-02-01, give dayfirst="
        ):
            (series,) = series_of(stamped(days.strftime(fmt)))
        assert list(series.index) == list(days)


def test_date_and_time_of_day_apart():
    frame = stamped(["3/9/2004"] * 2 + ["3/10/2004"], clock=["22:00:00", "23:00:00", "00:00:00"])
    panel = to_panel(frame, ReadOptions())
    assert list(panel.series[0].index) == list(pd.date_range("2004-03-09 22:00", periods=3, freq="h"))
    later = extend(panel, 2)
    out = later.fill([np.zeros_like(series.values) for series in later.series])
    assert out["clock"].tolist()[3:] == ["01:00:00", "02:00:00"]
    assert out["date"].tolist()[3:] == ["3/10/2004"] * 2


def test_holes_are_rows_of_the_grid():
    frame = stamped(pd.to_datetime(["2021-01-01", "2021-01-02", "2021-01-05", "2021-01-06"]))
    (series,) = series_of(frame)
    assert np.array_equal(series.values[:, 0], [0, 1, NAN, NAN, 2, 3], equal_nan=True)


def test_a_hole_without_end_ends_the_series():
    stamps = pd.date_range("2021", periods=5, freq="s").append(pd.date_range("2051", periods=5, freq="s"))
    first, second = series_of(stamped(stamps))
    assert len(first.values) == len(second.values) == 5
    assert second.index[0] == pd.Timestamp("2051")


def test_bursts_do_not_blow_up_the_grid():
    rng = np.random.default_rng(0)
    starts = pd.date_range("2021", periods=300, freq="5h")
    stamps = starts.repeat(2) + pd.to_timedelta(np.tile([0, 1], 300), "s")
    parts = series_of(stamped(stamps + pd.to_timedelta(rng.integers(0, 5, 600) * 0, "s")), step="1s")
    assert sum(len(series.values) for series in parts) < 25_000


def test_months_are_one_step_each():
    for freq in ("MS", "ME", "QS", "YS"):
        stamps = pd.date_range("2001-01-01", periods=60, freq=freq)
        (series,) = series_of(stamped(stamps.delete([7, 8, 30])))
        assert len(series.values) == 60, freq
        assert np.flatnonzero(np.isnan(series.values[:, 0])).tolist() == [7, 8, 30]


@pytest.mark.parametrize("freq", ["h", "D", "15min"])
def test_the_change_of_clocks_leaves_no_trace(freq):
    stamps = pd.date_range("2021-10-25", periods=400, freq=freq, tz="Europe/Rome")
    (series,) = series_of(stamped(stamps))
    assert not np.isnan(series.values).any()
    assert str(series.index.tz) == "UTC"


def test_jitter_leaves_no_trace():
    rng = np.random.default_rng(0)
    stamps = pd.date_range("2021", periods=500, freq="10min") + pd.to_timedelta(rng.normal(0, 10, 500).round(), "s")
    (series,) = series_of(stamped(stamps))
    assert np.array_equal(series.values[:, 0], np.arange(500.0))


def test_rows_left_out_at_random_leave_the_step():
    stamps = pd.date_range("2021", periods=2000, freq="h")[np.random.default_rng(0).random(2000) < 0.15]
    assert to_panel(stamped(stamps), ReadOptions()).schema.step == 3600 * 10**9


def test_between_the_rows_of_the_grid_a_gap_is_read_on_a_line():
    stamps = pd.Timestamp("2021") + pd.to_timedelta([0, 60, 90, 180, 240], "min")
    frame = pd.DataFrame({"date": stamps, "a": [0.0, 1, NAN, 3, 4]})
    panel = to_panel(frame, ReadOptions(step="1h"))
    out = panel.fill([np.arange(5.0)[:, None] * 10])
    assert out["a"].tolist() == [0, 1, 15, 3, 4]


def test_readings_in_one_bin_are_averaged_and_keep_their_own():
    stamps = pd.Timestamp("2021") + pd.to_timedelta([0, 7, 23, 60, 120, 180], "min")
    frame = pd.DataFrame({"date": stamps, "a": [1.0, 3, NAN, 5, 6, 7]})
    panel = to_panel(frame, ReadOptions(step="1h"))
    assert panel.series[0].values[:, 0].tolist() == [2, 5, 6, 7]
    out = panel.fill([panel.series[0].values])
    assert out["a"].drop(2).tolist() == [1, 3, 5, 6, 7]
    assert out["a"][2] == pytest.approx(2 + 3 * 23 / 60)


def test_numbers_as_time():
    frame = pd.DataFrame({"t": [0.0, 0.1, 0.2, 0.3, 0.5], "a": np.arange(5.0)})
    (series,) = series_of(frame, time="t")
    assert np.array_equal(series.values[:, 0], [0, 1, 2, 3, NAN, 4], equal_nan=True)
    assert series.index.to_numpy() == pytest.approx(np.arange(6) / 10)
    (series,) = series_of(pd.DataFrame({"t": [30, 10, 20], "a": [3.0, 1, 2]}), time="t")
    assert series.index.equals(pd.RangeIndex(10, 40, 10))
    assert series.values[:, 0].tolist() == [1, 2, 3]


def test_rows_as_time():
    first, second = series_of(pd.DataFrame({"id": list("aba"), "a": [1.0, 2, 3]}), entity="id")
    assert first.values[:, 0].tolist() == [1, 3]
    assert second.index.equals(pd.RangeIndex(1))


def test_the_mean_of_duplicates():
    frame = pd.DataFrame({"date": pd.to_datetime(["2021-01-01", "2021-01-01", "2021-01-02"]), "a": [1.0, 3, 4], "b": [NAN, 2, 3]})
    panel = to_panel(frame, ReadOptions(aggregate="mean"))
    assert panel.series[0].values.tolist() == [[2, 2], [4, 3]]
    out = panel.fill([series.values for series in panel.series])
    pd.testing.assert_frame_equal(out, frame.fillna(2.0))


NEXT = {
    "months": (pd.date_range("2021-01-31", periods=4, freq="ME"), ["2021-05-31", "2021-06-30"]),
    "last weekdays of months": (pd.date_range("2024-03-01", periods=5, freq="BME"), ["2024-08-30", "2024-09-30"]),
    "last weekdays of quarters": (pd.date_range("2024-03-01", periods=5, freq="BQE"), ["2025-06-30", "2025-09-30"]),
    "first weekdays of months": (pd.date_range("2024-03-01", periods=5, freq="BMS"), ["2024-08-01", "2024-09-02"]),
    "first weekdays, of which one row is left out": (
        pd.date_range("2024-03-01", periods=6, freq="BMS").delete(2),
        ["2024-09-02", "2024-10-01"],
    ),
    "the 15th and the end": (pd.date_range("2024-01-15", periods=5, freq="SME"), ["2024-03-31", "2024-04-15"]),
    "the 1st and the 15th": (pd.date_range("2024-01-01", periods=5, freq="SMS"), ["2024-03-15", "2024-04-01"]),
    "periods": (pd.period_range("2021-01", periods=4, freq="M"), ["2021-05", "2021-06"]),
    "days over the change of clocks": (
        pd.date_range("2021-03-24", periods=4, freq="D", tz="Europe/Rome"),
        ["2021-03-28T00:00:00+01:00", "2021-03-29T00:00:00+02:00"],
    ),
    "hours over the change of clocks": (
        pd.date_range("2021-03-27 22:00", periods=4, freq="h", tz="Europe/Rome"),
        ["2021-03-28T03:00:00+02:00", "2021-03-28T04:00:00+02:00"],
    ),
    "business days": (pd.date_range("2021-03-15", periods=10, freq="B"), ["2021-03-29", "2021-03-30"]),
    "quarters with a gap": (pd.date_range("2021-01-01", periods=6, freq="QS").delete(3), ["2022-07-01", "2022-10-01"]),
    "one stamp": (pd.DatetimeIndex(["2021-03-15"]), ["2021-03-16", "2021-03-17"]),
}


@pytest.mark.parametrize(("index", "expected"), NEXT.values(), ids=NEXT)
def test_stamps_go_on(index, expected):
    frame = pd.DataFrame({"a": np.arange(len(index)), "c": ["x"] * len(index)}, index=index.rename("when"))
    later = extend(to_panel(frame, ReadOptions()), 2)
    out = later.fill([np.where(np.isnan(series.values), 7, series.values) for series in later.series])
    pd.testing.assert_frame_equal(out.iloc[:-2], frame, check_freq=False)
    assert list(out.index[-2:]) == list(type(index)(expected, dtype=index.dtype))
    assert out.index.dtype == index.dtype
    assert out["a"].tolist()[-2:] == [7, 7]
    assert out["c"].tolist()[-2:] == ["x", "x"]


def test_every_entity_goes_on_from_its_own_end():
    stamps = pd.to_datetime(["2021-01-02", "2021-01-05", "2021-01-01", "2021-01-04"])
    frame = pd.DataFrame({"who": list("abab"), "when": stamps, "a": [1.0, 2, 3, 4], "fixed": [5, 6, 5, 6]})
    later = extend(to_panel(frame, ReadOptions(entity="who", columns=("a",))), 2)
    out = later.fill([np.full_like(series.values, 9) for series in later.series])
    assert out["who"].tolist()[4:] == ["a", "a", "b", "b"]
    assert [stamp.day for stamp in out["when"][4:]] == [3, 4, 6, 7]
    assert out["a"].tolist() == [1, 2, 3, 4, 9, 9, 9, 9]
    assert [len(series.values) for series in later.series] == [4, 4]
    assert np.isnan(later.series[0].values[2:]).all()


def test_the_long_form_goes_on_in_every_variable():
    stamps = pd.to_datetime(["2021-01-01", "2021-01-02", "2021-01-01"])
    frame = pd.DataFrame({"when": stamps, "variable": list("xxy"), "value": [1.0, 2, 3]})
    later = extend(to_panel(frame, ReadOptions()), 1)
    out = later.fill([np.arange(6.0).reshape(3, 2)])
    assert out.iloc[3:]["variable"].tolist() == ["x", "y"]
    assert out.iloc[3:]["value"].tolist() == [4, 5]
    assert set(out.iloc[3:]["when"]) == {pd.Timestamp("2021-01-03")}


def test_no_steps_are_no_future():
    with pytest.raises(UsageError, match="steps=0"):
        extend(to_panel(pd.DataFrame({"a": [1.0]}), ReadOptions()), 0)


@pytest.mark.parametrize(
    ("zone", "given", "message"),
    [
        (None, "UTC", "future: its stamps have a time zone, those of the table have none; convert them"),
        ("Europe/Rome", None, "future: its stamps have no time zone, those of the table have Europe/Rome; convert them"),
    ],
)
def test_rows_ahead_in_another_kind_of_stamps_are_refused(zone, given, message):
    stamps = pd.date_range("2021-01-01", periods=9, freq="h")
    frame = pd.DataFrame({"when": stamps[:6].tz_localize(zone), "a": np.arange(6.0), "b": 1.0})
    ahead = pd.DataFrame({"when": stamps[6:].tz_localize(given), "b": 2.0})
    with pytest.raises(UsageError, match=message):
        extend(to_panel(frame, ReadOptions()), 3, ahead)


def test_a_sentinel_is_named_once():
    rng = np.random.default_rng(0)
    values = np.where(rng.random(400) < 0.9, -200, rng.gamma(2, 100, 400).round())
    rain = np.where(rng.random(400) < 0.8, 0, rng.gamma(2, 3, 400))
    frame = pd.DataFrame({"NMHC(GT)": values, "rain": rain, "noise": rng.normal(size=400), "sign": rng.integers(-1, 2, 400)})
    with pytest.warns(UserWarning, match=r"NMHC\(GT\): 88% of its values are -200, far below.*missing_values=\[-200\]") as caught:
        to_panel(frame, ReadOptions())
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        to_panel(frame, ReadOptions(missing_values=(-200,)))
        to_panel(frame.drop(columns="NMHC(GT)"), ReadOptions())


@pytest.mark.parametrize("dtype", ["int8", "Int8", "uint8", "int8[pyarrow]"])
def test_times_beyond_the_type_of_their_column_are_refused(dtype):
    most = 255 if dtype == "uint8" else 127
    frame = pd.DataFrame({"a": [0.0, 1.0], "time": pd.array([most - 2, most - 1], dtype=dtype)})
    panel = to_panel(frame, ReadOptions())
    assert list(extend(panel, 1).frame["time"].astype("int64")) == [most - 2, most - 1, most]
    with pytest.raises(UsageError, match=rf"'time': the next times reach {most + 1}, u?[Ii]nt8.* holds {most} at most"):
        extend(panel, 2)

"""Stamps in the calendars and clocks that people write: 24:00, weeks, quarters, am and pm, names of zones; and what is said of dates."""

import numpy as np
import pandas as pd
import pytest

from vaehub import UsageError
from vaehub_timeseries.frames import ReadOptions, extend, to_panel

HOURS = pd.date_range("2024-01-01 01:00", periods=50, freq="h")
NIGHT = pd.date_range("2024-10-26 20:00", periods=12, freq="h", tz="Europe/Berlin")
WEEKS = pd.date_range("2020-12-07", periods=60, freq="W-MON")
QUARTERS = pd.date_range("2019-01-01", periods=14, freq="QS")
CASES = {
    "the end of a day": (
        [f"{t - pd.Timedelta(days=1):%d.%m.%Y} 24:00" if t.hour == 0 else f"{t:%d.%m.%Y %H:%M}" for t in HOURS],
        HOURS,
    ),
    "weeks": ([f"{t:%G-W%V}" for t in WEEKS], WEEKS),
    "days of weeks": ([f"{t:%GW%V%u}" for t in WEEKS], WEEKS),
    "quarters": ([f"{t.year}Q{t.quarter}" for t in QUARTERS], QUARTERS),
    "quarters with a hyphen": ([f"{t.year}-Q{t.quarter}" for t in QUARTERS], QUARTERS),
    "quarters first": ([f"Q{t.quarter} {t.year}" for t in QUARTERS], QUARTERS),
    "UTC": ([f"{t:%Y-%m-%d %H:%M} UTC" for t in HOURS], HOURS),
    "CET all year": ([f"{t:%Y-%m-%d %H:%M} CET" for t in HOURS], HOURS),
    "CET and CEST": ([f"{t:%Y-%m-%d %H:%M %Z}" for t in NIGHT], NIGHT),
    "am and pm": ([f"{t:%m/%d/%Y %I:%M %p}" for t in HOURS], HOURS),
    "am and pm without a space": ([f"{t:%m/%d/%Y %I:%M%p}" for t in HOURS], HOURS),
}


@pytest.mark.filterwarnings("ignore:.*is read as:UserWarning")
@pytest.mark.parametrize(("text", "stamps"), CASES.values(), ids=CASES)
def test_a_calendar_is_read_and_goes_on_as_it_is_written(text, stamps):
    frame = pd.DataFrame({"when": text, "a": np.arange(len(text), dtype=float)})
    known = len(text) - 2
    panel = to_panel(frame[:known], ReadOptions())
    (series,) = panel.series
    assert np.array_equal(series.values[:, 0], np.arange(known))
    found = panel.rows.stamps.local(panel.rows.stamps.at)
    if stamps.tz is not None:
        assert list(found) == list(stamps[:known])
    else:
        assert list(found.tz_localize(None)) == list(stamps[:known])
    assert extend(panel, 2).frame["when"].tolist()[-2:] == text[-2:]


def test_the_day_comes_first_where_it_is_said_so():
    frame = pd.DataFrame({"when": pd.date_range("2021-01-01", periods=12).strftime("%d/%m/%Y"), "a": 1.0})
    for dayfirst, last in ((True, "2021-01-12"), (False, "2021-12-01")):
        panel = to_panel(frame, ReadOptions(dayfirst=dayfirst))
        assert panel.rows.stamps.local(panel.rows.stamps.at)[-1] == pd.Timestamp(last)
    with pytest.warns(
        UserWarning, match=r"'02/01/2021' is read as 2021-01-02; if it is 2021-02-01, give dayfirst=False \(--no-dayfirst"
    ):
        to_panel(frame, ReadOptions())


def test_a_pattern_that_is_given_is_the_only_one():
    stamps = pd.date_range("2021-01-05", periods=5)
    frame = pd.DataFrame({"when": stamps.strftime("%y|%d|%m"), "a": [1.0, 2, np.nan, 4, 5]})
    panel = to_panel(frame, ReadOptions(date_format="%y|%d|%m"))
    assert list(panel.series[0].index) == list(stamps)
    assert extend(panel, 1).frame["when"].iloc[-1] == "21|10|01"
    frame.loc[3, "when"] = "21-08-01"
    with pytest.raises(UsageError, match=r"row 3: column 'when': '21-08-01' is no stamp in the format %y\|%d\|%m; mend it"):
        to_panel(frame, ReadOptions(time="when", date_format="%y|%d|%m"))


@pytest.mark.parametrize("step", ["h", "15min"])
def test_the_hour_that_comes_twice_in_autumn_is_told_apart_by_the_order_of_rows(step):
    night = pd.date_range("2024-10-26 20:00", "2024-10-27 08:00", freq=step, tz="Europe/Berlin")
    frame = pd.DataFrame({"when": night.tz_localize(None), "a": np.arange(float(len(night)))})
    with pytest.warns(
        UserWarning, match=r"2024-10-27 02:00 is there twice, as when clocks go back: the first .* summer"
    ) as notes:
        panel = to_panel(frame, ReadOptions())
    assert len(notes) == 1
    assert list(panel.series[0].index) == list(night.tz_convert("UTC"))
    assert panel.series[0].values[:, 0].tolist() == frame["a"].tolist()
    assert panel.fill([panel.series[0].values]).equals(frame)
    with pytest.warns(UserWarning, match="is there twice"):
        ahead = extend(panel, 1).frame["when"]
    assert ahead.iloc[-1] == frame["when"].iloc[-1] + pd.tseries.frequencies.to_offset(step)


def test_an_hour_that_comes_twice_in_every_series_is_told_apart_in_each():
    night = pd.date_range("2024-11-02 23:00", periods=6, freq="h", tz="America/New_York").tz_localize(None)
    wide = pd.DataFrame({"when": night.append(night), "who": ["a"] * 6 + ["b"] * 6, "x": np.arange(12.0)})
    with pytest.warns(UserWarning, match="2024-11-03 01:00 is there twice"):
        panel = to_panel(wide, ReadOptions(entity="who"))
    assert [series.values[:, 0].tolist() for series in panel.series] == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]


def test_rows_out_of_order_do_not_say_which_of_two_hours_is_which():
    frame = pd.DataFrame({"when": NIGHT.tz_localize(None), "a": np.arange(12.0)}).iloc[::-1]
    with pytest.raises(
        UsageError, match=r"several readings at 2024-10-27 02:00:00 .*a change of clocks\? give stamps with a zone"
    ):
        to_panel(frame, ReadOptions())
    frame["when"] = pd.DatetimeIndex(frame["when"]).tz_localize("Europe/Berlin", ambiguous="infer")
    assert len(to_panel(frame, ReadOptions()).series[0].values) == 12
    twice = pd.DataFrame({"when": pd.to_datetime(["2024-05-01", "2024-05-01"]), "a": [1.0, 2]})
    with pytest.raises(UsageError, match=r"\(1 rows too many in all\); drop them, name the entity= \(--entity\)"):
        to_panel(twice, ReadOptions())

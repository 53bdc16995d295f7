"""Rows that were left out are put in: on the calendar and the wall clock, for every series, in the order of the frame."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from vaehub.errors import UsageError
from vaehub_timeseries import Imputer
from vaehub_timeseries.frames import ReadOptions, Schema, extend, to_panel, to_panel_as

BERLIN = "Europe/Berlin"


def regular(frame, freq, **reading):
    return to_panel(frame, ReadOptions(freq=freq, **reading)).frame


@pytest.mark.parametrize(("day", "hours"), [("2024-03-31", 23), ("2024-10-27", 25)])
def test_hours_when_the_clocks_change(day, hours):
    stamps = pd.date_range(day, periods=hours + 24, freq="h", tz=BERLIN)
    assert (stamps.normalize() == stamps[0]).sum() == hours
    frame = pd.DataFrame({"a": np.arange(len(stamps), dtype=float)}, index=stamps)
    out = Imputer(window=6, freq="h").fit_transform(frame.drop(stamps[[1, 2, 3, 30]]))
    assert out.index.equals(stamps)
    assert np.isfinite(out["a"]).all()
    kept = np.setdiff1d(np.arange(len(stamps)), [1, 2, 3, 30])
    assert out["a"].iloc[kept].tolist() == frame["a"].iloc[kept].tolist()


@pytest.mark.parametrize("month", ["2024-03", "2024-10"])
def test_days_are_midnights_of_the_wall_clock(month):
    days = pd.date_range(f"{month}-20", periods=20, freq="D", tz=BERLIN)
    frame = pd.DataFrame({"a": np.arange(20.0)}, index=days)
    assert regular(frame.drop(days[[4, 11, 12]]), "D").index.equals(days)


CALENDARS = [
    ("MS", pd.date_range("2020-01-01", periods=30, freq="MS")),
    ("ME", pd.date_range("2020-01-31", periods=30, freq="ME", tz=BERLIN)),
    ("QS", pd.date_range("2010-01-01", periods=30, freq="QS")),
    ("B", pd.bdate_range("2024-01-01", periods=30)),
    ("W-MON", pd.date_range("2024-01-01", periods=30, freq="W-MON")),
    ("15min", pd.date_range("2024-01-01 00:07", periods=30, freq="15min")),
    ("M", pd.period_range("2020-01", periods=30, freq="M")),
    ("h", pd.period_range("2024-01-01 00:00", periods=30, freq="h")),
    ("30min", pd.timedelta_range("0h", periods=30, freq="30min")),
    ("5", pd.Index(np.arange(0, 150, 5), name="t")),
]


@pytest.mark.parametrize(("freq", "stamps"), CALENDARS, ids=[freq for freq, _ in CALENDARS])
def test_calendars(freq, stamps):
    frame = pd.DataFrame({"t": stamps, "a": np.arange(30.0)})
    out = regular(frame.drop([5, 6, 20]), freq, time="t")
    assert out["t"].tolist() == frame["t"].tolist()
    assert out["t"].dtype == frame["t"].dtype
    assert out["a"].isna().to_numpy().nonzero()[0].tolist() == [5, 6, 20]
    assert out.index.equals(pd.RangeIndex(30))
    whole = to_panel(frame, ReadOptions(time="t"))
    assert to_panel(frame.drop([5, 6, 20]), ReadOptions(time="t", freq=freq)).schema.step == pytest.approx(
        whole.schema.step, rel=0.02
    )


def test_text_is_written_as_it_was():
    text = pd.date_range("2024-01-30", periods=30, freq="D").strftime("%d.%m.%Y")
    frame = pd.DataFrame({"day": text, "a": np.arange(30.0)})
    assert regular(frame.drop([1, 2]), "D")["day"].tolist() == text.tolist()


@pytest.mark.parametrize("text", ["2024-03-{:02}T05:00Z", "2024-03-{:02} 22:00:00+01:00", "2024-03-{:02}T22:00:00.250000-0330"])
def test_offsets_are_written_as_they_were(text):
    days = [text.format(day) for day in range(1, 31)]
    frame = pd.DataFrame({"t": days, "a": np.arange(30.0)})
    assert regular(frame.drop([4, 20, 21]), "24h")["t"].tolist() == days


def panel_of(order):
    """Two sites whose rows 3, 4 and 5 are gone, in an order."""
    hours = pd.date_range("2024-01-01", periods=6, freq="h")
    table = pd.DataFrame(
        {"t": np.repeat(hours, 2), "who": ["x", "y"] * 6, "a": np.arange(12.0), "n": range(12), "place": ["p", "q"] * 6}
    )
    whole = table.sort_values(order, kind="stable")
    return whole, whole.drop([3, 4, 5])


@pytest.mark.parametrize("order", [["who", "t"], ["t", "who"]], ids=str)
@pytest.mark.parametrize("backwards", [False, True])
def test_new_rows_stand_where_they_belong(order, backwards):
    whole, rest = panel_of(order)
    whole, rest = (whole[::-1], rest[::-1]) if backwards else (whole, rest)
    out = regular(rest, "h", entity="who", columns=["a", "n"])
    assert set(zip(out["t"], out["who"], strict=True)) == set(zip(whole["t"], whole["who"], strict=True))
    kept = out[out["a"].notna()]
    assert kept["a"].tolist() == rest["a"].tolist()
    times = out.groupby("who", sort=False)["t"]
    assert all((part.is_monotonic_decreasing if backwards else part.is_monotonic_increasing) for _, part in times)
    assert (out["place"] == np.where(out["who"] == "x", "p", "q")).all()


@pytest.mark.parametrize("seed", range(10))
def test_random_tables_in_any_order(seed):
    """Nothing that was there changes or moves past another row; what is new completes each series."""
    rng = np.random.default_rng(seed)
    hours = pd.date_range("2024-03-30", periods=40, freq="h", tz=BERLIN)
    table = pd.DataFrame({"t": np.tile(hours, 3), "who": np.repeat(["x", "y", "z"], 40), "n": rng.integers(0, 99, 120)})
    rest = table.sample(n=70, random_state=seed).reset_index(drop=True)
    panel = to_panel(rest, ReadOptions(freq="h", entity="who"))
    pd.testing.assert_frame_equal(panel.frame[~panel.added].reset_index(drop=True), rest)
    ends = rest.groupby("who")["t"].agg(["min", "max"])
    wanted = {(who, t) for who, (first, last) in ends.iterrows() for t in pd.date_range(first, last, freq="h")}
    assert len(panel.frame) == len(wanted)
    assert set(zip(panel.frame["who"], panel.frame["t"], strict=True)) == wanted


def test_two_columns_of_date_and_time():
    frame = pd.DataFrame(
        {"date": ["13/03/2024"] * 2 + ["14/03/2024"] * 2, "clock": ["22:00", "23:00", "01:00", "02:00"], "a": range(4)}
    )
    out = regular(frame, "h")
    assert out["date"].tolist() == ["13/03/2024"] * 2 + ["14/03/2024"] * 3
    assert out["clock"].tolist() == ["22:00", "23:00", "00:00", "01:00", "02:00"]


def test_readings_that_are_averaged():
    hours = pd.to_datetime(["2024-01-01 00:00", "2024-01-01 00:00", "2024-01-01 01:00", "2024-01-01 04:00"])
    frame = pd.DataFrame({"t": hours, "a": [1.0, 2, 3, 4]})
    assert regular(frame, "h", aggregate="mean")["a"].fillna(-1).tolist() == [1, 2, 3, -1, -1, 4]


def test_levels_of_the_index():
    _, rest = panel_of(["t", "who"])
    out = regular(rest.set_index(["who", "t"]), "h", columns=["a", "n"])
    assert out.index.names == ["who", "t"]
    assert out.index.is_unique
    assert len(out) == 12


def test_the_long_form_gets_rows_for_each_variable():
    whole, _ = panel_of(["t", "who"])
    long = whole.rename(columns={"n": "m"}).melt(["t", "who"], ["a", "m"])
    rest = long.drop([0, 4, 5, 13]).reset_index(drop=True)  # one of them the first of its variable
    out = Imputer(window=3, freq="h", entity="who").fit_transform(rest)
    keys = ["t", "who", "variable"]
    pairs = [{*map(tuple, frame[keys].to_numpy())} for frame in (out, long)]
    assert pairs[0] == pairs[1]
    assert len(out) == len(long)
    assert np.isfinite(out["value"]).all()


def test_new_rows_of_whole_numbers_are_filled_or_become_nullable():
    t = np.arange(100)
    frame = pd.DataFrame({"a": np.sin(t / 5), "n": np.round(10 * np.cos(t / 5)).astype("int32"), "on": np.sin(t / 5) > 0})
    frame.index = pd.date_range("2024-01-01", periods=100, freq="h")
    rest = frame.drop(frame.index[[30, 50, 51, 52]])
    filled = Imputer(window=6, freq="h").fit_transform(rest)
    assert filled.dtypes.equals(frame.dtypes)
    assert abs(int(filled["n"].iloc[51]) - int(frame["n"].iloc[51])) <= 3
    assert filled.index.equals(frame.index)
    limited = Imputer(window=6, freq="h", max_gap=2).fit_transform(rest)
    assert limited.dtypes.astype(str).to_dict() == {"a": "float64", "n": "Int32", "on": "boolean"}
    assert limited.isna().all(axis=1).to_numpy().nonzero()[0].tolist() == [50, 51, 52]
    assert limited["n"].drop(limited.index[[30, 50, 51, 52]]).astype("int32").equals(rest["n"])


def test_everything_else_has_the_new_rows():
    hours = pd.date_range("2024-01-01", periods=60, freq="h")
    frame = pd.DataFrame({"a": np.sin(np.arange(60.0)), "n": np.arange(60)}, index=hours)
    rest = frame.drop(hours[[20, 21]])
    imputer = Imputer(window=6, freq="h").fit(rest)
    assert imputer.flags(rest)["n"]["flag"].iloc[[19, 20, 21]].tolist() == ["observed", "estimated", "estimated"]
    assert imputer.quantiles(rest, [0.5]).index.equals(hours)
    assert imputer.score_anomalies(rest)["n"].isna().to_numpy().nonzero()[0].tolist() == [20, 21]
    assert imputer.forecast(rest, 2).index.tolist() == list(pd.date_range(hours[-1], periods=3, freq="h")[1:])
    assert imputer.transform(frame).equals(frame)


def test_a_schema_keeps_the_frequency():
    hours = pd.date_range("2024-01-01", periods=10, freq="h")
    frame = pd.DataFrame({"a": np.arange(10.0)}, index=hours).drop(hours[4])
    panel = to_panel(frame, ReadOptions(freq="h"))
    again = to_panel_as(frame, Schema.from_json(panel.schema.to_json()))
    assert again.frame.index.equals(hours)
    assert extend(again, 1).added.nonzero()[0].tolist() == [4, 10]


HOURS = pd.date_range("2024-01-01", periods=6, freq="h")


@pytest.mark.parametrize(
    ("frame", "freq", "said"),
    [
        (
            pd.DataFrame({"a": [1.0, 2]}),
            "h",
            r"freq='h': the rows have no stamps to put others between; name the column .* \(--time\)",
        ),
        (
            pd.DataFrame({"a": range(6)}, index=HOURS),
            "hourly",
            r"freq='hourly': give a frequency of pandas such as 'h', .* \(--freq=h\)",
        ),
        (pd.DataFrame({"a": range(6)}, index=HOURS), "-1h", "freq='-1h': give a frequency"),
        (pd.DataFrame({"a": range(6)}, index=HOURS), "2h", r"row 1 \(2024-01-01 01:00:00\): .* is not on the grid of freq='2h'"),
        (
            pd.DataFrame({"a": range(6)}, index=HOURS),
            "ns",
            "freq='ns': the table would have up to 18,000,000,000,000 cells, more than",
        ),
        (pd.DataFrame({"a": range(6)}, index=HOURS), 5, "freq: should be a frequency of pandas"),
        (pd.DataFrame({"a": range(3)}, index=HOURS[[0, 0, 2]]), "h", "row 0 .*, row 1 .*: several readings"),
        (
            pd.DataFrame({"a": range(6)}, index=pd.period_range("2024-01", periods=6, freq="M")),
            "MS",
            r"freq='MS': the time is in periods of 'M'; give that \(--freq=M\)",
        ),
    ],
)
def test_what_has_no_regular_grid_is_refused(frame, freq, said):
    with pytest.raises(UsageError, match=said):
        to_panel(frame, ReadOptions(freq=freq))

"""Rhythm and trend from outside: gaps of a week, trends that go on, rows ahead that are given, and tests from earlier origins."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from vaehub import UsageError
from vaehub_timeseries import Imputer
from vaehub_timeseries.impute import rivals
from vaehub_timeseries.impute.ends import distance_to_observed, end_pattern
from vaehub_timeseries.model.periods import found_periods
from vaehub_timeseries.model.trend import Trend, curve

WEEK = 168


def hourly(values):
    """A frame of one column."""
    return pd.DataFrame({"y": values}, index=pd.date_range("2024-01-01", periods=len(values), freq="h", name="time"))


@pytest.fixture(scope="module")
def rising():
    """y = 5t + N(0, 1), 200 rows."""
    return pd.DataFrame({"y": 5 * np.arange(200.0) + np.random.default_rng(0).normal(size=200)})


@pytest.fixture(scope="module")
def windy():
    """A column that follows another, a week ahead."""
    rng = np.random.default_rng(0)
    wind = np.convolve(rng.normal(size=440), np.ones(20) / 4, "valid")[:400]
    frame = hourly(2 * wind + rng.normal(size=400) * 0.1).assign(wind=wind)
    return frame, Imputer(window=12).fit(frame[:376])


def test_a_trend_is_continued_and_the_interval_holds_it(rising):
    imputer = Imputer().fit(rising)
    steps, truth = [0, 9, 19, 39], np.array([1000.0, 1045, 1095, 1195])
    assert imputer.forecast(rising, 40)["y"].to_numpy()[steps] == pytest.approx(truth, abs=2.0)
    low, high = imputer.forecast(rising, 40, [0.05, 0.95]).to_numpy()[steps].T
    assert ((low <= truth) & (truth <= high)).all()
    assert (high - low < 10).all()
    assert imputer.trends_ == ["y"]
    assert imputer.seasons_ == ()


def test_gaps_at_both_ends_continue_the_trend(rising):
    holed = rising.copy()
    holed.loc[:19, "y"] = holed.loc[180:, "y"] = np.nan
    filled = Imputer().fit_transform(holed)["y"].to_numpy()
    assert filled[180:] == pytest.approx(5 * np.arange(180.0, 200), abs=3.0)
    assert filled[:20] == pytest.approx(5 * np.arange(20.0), abs=3.0)


def test_a_walk_has_no_trend():
    walk = np.random.default_rng(0).normal(size=(400, 5)).cumsum(0)
    assert not Trend.fit([walk], 1.0).span.any()


def test_a_curve_goes_through_a_slow_bend_and_on_as_a_line():
    t = np.arange(1000.0)
    x = np.append(np.sin(t / 300) + np.random.default_rng(0).normal(size=1000) * 0.1, np.full(100, np.nan))
    smooth = curve(x, 0.25)
    assert np.abs(smooth[100:900] - np.sin(t[100:900] / 300)).max() < 0.1
    assert np.diff(smooth[1010:], 2) == pytest.approx(0, abs=1e-9)


def test_day_and_drift_are_forecast_together():
    rng, t = np.random.default_rng(0), np.arange(600)
    y = 0.05 * t + 3 * np.sin(2 * np.pi * t / 24) + rng.normal(size=600) * 0.3
    imputer = Imputer().fit(hourly(y[:552]))
    assert imputer.seasons_ == (24.0,)
    assert imputer.trends_ == ["y"]
    assert np.abs(imputer.forecast(hourly(y[:552]), 48)["y"].to_numpy() - y[552:]).mean() < 0.3


@pytest.mark.parametrize("seed", range(3))
def test_a_gap_of_a_week_is_filled_better_than_by_the_week_before(seed):
    rng, t = np.random.default_rng(seed), np.arange(WEEK * 8)
    y = 20 * np.sin(2 * np.pi * t / 24) + 40 * ((t // 24 % 7 < 5) & (t % 24 > 7) & (t % 24 < 19)) + rng.normal(size=len(t)) * 3
    frame, gap = hourly(y), slice(4 * WEEK, 5 * WEEK)
    frame.iloc[gap, 0] = np.nan
    imputer = Imputer().fit(frame)
    error = np.abs(imputer.transform(frame)["y"].to_numpy() - y)[gap].mean()
    assert imputer.seasons_ == (24.0, 168.0)
    assert error < np.abs(y[gap] - y[3 * WEEK : 4 * WEEK]).mean()
    errors = imputer.errors_.loc["y"]
    assert errors["imputer"] < 1.1 * errors["seasonal_mean"] < errors["seasonal_naive"] < errors["linear"]


def test_the_rhythm_is_saved_and_can_be_given_or_switched_off(tmp_path):
    t = np.arange(400)
    frame = hourly(np.sin(2 * np.pi * t / 20) + np.random.default_rng(0).normal(size=400) * 0.3)
    frame.iloc[200:215] = np.nan
    imputer = Imputer(season=[20, "40h"]).fit(frame)
    imputer.save(tmp_path / "model")
    again = Imputer.load(tmp_path / "model")
    assert again.transform(frame).equals(imputer.transform(frame))
    assert again.seasons_ == imputer.seasons_
    assert 20.0 in again.seasons_
    pd.testing.assert_frame_equal(again.errors_, imputer.errors_)
    off = Imputer(season=False).fit(frame)
    assert off.seasons_ == ()
    assert off.errors_["seasonal_naive"].isna().all()


def test_with_causal_no_rhythm_comes_from_later_cells():
    t = np.arange(600)
    frame = hourly(np.sin(2 * np.pi * t / 24) + np.random.default_rng(0).normal(size=600) * 0.2)
    frame.iloc[300:360] = np.nan
    imputer = Imputer(causal=True).fit(frame)
    changed = frame.copy()
    changed.iloc[400:] += 50
    filled = imputer.transform(frame)["y"].to_numpy()
    assert np.array_equal(filled[:400], imputer.transform(changed)["y"].to_numpy()[:400])
    assert np.abs(filled[300:360] - np.sin(2 * np.pi * t[300:360] / 24)).mean() < 0.2


def test_a_trend_goes_on_before_the_beginning_as_after_the_end():
    y = -3 * np.arange(200.0) + np.random.default_rng(0).normal(size=200)
    frame = pd.DataFrame({"y": y})
    frame.iloc[:15] = np.nan
    filled = Imputer().fit_transform(frame)["y"]
    assert np.abs(filled[:15] + 3 * np.arange(15)).max() < 4  # a level would be off by 45


def test_distances_and_patterns_of_ends():
    x = np.array([[np.nan, 1], [1, 1], [np.nan, 1], [1, 1], [np.nan, 1], [np.nan, 1]])
    assert distance_to_observed(np.isnan(x))[:, 0].tolist() == [1, 0, 0, 0, 1, 2]
    assert end_pattern([x]).tolist() == [[True, False], [True, False]]


def test_columns_given_ahead_are_used_and_come_back(windy):
    frame, imputer = windy
    past, ahead = frame[:376], frame[376:]
    blind, seeing = imputer.forecast(past, 24), imputer.forecast(past, 24, future=ahead[["wind"]])
    error = [float((table["y"] - ahead["y"]).abs().mean()) for table in (blind, seeing)]
    assert error[1] < 0.2 < error[0]
    assert seeing["wind"].equals(ahead["wind"])


@pytest.mark.parametrize(
    ("ahead", "message"),
    [
        (lambda frame: frame.iloc[[376, 377, 376]], "this row ahead is given twice; drop one"),
        (lambda frame: frame[370:380], "none of the rows ahead; these begin with row 376"),
        (lambda frame: frame[376:].assign(rain=1.0), "'rain' was not there"),
        (lambda frame: frame[376:].assign(wind="calm"), "'wind' is"),
        (lambda frame: "wind.csv", "a pandas DataFrame"),
    ],
)
def test_rows_ahead_that_do_not_fit_are_refused(windy, ahead, message):
    frame, imputer = windy
    with pytest.raises(UsageError, match=message):
        imputer.forecast(frame[:376], 24, future=ahead(frame))


@pytest.mark.parametrize("ets", [True, False])
def test_a_backtest_fits_before_every_origin_and_has_the_rivals_that_can_be_had(windy, ets, monkeypatch):
    if not ets:
        monkeypatch.setattr(rivals, "find_spec", lambda name: None)
    else:
        pytest.importorskip("statsmodels")
    seen = []
    fit = Imputer.fit
    monkeypatch.setattr(Imputer, "fit", lambda self, X, y=None: (seen.append(len(X)), fit(self, X))[1])
    frame = windy[0][:120]
    scores = Imputer(window=6).backtest(frame, 10, origins=2)
    assert seen == [82, 110]
    methods = ["imputer", "seasonal_naive", "drift", *(["ets"] if ets else [])]
    assert scores.loc["y"].index.tolist() == methods
    assert scores["cells"].eq(20).all()
    assert scores.loc[("y", "imputer"), "coverage"] > 0.5
    assert scores.loc[("y", "imputer"), "crps"] < scores.loc[("y", "imputer"), "mae"]
    naive = [np.abs(frame["y"].iloc[n : n + 10] - frame["y"].iloc[n - 1]).mean() for n in seen]
    assert scores.loc[("y", "seasonal_naive"), "mae"] == pytest.approx(np.mean(naive))


def test_a_table_too_short_for_a_backtest_is_refused(windy):
    with pytest.raises(UsageError, match="no series has more than 20 rows"):
        Imputer().backtest(windy[0][:20], 18)


def beneath_a_level(rhythm, seed):
    """A rhythm (T,) and a slow level of unit variance."""
    rng, level = np.random.default_rng(seed), np.zeros(len(rhythm))
    for t, shock in enumerate(rng.normal(size=len(rhythm))[1:], 1):
        level[t] = 0.95 * level[t - 1] + shock
    return (level / level.std() + rhythm)[:, None]


@pytest.mark.parametrize("seed", range(5))
def test_a_rhythm_beneath_a_slow_level_is_found_by_its_own_period_and_not_by_a_multiple(seed):
    """Its peak stands hardly above the valley before it, and the peaks of its multiples are as high."""
    rhythm = 0.8 * np.sin(2 * np.pi * np.arange(2400) / 24)
    assert found_periods([beneath_a_level(rhythm, seed)], None) == (24.0,)


@pytest.mark.parametrize("seed", range(5))
def test_a_strong_half_period_does_not_hide_the_whole_one(seed):
    phase = 2 * np.pi * np.arange(2400) / 24
    assert 24.0 in found_periods([beneath_a_level(0.8 * np.sin(phase) + 0.8 * np.sin(2 * phase), seed)], None)


@pytest.mark.parametrize("seed", range(3))
def test_a_slow_level_alone_has_no_rhythm(seed):
    assert found_periods([beneath_a_level(np.zeros(2400), seed)], None) == ()


@pytest.mark.parametrize("seed", [0, 1])
def test_few_days_of_many_phases_are_forecast_about_as_well_as_by_their_mean(seed):
    """Eleven days are too few to learn the covariances of 96 phases: by days that it knows already, such an expert looks better than it is."""
    days, phases = 11, 96
    truth = 5 + 3 * np.sin(np.arange(phases) * 2 * np.pi / phases) ** 3
    values = np.tile(truth, days) + np.random.default_rng(seed).normal(0, 0.2, days * phases)
    frame = pd.DataFrame({"y": values}, index=pd.date_range("2024-01-01", periods=len(values), freq="15min"))
    ahead = Imputer().fit(frame).forecast(frame, phases).y.to_numpy()
    assert np.abs(ahead - truth).mean() < 2 * np.abs(values.reshape(days, phases).mean(0) - truth).mean()

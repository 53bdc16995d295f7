"""Scores of cells and events of stretches: the right ones, with the right ends, kinds and words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from vaehub.errors import UsageError
from vaehub_timeseries import Imputer
from vaehub_timeseries.anomalies.detectors import Detection
from vaehub_timeseries.anomalies.ends import Event, kind_of
from vaehub_timeseries.anomalies.events import across_channels, merged
from vaehub_timeseries.anomalies.law import Law
from vaehub_timeseries.anomalies.runs import Runs, run_rarity
from vaehub_timeseries.anomalies.windows import windows_of

STEPS = 1_000


def waves(steps=STEPS, seed=0):
    """Two columns with a rhythm of 24 steps and noise of sd 0.2."""
    rng, t = np.random.default_rng(seed), np.arange(steps)
    values = {"a": 5 + np.sin(2 * np.pi * t / 24), "b": np.cos(2 * np.pi * t / 24)}
    frame = pd.DataFrame(values, index=pd.date_range("2024-01-01", periods=steps, freq="h", name="time"))
    return frame + 0.2 * rng.standard_normal(frame.shape)


@pytest.fixture(scope="module")
def imputer():
    return Imputer(window=24).fit(waves())


def test_neighbours_of_one_deviation_in_a_flat_series_are_not_odd():
    """3,000 zeros with one -5: it alone stands out."""
    frame = pd.DataFrame({"x": np.zeros(3_000)})
    frame.loc[1_500, "x"] = -5
    scores = Imputer().fit(frame).score_anomalies(frame)["x"].to_numpy()
    assert scores.argmax() == 1_500
    assert scores[1_500] > 1_000
    assert scores[[1_497, 1_498, 1_499, 1_501, 1_502, 1_503]].max() < 1


def test_neighbours_of_a_spike_in_a_wave_are_not_odd():
    frame = waves()
    frame.iloc[500, 0] += 20  # a hundred sds of the noise
    scores = Imputer(window=24).fit(frame).score_anomalies(frame)["a"].to_numpy()
    assert scores[500] > 20
    assert np.delete(scores[495:506], 5).max() < 3


def test_a_healthy_table_has_no_event(imputer):
    found = imputer.find_anomalies(waves(seed=7))
    assert found.columns.tolist() == ["columns", "start", "end", "rows", "kind", "strength", "reason"]
    assert len(found) <= 1  # one false event in 1,000 steps is what was asked for


def test_a_stuck_sensor_and_a_shift_are_found_with_their_ends(imputer):
    frame = waves(seed=3)
    frame.iloc[200:240, 0] = frame.iloc[200, 0]
    frame.iloc[600:700, 1] += 3
    found = imputer.find_anomalies(frame).set_index("kind")
    stuck, shift = found.loc["stuck"], found.loc["level shift"]
    assert (stuck["columns"], stuck["start"], stuck["end"], stuck["rows"]) == ("a", frame.index[200], frame.index[239], 40)
    assert stuck["reason"] == f"40 equal readings in a row ({frame.iloc[200, 0]:.4g}) where 1 is usual"
    assert shift["columns"] == "b"
    assert abs((shift["start"] - frame.index[600]) / pd.Timedelta("1h")) <= 6
    assert abs((shift["end"] - frame.index[699]) / pd.Timedelta("1h")) <= 6
    assert shift["strength"] > 3


def test_a_spike_is_one_row_with_what_was_expected(imputer):
    frame = waves(seed=4)
    frame.iloc[333, 1] = -6.0
    found = imputer.find_anomalies(frame)
    spike = found[found["kind"] == "spike"].iloc[0]
    assert (spike["columns"], spike["start"], spike["rows"]) == ("b", frame.index[333], 1)
    assert spike["reason"].startswith("-6 where ")


@pytest.mark.parametrize(("factor", "kind"), [(5.0, "variance up"), (0.02, "variance down")])
def test_noise_that_changes(imputer, factor, kind):
    frame = waves(seed=5)
    clean = np.cos(2 * np.pi * np.arange(STEPS) / 24)
    frame.iloc[400:500, 1] = clean[400:500] + factor * (frame.iloc[400:500, 1] - clean[400:500])
    found = imputer.find_anomalies(frame)
    event = found[found["kind"] == kind].iloc[0]
    assert event["columns"] == "b"
    assert frame.index[385] < event["start"] < frame.index[415]
    assert frame.index[485] < event["end"] < frame.index[515]


def test_a_rhythm_that_stops_is_found_in_its_entity_only():
    frames = [waves(seed=s)[["a"]].assign(site=name).reset_index() for s, name in ((0, "north"), (1, "south"))]
    rng = np.random.default_rng(0)
    frames[1].loc[500:599, "a"] = 5 + 0.2 * rng.standard_normal(100)
    table = pd.concat(frames, ignore_index=True)
    found = Imputer(time="time", entity="site", window=24).fit(table).find_anomalies(table, 1e-4)
    assert found["site"].tolist() == ["south"]
    event = found.iloc[0]
    assert event["kind"] == "change of rhythm"
    assert event["start"] < table.loc[STEPS + 540, "time"] < event["end"]


def test_zeros_of_the_night_are_usual_and_longer_ones_are_not():
    rng, t = np.random.default_rng(0), np.arange(2_400)
    power = np.maximum(0, np.sin(2 * np.pi * t / 24)) * (1 + 0.1 * rng.random(2_400))
    power[np.sin(2 * np.pi * t / 24) <= 1e-9] = 0.0
    runs = Runs.of(power)
    rarity = run_rarity(runs)
    assert rarity.max() < 1
    power[1_000:1_080] = 0.0
    runs = Runs.of(power)
    rarity = run_rarity(runs)
    assert runs.length[rarity.argmax()] >= 80
    assert rarity.max() > 4


def test_ties_of_rounded_readings_are_usual():
    readings = np.round(np.random.default_rng(0).normal(size=3_000))
    assert run_rarity(Runs.of(readings)).max() < 5
    assert Runs.of(np.array([1.0, 1.0, np.nan, 1.0, 2.0])).length.tolist() == [2, 1, 1]


def test_scores_of_the_past_do_not_change_when_rows_are_added():
    frame = waves(400)
    frame.iloc[250, 0] += 9
    frame.iloc[390, 1] -= 9
    imputer = Imputer(window=12, causal=True).fit(waves(400, seed=8))
    before, after = imputer.score_anomalies(frame.iloc[:300]), imputer.score_anomalies(frame)
    pd.testing.assert_frame_equal(before, after.iloc[:300], check_exact=True, check_freq=False)
    assert before["a"].to_numpy().argmax() == 250


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"x": [1.0, 2.0, 3.0, np.nan]}),
        pd.DataFrame({"x": np.full(200, 5.0)}),
        pd.DataFrame({"x": np.sin(np.arange(90.0)), "kind": ["a", "b", "c"] * 30}),
        pd.DataFrame({"x": np.where(np.arange(300) % 7 == 0, 1.0, np.nan)}),
    ],
    ids=["short", "constant", "categories", "gaps"],
)
def test_tables_in_which_nothing_is_odd(frame):
    assert Imputer().fit(frame).find_anomalies(frame).empty


@pytest.mark.filterwarnings("ignore:.*nothing is observed")
def test_columns_without_a_reading_have_no_scores_and_no_events():
    frame = pd.DataFrame({"x": np.sin(np.arange(90.0)), "y": np.nan})
    scores = Imputer().fit(frame).score_anomalies(frame)
    assert scores["y"].isna().all()
    assert scores["x"].notna().all()
    for table in (frame, frame[["y"]]):
        assert Imputer().fit(table).find_anomalies(table).empty


@pytest.mark.parametrize("false_alarms", [0, 1, -0.5, 2.0, float("nan"), "many"])
def test_the_rate_of_false_alarms_is_a_share(imputer, false_alarms):
    with pytest.raises(UsageError, match="false_alarms"):
        imputer.find_anomalies(waves(), false_alarms)


def test_the_law_is_not_moved_by_a_fifth_of_odd_values():
    values = np.random.default_rng(0).normal(size=1_000)
    clean = Law.of(values, np.ones(1_000, bool), 0.1)
    values[:200] += 20
    law = Law.of(values, np.ones(1_000, bool), 0.1)
    assert abs(law.median - clean.median) < 0.5
    assert law.rarity(np.array([20.0]))[0] > 4 > 2 > law.rarity(np.array([2.0]))[0]
    assert Law.of(values[:5], np.ones(5, bool), 0.1) is None


def test_statistics_of_windows():
    z = np.array([9.0, 1.0, 1.0, 1.0, -1.0, -0.5, 0.5, 1.0, 1.0, np.nan, np.nan, np.nan])
    w = windows_of(z, z > 5, 0, 4, 0, 0)
    assert w.start.tolist() == [0, 4]  # the third is not observed
    np.testing.assert_allclose(w.mean, [1.5, 0.0])  # 9 counts as 3
    np.testing.assert_allclose(w.square, [3.0, 0.625])
    np.testing.assert_allclose(w.slope, [-1.2, 1.4])


@pytest.mark.parametrize(
    ("z", "channels", "kind"),
    [
        (np.full(50, 2.0), (0,), "level shift"),
        (np.full(50, 2.0), (0, 1), "collective"),
        (np.linspace(0, 4, 50), (0,), "drift"),
        (2 * np.sin(np.arange(50)), (0,), "change of rhythm"),
        (0.8 * np.sin(np.arange(50)), (0,), "variance up"),
    ],
)
def test_kinds(z, channels, kind):
    event, single = Event(0, channels, 0, 50, "change of rhythm", 5.0), np.full((50, 2), 1.2)
    assert kind_of(event, np.stack([z, z], 1), single) == kind


def test_overlapping_detections_are_one_event():
    found = [
        Detection(0, 0, 100, 148, "level shift", 8.0),
        Detection(0, 0, 124, 172, "change of rhythm", 5.0),
        Detection(0, 0, 160, 300, "drift", 3.1),
        Detection(0, 1, 110, 150, "level shift", 5.0),
        Detection(1, 0, 100, 148, "drift", 4.0),
    ]
    assert merged(found, (0, 1)) == [Event(0, (0, 1), 100, 172, "level shift", 8.0), Event(1, (0,), 100, 148, "drift", 4.0)]
    apart = [Event(0, (0,), 0, 10, "drift", 4.0), Event(0, (1,), 9, 30, "drift", 4.0)]
    assert across_channels(apart) == apart


def test_a_column_that_often_lies_at_a_bound_is_not_odd_there():
    rng = np.random.default_rng(1)
    step = np.arange(1440)
    humidity = np.minimum(100, 80 + 25 * np.sin(step / 30) + 4 * rng.normal(size=1440))
    frame = pd.DataFrame({"humidity": humidity.round(1)})
    assert (frame["humidity"] == 100).mean() > 0.05
    events = Imputer(bounds=(None, 100)).fit(frame).find_anomalies(frame)
    assert not (events["kind"] == "variance down").any()

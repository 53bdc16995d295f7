"""What the report looks at: gaps, numbers and steps in words, frames of any form laid out alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from vaehub_timeseries.frames import ReadOptions, to_panel
from vaehub_timeseries.frames.gap_limits import GapLimits
from vaehub_timeseries.report.dates import three_digits
from vaehub_timeseries.report.gaps import Gap, gaps, worth_showing
from vaehub_timeseries.report.view import WideView, step_in_words


def frame_of(rows=60, columns=3, rate=0.2, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, columns)).cumsum(0)
    values[rng.random(values.shape) < rate] = np.nan
    return pd.DataFrame(
        values, index=pd.date_range("2024-03-01", periods=rows, freq="h"), columns=[f"c{i}" for i in range(columns)]
    )


def test_runs_of_missing_cells():
    assert gaps(np.array([True, False, True, True, False, True])) == [Gap(0, 1), Gap(2, 4), Gap(5, 6)]
    assert gaps(np.zeros(3, bool)) == []
    assert gaps(np.ones(3, bool)) == [Gap(0, 3)]


def test_the_longest_and_a_typical_gap_are_shown_once_and_never_the_whole_series():
    found = [Gap(0, 1), Gap(10, 13), Gap(50, 60)]
    assert worth_showing(found, 100) == {"the longest gap": Gap(50, 60), "a typical gap": Gap(10, 13)}
    assert worth_showing([Gap(4, 5)], 100) == {"the longest gap": Gap(4, 5)}
    assert worth_showing([Gap(0, 90)], 100) == {}
    assert worth_showing([], 100) == {}
    assert Gap(50, 60).surroundings(65) == slice(40, 65)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234.5, "1,234"),
        (0.00012345, "0.000123"),
        (12.345, "12.3"),
        (1e9, "1.00e+09"),
        (0, "0.00"),
        (100, "100"),
        (1, "1.00"),
        (float("nan"), "–"),
    ],
)
def test_numbers(value, text):
    assert three_digits(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(3600, "every hour"), (900, "every 15 minutes"), (604800, "every 7 days"), (0.5, "every 0.5 seconds")]
)
def test_steps_in_words(seconds, text):
    assert step_in_words(seconds) == text


def test_wide_and_long_frames_are_laid_out_alike():
    wide = frame_of(rows=20, columns=2).rename_axis("time").reset_index()
    wide.loc[3, "c0"] = -200.0
    long = wide.melt("time").dropna().sample(frac=1.0, random_state=0)
    views = [WideView(to_panel(frame, ReadOptions(missing_values=(-200,)))) for frame in (wide, long)]
    one, two = (view.observed().sort_index() for view in views)
    pd.testing.assert_frame_equal(one, two[one.columns], check_freq=False, check_names=False)
    assert np.isnan(one["c0"].iloc[3])
    assert [view.step for view in views] == ["every hour"] * 2
    assert views[0].entity is None


def test_entities_stay_apart_in_the_view():
    wide = pd.concat([frame_of(rows=5, columns=1, seed=s).assign(site=s) for s in (7, 8)]).rename_axis("time").reset_index()
    view = WideView(to_panel(wide, ReadOptions(entity="site")))
    assert view.entity.tolist() == ["7"] * 5 + ["8"] * 5
    assert list(view.of(wide)) == ["c0"]


def test_cells_that_are_left_in_the_wide_and_the_long_form():
    wide = frame_of(rows=20, columns=2, rate=0.0).rename_axis("time").reset_index()
    wide.loc[3:8, "c0"], wide.loc[[12], "c1"] = np.nan, np.nan
    long = wide.melt("time")
    for frame in (wide, long):
        view = WideView(to_panel(frame, ReadOptions()).leaving_gaps(GapLimits(2)))
        left = pd.DataFrame(view.left(), columns=view.observed().columns)
        assert left["c0"].to_numpy().nonzero()[0].tolist() == list(range(3, 9))
        assert not left["c1"].any()


def test_rows_that_were_put_in_are_missing():
    wide = frame_of(rows=20, columns=2, rate=0.0).assign(n=1).rename_axis("time").reset_index().drop([4, 5])
    observed = WideView(to_panel(wide, ReadOptions(freq="h"))).observed()
    assert observed["n"].isna().to_numpy().nonzero()[0].tolist() == [4, 5]

"""Errors of linear interpolation are those between the times of readings, not between the steps of a grid."""

import numpy as np
import pandas as pd
import pytest

from vaehub_timeseries import Imputer
from vaehub_timeseries.frames import ReadOptions, to_panel
from vaehub_timeseries.impute.held_out import linear_in_time


def irregular(seed=0, rows=150):
    """A straight line that is read about once an hour: linear interpolation in time has no error."""
    rng = np.random.default_rng(seed)
    minutes = np.arange(rows) * 60.0 + rng.integers(-25, 26, rows)
    stamps = pd.Timestamp("2024-01-01") + pd.to_timedelta(minutes, unit="min")
    return pd.DataFrame({"a": minutes}, index=pd.DatetimeIndex(stamps, name="time"))


def test_lines_lead_from_time_to_time():
    values, times = np.array([[0.0], [np.nan], [10.0], [np.nan]]), np.array([[0.0], [1.4], [2.0], [3.0]])
    assert linear_in_time(values, times, None)[:, 0] == pytest.approx([0, 7, 10, 10])
    assert linear_in_time(np.full((2, 1), np.nan), times[:2], None).tolist() == [[0.0], [0.0]]


def test_the_times_of_readings_are_told_by_the_panel():
    stamps = pd.to_datetime(["2024-01-01 00:00", "2024-01-01 01:00", "2024-01-01 02:24", "2024-01-01 03:36"])
    panel = to_panel(pd.DataFrame({"when": stamps, "a": np.arange(4.0)}), ReadOptions(step="1h"))
    assert panel.reading_times is not None
    assert panel.reading_times[0].tolist() == pytest.approx([0, 1, 2.4, 3, 3.6])
    assert to_panel(pd.DataFrame({"when": stamps[:2], "a": np.arange(2.0)}), ReadOptions()).reading_times is None


def test_the_table_of_errors_judges_linear_interpolation_in_time():
    errors = Imputer(window=4, step="1h").fit(irregular()[["a"]]).errors_.loc["a"]
    assert errors["linear"] < 1e-6
    assert errors["last"] > 1

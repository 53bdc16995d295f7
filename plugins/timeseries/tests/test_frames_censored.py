"""Readings such as <0.5: numbers with a side, which come back as they were written."""

import json

import numpy as np
import pandas as pd
import pytest

from vaehub import UsageError
from vaehub_timeseries import Imputer
from vaehub_timeseries.frames import ReadOptions, Schema, extend, to_panel, to_panel_as

INF = np.inf


def test_a_side_is_a_limit_and_comes_back_as_text():
    frame = pd.DataFrame({"no3": ["1.25", "<0.5", None, "> 10", "2.5"], "x": [1.0, 2, 3, 4, 5]})
    panel = to_panel(frame, ReadOptions())
    (series,), (limits,) = panel.series, panel.censored
    assert np.array_equal(series.values[:, 0], [1.25, np.nan, np.nan, np.nan, 2.5], equal_nan=True)
    assert limits.lower[:, 0].tolist() == [-INF, -INF, -INF, 10, -INF]
    assert limits.upper[:, 0].tolist() == [INF, 0.5, INF, INF, INF]
    assert limits.lower[:, 1].tolist() == [-INF] * 5
    out = panel.fill([np.full((5, 2), 1.23456)])
    assert out["no3"].tolist() == ["1.25", "<0.5", "1.23", "> 10", "2.5"]
    assert panel.schema.dtypes["no3"] == "float64"


def test_decimal_commas_and_signs_of_all_kinds():
    frame = pd.DataFrame({"a": ["1,5", "<=0,25", "≥12,5", None], "b": [1.5, "<1", 2, None]})
    panel = to_panel(frame, ReadOptions())
    (limits,) = panel.censored
    assert limits.upper[1].tolist() == [0.25, 1]
    assert limits.lower[2].tolist() == [12.5, -INF]
    out = panel.fill([np.full((4, 2), 3.0)])
    assert out["a"].tolist()[3] == "3,00"
    assert out["b"].tolist() == [1.5, "<1", 2, 3.0]


def test_the_long_form_and_frames_of_a_schema():
    frame = pd.DataFrame({"when": list(pd.date_range("2024", periods=3)) * 2, "variable": list("xxxyyy")})
    frame["value"] = ["<2", "3", None, "4", ">5", "6"]
    panel = to_panel(frame, ReadOptions())
    again = to_panel_as(frame, Schema.from_json(json.loads(json.dumps(panel.schema.to_json()))))
    for found in (panel, again):
        (limits,) = found.censored
        assert limits.upper.tolist() == [[2, INF], [INF, INF], [INF, INF]]
        assert limits.lower.tolist() == [[-INF, -INF], [-INF, 5], [-INF, -INF]]
    assert extend(panel, 1).fill([np.ones((4, 2))])["value"].tolist() == ["<2", "3", "1", "4", ">5", "6", "1", "1"]
    assert to_panel(frame.assign(value=[1.0, 2, 3, 4, 5, 6]), ReadOptions()).censored is None


def test_two_readings_in_one_row_of_the_grid_give_the_tighter_limit_and_a_value_goes_before_it():
    stamps = pd.to_datetime(["2024-01-01"] * 2 + ["2024-01-02"] * 2 + ["2024-01-03"])
    frame = pd.DataFrame({"when": stamps, "a": ["<5", "<2", "<5", "1", "3"]})
    (limits,) = to_panel(frame, ReadOptions(aggregate="mean")).censored
    assert limits.upper[:, 0].tolist() == [2, INF, INF]


def test_groups_of_ages_are_categories_and_odd_marks_are_named():
    ages = pd.DataFrame({"age": ["<18", "18-65", ">65", None] * 5, "x": range(20)})
    assert to_panel(ages, ReadOptions()).schema.categories == {"age": ("<18", "18-65", ">65")}
    odd = pd.DataFrame({"a": ["1.5", "<0.5", "ND", "2.5"] * 5, "x": range(20)})
    with pytest.raises(UsageError, match=r"column 'a': 'ND' is no number.*missing_values=\['ND'\]"):
        to_panel(odd, ReadOptions())
    assert to_panel(odd, ReadOptions(missing_values=("ND",))).censored is not None


def test_an_imputer_fills_and_generates_numbers_beside_them():
    rng = np.random.default_rng(0)
    wave = np.round(5 + 4 * np.sin(np.arange(200) / 5) + rng.normal(size=200) * 0.1, 2)
    text = np.where(wave < 2, "<2", np.char.mod("%.2f", wave)).astype(object)
    text[50:53] = None
    frame = pd.DataFrame({"a": text, "b": wave + rng.normal(size=200)})
    imputer = Imputer().fit(frame)
    filled = imputer.transform(frame)
    assert filled["a"].drop([50, 51, 52]).tolist() == frame["a"].drop([50, 51, 52]).tolist()
    assert np.abs(filled["a"][50:53].astype(float) - wave[50:53]).max() < 1
    assert imputer.generate(1, 4)["a"].dtype == "float64"
    assert imputer.forecast(frame, 2)["a"].str.fullmatch(r"-?\d+\.\d\d").all()

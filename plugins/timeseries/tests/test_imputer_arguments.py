"""Every argument of the imputer of a wrong kind: one clear line, or it is taken."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from vaehub.errors import UsageError
from vaehub.testing.arguments import cases, refusal
from vaehub_timeseries import Imputer

X = pd.DataFrame(np.sin(np.arange(60.0))[:, None] + np.zeros((60, 2)), columns=["x0", "x2"]).mask(np.eye(60, 2, dtype=bool))
OPTIONS = [
    "config",
    "time",
    "entity",
    "variable",
    "value",
    "columns",
    "missing_values",
    "aggregate",
    "step",
    "causal",
    "fill",
    "seed",
    "max_gap",
    "limit_area",
    "add_indicator",
    "freq",
]
METHODS = {
    "transform": {"X": X},
    "quantiles": {"X": X, "levels": [0.1, 0.9]},
    "samples": {"X": X, "n": 1},
    "score_anomalies": {"X": X},
    "flags": {"X": X},
    "find_anomalies": {"X": X, "false_alarms": 0.001},
    "generate": {"n": 1, "steps": 3},
    "forecast": {"X": X, "steps": 2, "quantiles": None},
    "save": {"path": "saved"},
}
ARRAYS = (
    "list",
    "mapping",
    "array",
    "words",
    "objects",
    "tensor",
    "object",
)  # of these scikit-learn says what it says to every estimator
CASES = [(name, argument, kind) for name, argument, kind in cases(METHODS) if argument != "X" or kind not in ARRAYS]


@pytest.fixture(scope="module")
def imputer():
    return Imputer(window=6).fit(X)


@pytest.mark.parametrize(("name", "argument", "kind"), CASES)
def test_methods(name, argument, kind, imputer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = refusal(getattr(imputer, name), METHODS[name], argument, kind)
    if said is not None:
        assert "\n" not in said
        assert argument in said or argument in ("X", "levels", "quantiles"), said


@pytest.mark.parametrize("option", [*OPTIONS, "window"])
@pytest.mark.parametrize("kind", ["word", "negative", "float", "nan", "list", "array", "frame", "object"])
def test_options_are_checked_when_it_is_fitted(option, kind):
    said = refusal(lambda **options: Imputer(**options).fit(X), {"window": 6}, option, kind)
    assert said is None or said.splitlines()[0]


@pytest.mark.parametrize(
    ("options", "given", "said"),
    [
        ({"missing_values": "ND"}, X, r"missing_values='ND': give a list, \['ND'\]"),
        ({"missing_values": -200}, X, r"missing_values=-200: give a list, \[-200\]"),
        ({"columns": "x0"}, X, r"columns='x0': give a list, \['x0'\]"),
        ({"window": -3}, X, "window: should be a whole number of at least 1, not -3"),
        ({"window": 0}, X, "window: should be a whole number of at least 1, not 0"),
        ({"window": "a"}, X, "window: should be a whole number of at least 1, not 'a'"),
        ({"fill": "x"}, X, "fill: should be a number, not 'x'"),
        ({"fill": float("nan")}, X, "fill: should be a number, not nan"),
        ({"causal": 1}, X, "causal: should be True or False, not 1"),
        ({"seed": 0.5}, X, "seed: should be a whole number"),
        ({}, "x.csv", "X: should be a pandas DataFrame or an array, not 'x.csv'; read the file first, with pandas.read_csv"),
        ({}, None, "X: should be a pandas DataFrame or an array, not None"),
        ({}, 5, "X: should be a pandas DataFrame or an array, not 5"),
    ],
)
def test_what_is_said(options, given, said):
    with pytest.raises(UsageError, match=said):
        Imputer(**options).fit(given)


def test_steps_of_a_forecast(imputer):
    with pytest.raises(UsageError, match=r"steps: should be a whole number of at least 1, not 2\.5"):
        imputer.forecast(X, 2.5)


def test_a_window_is_no_longer_than_the_longest_series():
    with pytest.warns(UserWarning, match=r"window=1000: no series has more than 60 steps; a window of 60 is used"):
        imputer = Imputer(window=1000).fit(X)
    assert len(imputer.fitted_.model.process.gamma) == 60
    pd.testing.assert_frame_equal(imputer.transform(X), Imputer(window=60).fit_transform(X))

"""Constraints between columns: how they are read, and that what comes out fulfils them."""

import numpy as np
import pandas as pd
import pytest

from vaehub import UsageError
from vaehub_timeseries import Imputer
from vaehub_timeseries.frames import Channel
from vaehub_timeseries.impute.constraints import parsed_constraints, project

CHANNELS = [Channel(name, name, "float") for name in ("a", "b", "total", "wind speed", "a-b")]
OPEN = (np.full(5, -np.inf), np.full(5, np.inf))


@pytest.mark.parametrize(
    ("text", "weights", "constant", "equal"),
    [
        ("a + b = total", [1, 1, -1, 0, 0], 0, True),
        ("total - a == b", [-1, -1, 1, 0, 0], 0, True),
        ("a <= wind speed", [1, 0, 0, -1, 0], 0, False),
        ("a >= 2.5", [-1, 0, 0, 0, 0], -2.5, False),
        ("a-b <= a", [-1, 0, 0, 0, 1], 0, False),
    ],
)
def test_constraints_are_sums_and_orders(text, weights, constant, equal):
    (read,) = parsed_constraints([text], CHANNELS)
    assert (read.weights.tolist(), read.constant, read.equal) == (weights, constant, equal)


@pytest.mark.parametrize(
    "text", ["a + c = total", "a", "a < b", "a = b = total", "1 = 1", "__import__('os') = a", "a * b = total"]
)
def test_what_is_no_constraint_is_refused(text):
    with pytest.raises(UsageError, match="constraints"):
        parsed_constraints([text], CHANNELS)


def test_the_nearest_row_is_found_under_sums_orders_and_bounds():
    read = parsed_constraints(["a + b = total", "a <= b"], CHANNELS)
    fixed = np.zeros((1, 5), bool)
    fixed[0, 2] = True
    row = np.array([[5.0, 2.0, 10.0, 0.0, 0.0]])
    moved = project(row, fixed, np.ones((1, 5)), read, *OPEN)[0]
    assert moved == pytest.approx([5.0, 5.0, 10.0, 0.0, 0.0], abs=1e-6)
    upper = np.array([4.0, np.inf, np.inf, np.inf, np.inf])
    moved = project(row, fixed, np.ones((1, 5)), read, OPEN[0], upper)[0]
    assert moved[:2] == pytest.approx([4.0, 6.0], abs=1e-6)


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(0)
    a = 5 + np.sin(np.arange(400) / 5) + 0.3 * rng.normal(size=400)
    b = 8 + np.cos(np.arange(400) / 7) + 0.3 * rng.normal(size=400)
    frame = pd.DataFrame({"a": a, "b": b, "total": a + b})
    return frame, frame.mask(rng.random(frame.shape) < 0.2)


def test_what_is_filled_drawn_forecast_and_generated_adds_up(parts, tmp_path):
    truth, frame = parts
    imputer = Imputer(constraints=["a + b = total", "a <= b"]).fit(frame)
    filled = imputer.transform(frame)
    for out in (filled, *imputer.samples(frame, 2), imputer.forecast(frame, 5), imputer.generate(2, 20)):
        assert np.abs(out["a"] + out["b"] - out["total"]).max() < 1e-5
    assert filled.where(frame.notna()).equals(frame)
    plain = Imputer().fit(frame).transform(frame)
    assert (filled - truth).abs().to_numpy().sum() < (plain - truth).abs().to_numpy().sum()
    imputer.save(tmp_path / "saved")
    assert Imputer.load(tmp_path / "saved").transform(frame).equals(filled)


def test_constraints_that_the_data_break_are_refused(parts):
    with pytest.raises(UsageError, match=r"'a = b': \d+ of \d+ rows where all of it is observed break it"):
        Imputer(constraints=["a = b"]).fit(parts[1])
    with pytest.raises(UsageError, match="a list such as"):
        Imputer(constraints="a = b").fit(parts[1])


def test_counts_add_up_as_whole_numbers(tmp_path):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"a": rng.poisson(9, 300), "b": rng.poisson(30, 300)})
    frame = frame.assign(total=frame.a + frame.b).astype("Int64")
    gappy = frame.mask(rng.random(frame.shape) < 0.25)
    imputer = Imputer(constraints=["a + b = total", "a <= b"]).fit(gappy)
    for out in (imputer.transform(gappy), *imputer.samples(gappy, 2), imputer.forecast(gappy, 5), imputer.generate(2, 20)):
        assert (out["a"] + out["b"] == out["total"]).all()
        assert (out["a"] <= out["b"]).all()


def test_whole_numbers_that_leave_no_way_stay_rounded():
    channels = [Channel(name, name, "int") for name in "ab"]
    read = parsed_constraints(["a = b"], channels)
    row, ends = np.array([[2.4, 5.0]]), (np.array([0.0, 0.0]), np.array([3.0, np.inf]))
    fixed = np.array([[False, True]])
    assert project(row, fixed, np.ones((1, 2)), read, *ends).tolist() == [[3.0, 5.0]]

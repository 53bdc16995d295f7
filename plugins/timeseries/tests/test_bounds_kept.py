"""Whatever comes out of an imputer lies within the bounds of its column, and is no worse for it."""

import numpy as np
import pandas as pd
import pytest

from vaehub import UsageError
from vaehub.cli.app import main
from vaehub_timeseries import Imputer

HIDDEN = 0.2


@pytest.fixture(scope="module")
def solar():
    """Power of a photovoltaic plant, a wave cut off at 0, and a frame that lacks a fifth of it."""
    rng, hour = np.random.default_rng(0), np.arange(2000)
    cloud = np.clip(1 + 0.3 * np.convolve(rng.normal(size=2000), np.ones(24) / 5, "same"), 0.2, 1.5)
    power = np.clip(50 * np.sin(2 * np.pi * (hour % 24 - 6) / 24) * cloud + rng.normal(size=2000), 0, None)
    power[np.sin(2 * np.pi * (hour % 24 - 6) / 24) <= 0] = 0.0
    hidden = rng.random(2000) < HIDDEN
    return power, hidden, pd.DataFrame({"pv": np.where(hidden, np.nan, power)})


@pytest.fixture(scope="module")
def solar_imputer(solar):
    return Imputer().fit(solar[2])


def test_solar_power_is_never_negative(solar, solar_imputer, monkeypatch):
    power, hidden, frame = solar
    parts = [solar_imputer.transform(frame), solar_imputer.quantiles(frame, [0.01, 0.05, 0.5]), *solar_imputer.samples(frame, 3)]
    parts += [solar_imputer.forecast(frame, 48), solar_imputer.forecast(frame, 48, [0.05]), solar_imputer.generate(5, 96)]
    assert [float(part.to_numpy().min()) for part in parts] == [0.0] * len(parts)
    error = np.abs(parts[0]["pv"].to_numpy() - power)[hidden].mean()
    monkeypatch.setattr("vaehub_timeseries.impute.fit.learn_marginals", lambda *_: None)
    unbounded = Imputer().fit(frame).transform(frame)["pv"].to_numpy()
    assert unbounded.min() < 0
    assert error < np.abs(unbounded - power)[hidden].mean()
    assert solar_imputer.errors_["imputer"].iloc[0] < solar_imputer.errors_["linear"].iloc[0]


def test_the_table_of_marginals_says_what_was_found(solar_imputer):
    row = solar_imputer.marginals_.loc["pv"]
    assert (row["lower"], row["upper"], row["piled up"], row["found"]) == (0.0, np.inf, "lower", "data pile up")


def test_a_saved_imputer_keeps_its_bounds_bit_for_bit(solar, tmp_path):
    frame = solar[2][:600]
    imputer = Imputer(bounds={"pv": (0, 120)}).fit(frame)
    imputer.save(tmp_path / "saved")
    again = Imputer.load(tmp_path / "saved")
    assert again.bounds == {"pv": (0.0, 120.0)}
    assert again.marginals_.equals(imputer.marginals_)
    assert again.errors_.equals(imputer.errors_)
    for frames in zip(imputer.samples(frame, 2), again.samples(frame, 2), strict=True):
        assert frames[0].equals(frames[1])
    assert imputer.generate(2, 30).equals(again.generate(2, 30))
    assert imputer.quantiles(frame, [0.1]).equals(again.quantiles(frame, [0.1]))


def test_observed_cells_stay_even_where_another_frame_breaks_the_bounds(solar, solar_imputer):
    other = solar[2].copy()
    other.loc[3, "pv"] = -4.5
    filled = solar_imputer.transform(other)
    assert filled.loc[3, "pv"] == -4.5
    assert (filled["pv"].drop(3) >= 0).all()


def test_counts_are_whole_numbers_not_below_zero():
    rng = np.random.default_rng(0)
    counts = rng.poisson(np.exp(1 + np.sin(np.arange(1000) / 6)))
    frame = pd.DataFrame({"n": pd.array(counts, dtype="Int64")})
    frame.loc[rng.random(1000) < HIDDEN, "n"] = pd.NA
    imputer = Imputer().fit(frame)
    numbers = [imputer.quantiles(frame, [0.05, 0.95]), imputer.forecast(frame, 24, [0.05, 0.95])]
    for part in numbers:
        values = part.to_numpy(float)
        assert (values >= 0).all()
        assert (values == np.rint(values)).all()
    for part in (*imputer.samples(frame, 3), imputer.generate(3, 60), imputer.forecast(frame, 24)):
        assert str(part["n"].dtype) == "Int64"
        assert int(part["n"].min()) >= 0


def test_humidity_is_not_above_100():
    rng = np.random.default_rng(0)
    humidity = np.minimum(80 + 25 * np.sin(np.arange(1000) / 10) + 6 * rng.normal(size=1000), 100)
    frame = pd.DataFrame({"humidity": np.where(rng.random(1000) < HIDDEN, np.nan, humidity)})
    imputer = Imputer().fit(frame)
    assert imputer.marginals_.loc["humidity", "upper"] == 100
    parts = [imputer.transform(frame), imputer.quantiles(frame, [0.95]), *imputer.samples(frame, 3), imputer.generate(4, 60)]
    assert max(float(part.to_numpy().max()) for part in parts) == 100.0


def test_a_skewed_column_gains_by_its_transform(monkeypatch):
    rng = np.random.default_rng(53)
    level = np.zeros(2000)
    for i in range(1, 2000):
        level[i] = 0.97 * level[i - 1] + 0.24 * rng.normal()
    x = np.exp(1.2 * np.sin(np.arange(2000) / 8) + 0.5 * level + 0.3 * rng.normal(size=2000))
    hidden = rng.random(2000) < HIDDEN
    frame = pd.DataFrame({"x": np.where(hidden, np.nan, x)})
    with_transform = Imputer().fit(frame)
    monkeypatch.setattr("vaehub_timeseries.impute.fit.learn_marginals", lambda *_: None)
    without = Imputer().fit(frame)
    error = [np.abs(imputer.transform(frame)["x"] - x)[hidden].mean() for imputer in (with_transform, without)]
    assert with_transform.marginals_.loc["x", "transform"] in ("logarithm", "cube root", "square root")
    assert error[0] < error[1]


def test_new_series_continue_the_stamps_and_are_like_their_entity():
    rng = np.random.default_rng(0)
    hours = pd.date_range("2024-03-01", periods=240, freq="h", name="when")
    sites = [
        pd.DataFrame({"when": hours, "site": site, "x": level + np.sin(np.arange(240) / 4) + 0.1 * rng.normal(size=240)})
        for site, level in (("north", 10.0), ("south", 50.0))
    ]
    imputer = Imputer(entity="site").fit(pd.concat(sites, ignore_index=True))
    drawn = imputer.generate(4, 24, entity="south")
    assert drawn.index.names == ["series", "step", "site", "when"]
    assert set(drawn.index.get_level_values("site")) == {"south"}
    assert drawn["x"].mean() == pytest.approx(50, abs=5)
    assert drawn.index.get_level_values("when")[0] == hours[-1] + pd.Timedelta("1h")
    asked = imputer.generate(1, 3, start="2030-01-01").index.get_level_values("when")
    assert asked.tolist() == pd.date_range("2030-01-01", periods=3, freq="h").tolist()
    with pytest.raises(UsageError, match="entity='west'"):
        imputer.generate(1, 3, entity="west")
    with pytest.raises(UsageError, match="start"):
        imputer.generate(1, 3, start="someday")


def test_new_series_have_the_values_of_the_data():
    rng = np.random.default_rng(0)
    x = np.round(np.clip(np.sin(np.arange(1200) / 6) * 3 + rng.normal(size=1200), 0, None), 1)
    drawn = Imputer().fit(pd.DataFrame({"x": x})).generate(30, 40)["x"].to_numpy()
    assert set(drawn) <= set(x)
    assert (drawn == 0).mean() == pytest.approx((x == 0).mean(), abs=0.06)
    assert np.quantile(drawn, [0.6, 0.75, 0.9]) == pytest.approx(np.quantile(x, [0.6, 0.75, 0.9]), abs=0.35)


def test_the_command_line_takes_bounds_and_constraints_and_the_report_lists_them(tmp_path, capsys):
    rng = np.random.default_rng(0)
    pv = np.clip(np.sin(np.arange(300) / 4) * 5 + rng.normal(size=300) * 0.2, 0, None)
    frame = pd.DataFrame({"pv": pv, "load": 3 + rng.random(300)})
    frame["net"] = frame["load"] - frame["pv"]
    frame.mask(rng.random(frame.shape) < 0.1).to_csv(tmp_path / "in.csv", index=False)
    options = ["--bounds", "pv=0:6;load=0:", "--constraints", "load - pv = net", "--report"]
    assert main(["timeseries", "impute", str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.csv"), *options]) == 0
    capsys.readouterr()
    out = pd.read_csv(tmp_path / "out.csv")
    assert (out["load"] - out["pv"] - out["net"]).abs().max() < 1e-5
    assert out["pv"].between(0, 6).all()
    page = (tmp_path / "out.report.html").read_text()
    assert "Bounds and transforms by column" in page
    assert "0 to 6" in page

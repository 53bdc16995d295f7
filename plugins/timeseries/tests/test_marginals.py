"""Bounds, transforms and stand-ins for censored cells, against values worked out by hand or by simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import truncnorm

from vaehub import UsageError
from vaehub_timeseries.frames import Channel, ReadOptions, to_panel
from vaehub_timeseries.impute.blend import spread_beyond
from vaehub_timeseries.impute.fit import fit_imputer
from vaehub_timeseries.impute.fitted import FitOptions
from vaehub_timeseries.marginals.bounds import checked_bounds, find_bounds, given_bounds, parsed_bounds
from vaehub_timeseries.marginals.censoring import CensoredCells, truncated_mean
from vaehub_timeseries.marginals.choose import learn_marginals
from vaehub_timeseries.marginals.transform import Marginals
from vaehub_timeseries.scale import Scaler

INF = np.inf


def channel(kind="float", name="x"):
    return Channel(name, name, kind)


def walk(n, seed=0, stay=0.9):
    rng, out = np.random.default_rng(seed), np.zeros(n)
    for i in range(1, n):
        out[i] = stay * out[i - 1] + np.sqrt(1 - stay**2) * rng.normal()
    return out


@pytest.mark.parametrize(
    ("mean", "sd", "low", "high"),
    [(0, 1, -INF, 0), (1, 2, 3, INF), (0, 1, -INF, -9), (5, 0.5, -INF, 4), (0, 1, -1, 0.5), (0, 1, 20, INF), (2, 3, -INF, INF)],
)
def test_the_mean_between_limits_is_that_of_the_truncated_normal(mean, sd, low, high):
    got = truncated_mean(*(np.array([float(value)]) for value in (mean, sd, low, high)))[0]
    assert got == pytest.approx(truncnorm.mean((low - mean) / sd, (high - mean) / sd, mean, sd), rel=1e-6, abs=1e-6)


def test_quantiles_of_a_limited_cell_are_those_of_the_truncated_normal():
    limits = CensoredCells(np.array([[True]]), np.array([[-INF]]), np.array([[0.5]]), np.array([[1.0]]), np.array([[2.0]]))
    for level in (0.05, 0.5, 0.95):
        assert limits.quantiles(np.array([level]))[0] == pytest.approx(truncnorm.ppf(level, -INF, -0.25, 1.0, 2.0))


@pytest.mark.parametrize("bounds", [{"x": (0, None)}, {"x": (None, 20)}, {"x": (0, 20)}])
def test_an_open_bound_is_never_reached_and_the_way_back_is_exact(bounds):
    x = 10 + np.sin(np.arange(400) / 9)[:, None] * 9.9
    marginals = learn_marginals([x], [channel()], given_bounds(checked_bounds(bounds), [channel()]))
    assert marginals is not None
    assert marginals.inverse(marginals.forward(x)) == pytest.approx(x, abs=1e-9)
    low, high = bounds["x"]
    far = marginals.inverse(np.array([[-1e3], [1e3]]))[:, 0]
    assert far[0] >= (-INF if low is None else low)
    assert far[1] <= (INF if high is None else high)
    assert (np.diff(marginals.inverse(np.linspace(-40, 60, 500)[:, None])[:, 0]) >= 0).all()


def test_bounds_are_found_where_data_pile_up_and_only_there():
    rng = np.random.default_rng(0)
    wave = np.clip(np.sin(np.arange(600) / 4) * 5, 0, None)
    low, high = find_bounds(wave, channel(), None)
    assert (low.at, low.pile, low.how, high.at) == (0.0, True, "pile-up", INF)
    _, high = find_bounds(np.minimum(rng.normal(95, 8, 900), 100), channel(), None)
    assert (high.at, high.pile) == (100.0, True)
    for values in (
        rng.normal(size=600),
        rng.uniform(0, 1, 600),
        rng.integers(0, 24, 600).astype(float),
        rng.integers(0, 2, 600) * 1.0,
    ):
        assert [bound.how for bound in find_bounds(values, channel(), None)] == ["", ""]
    sentinel = np.where(rng.random(600) < 0.1, -200.0, rng.normal(20, 3, 600))
    assert find_bounds(sentinel, channel(), None)[0].how == ""


def test_counts_are_bounded_by_nothing_less_than_zero():
    counts = np.random.default_rng(0).poisson(6, 900).astype(float)
    assert find_bounds(counts, channel("int"), None)[0].at == 0.0
    assert find_bounds(counts + 30, channel("int"), None)[0].how == ""
    assert find_bounds(counts - 3, channel("int"), None)[0].how == ""


def test_a_power_is_taken_where_noise_grows_with_the_level_and_not_elsewhere():
    rng = np.random.default_rng(1)
    skewed = np.exp(walk(3000, 1, 0.97) + 0.4 * rng.normal(size=3000))
    even = 10 + walk(3000, 2)
    marginals = learn_marginals([np.column_stack([skewed, even])], [channel(), channel(name="y")], [None, None])
    assert marginals is not None
    assert marginals.power[0] < 1
    assert marginals.power[1] == 1
    assert learn_marginals([even[:, None]], [channel()], [None]) is None


def test_a_scale_with_transforms_is_saved_bit_for_bit():
    x = np.clip(np.sin(np.arange(300) / 5), 0, None)[:, None]
    scaler = Scaler.fit([x], learn_marginals([x], [channel()], [None]))
    again = Scaler.from_json(scaler.to_json())
    assert np.array_equal(again.rows, scaler.rows)
    assert again.unscale(again.scale(x)) == pytest.approx(x)
    with pytest.raises(ValueError, match="marginals"):
        Scaler.from_json({**scaler.to_json(), "marginals": Marginals.plain(np.zeros(2), np.ones(2)).to_json()})


@pytest.mark.parametrize(
    ("given", "said"),
    [((1, 0), "lower bound"), ("0:", "a pair"), ({"x": 3}, "a pair"), ({"x": (0, "a")}, "a pair"), ((0, 1, 2), "a pair")],
)
def test_bounds_that_are_none_are_refused(given, said):
    with pytest.raises(UsageError, match=said):
        checked_bounds(given)


@pytest.mark.parametrize("text", ["pv", "pv=", "pv=a:b", "0:1:x", "pv=3:1"])
def test_bounds_at_the_command_line_that_are_none_are_refused(text):
    with pytest.raises(UsageError, match="--bounds"):
        parsed_bounds(text)


def test_a_column_that_is_absent_or_breaks_its_bounds_is_named():
    frame = pd.DataFrame({"pv": np.linspace(-1, 5, 50)})
    with pytest.raises(UsageError, match="'pw' is no column of numbers"):
        fit_imputer(to_panel(frame, ReadOptions()), FitOptions(bounds={"pw": (0, INF)}))
    with pytest.raises(UsageError, match=r"'pv': 9 of its values are outside its bounds \(0 or more\), -1 for one"):
        fit_imputer(to_panel(frame, ReadOptions()), FitOptions(bounds={"pv": (0, INF)}))


def test_scores_of_truths_at_a_bound_are_spread_over_what_lies_beyond():
    rng = np.random.default_rng(0)
    z = rng.normal(size=4000)
    limit = rng.normal(size=4000) - 0.3
    cut = z < limit
    out = spread_beyond(np.where(cut, limit, z), cut, np.zeros(4000, bool))
    assert np.quantile(out, [0.1, 0.25, 0.5, 0.9]) == pytest.approx([-1.282, -0.674, 0.0, 1.282], abs=0.12)


def test_cells_of_which_only_limits_were_read_stay_within_them_and_teach_the_rest():
    x = 3 + walk(800, 3, 0.95)
    limit = 2.5
    panel = to_panel(pd.DataFrame({"x": np.where(x < limit, "<2.5", np.char.mod("%.12g", x)).astype(object)}), ReadOptions())
    predictive = fit_imputer(panel, FitOptions()).predictive(panel)
    low, middle, high = (predictive.quantile(level)[0][:, 0] for level in (0.05, 0.5, 0.95))
    cut = x < limit
    assert (high[cut] <= limit + 1e-9).all()
    assert (low[cut] < middle[cut]).all()
    assert np.abs(middle - x)[cut].mean() < 0.7 * np.abs(limit - x)[cut].mean()
    assert ((low <= x) & (x <= high))[cut].mean() > 0.75
    drawn = np.stack([draw[0][:, 0] for draw in predictive.draws(20, 0)])
    assert (drawn[:, cut] <= limit + 1e-9).all()
    assert drawn[:, cut].std(0).min() > 0

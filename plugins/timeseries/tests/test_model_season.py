"""Rhythms: the recursion across periods against dense linear algebra, and what is found in series."""

from __future__ import annotations

import numpy as np
import pytest

from vaehub import UsageError
from vaehub_timeseries.impute.seasonal_baselines import same_phase
from vaehub_timeseries.model.gaussian import GaussianExpert
from vaehub_timeseries.model.periods import found_periods, periods_in_steps
from vaehub_timeseries.model.season import Filtered, Phases, Season
from vaehub_timeseries.model.structural import StructuralExpert, Structure, fit_rest

HOUR = 3_600e9


def conditional(x, seen, k, signal, memory):
    """Mean and variance of the signal at k given the seen values of all others, by solving the whole system."""
    cov = signal * memory ** np.abs(np.subtract.outer(np.arange(len(x)), np.arange(len(x))))
    weight = np.linalg.solve(cov[np.ix_(seen, seen)] + np.eye(seen.sum()), cov[seen, k])
    return weight @ x[seen], signal - weight @ cov[seen, k]


@pytest.mark.parametrize("seed", range(10))
def test_the_recursion_is_the_conditional_of_a_dense_gaussian_under_any_mask(seed):
    rng = np.random.default_rng(seed)
    signal, memory, x = np.array([2.0, 0.3]), np.array([0.8, 1.0]), rng.normal(size=(12, 3, 2))
    x[rng.random(x.shape) < 0.4] = np.nan
    out = Filtered.of(x, signal, memory)
    mean, variance = out.leave_one_out()
    for k, b, c in np.ndindex(*x.shape):
        others = ~np.isnan(x[:, b, c])
        others[k] = False
        wanted = conditional(x[:, b, c], others, k, signal[c], memory[c])
        assert (mean[k, b, c], variance[k, b, c]) == pytest.approx(wanted, abs=1e-8)
        before = others & (np.arange(12) < k)
        wanted = conditional(x[:, b, c], before, k, signal[c], memory[c])
        assert (out.mean[k, b, c], out.variance[k, b, c]) == pytest.approx(wanted, abs=1e-8)


def test_phases_fold_and_unfold_a_period_that_is_not_whole():
    x = np.random.default_rng(0).normal(size=(100, 2))
    phases = Phases.of(x, 7.3, 1)
    assert np.array_equal(phases.at_steps(phases.values), x)


def test_a_step_says_nothing_of_its_own_season():
    x = np.random.default_rng(0).normal(size=(60, 1))
    season = Season(12.0, 1, np.array([1.0]), np.array([0.9]), np.array([1.0]))
    changed = x.copy()
    changed[30] += 100.0
    mean, moved = season.leave_period_out(x)[0], season.leave_period_out(changed)[0]
    assert mean[30] == pytest.approx(moved[30], abs=1e-10)
    assert np.abs(mean - moved)[[6, 18, 42, 54]].min() > 1
    causal = np.abs(season.leave_period_out(x, causal=True)[0] - season.leave_period_out(changed, causal=True)[0])
    assert causal[:31].max() == 0
    assert causal[42] > 1


@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_day_and_week_are_found_under_gaps(missing):
    rng, t = np.random.default_rng(0), np.arange(24 * 7 * 8)
    x = (t // 24 % 7 < 5) + np.sin(2 * np.pi * t / 24) + rng.normal(size=len(t)) * 0.3
    x[rng.random(len(t)) < missing] = np.nan
    assert found_periods([x[:, None]], HOUR) == (24.0, 168.0)
    assert found_periods([x[:, None]], None) == (24.0, 168.0)


@pytest.mark.parametrize("persistence", [0.0, 0.95, 1.0])
def test_noise_and_walks_have_no_rhythm(persistence):
    for seed in range(5):
        noise = np.random.default_rng(seed).normal(size=(1000, 4))
        x = np.zeros_like(noise)
        for i in range(1, len(x)):
            x[i] = persistence * x[i - 1] + noise[i]
        x = (x - x.mean(0)) / x.std(0)
        assert found_periods([x], HOUR) == found_periods([x], None) == ()


def test_a_period_that_is_not_whole_is_found():
    t = np.arange(800)
    x = np.sin(2 * np.pi * t / 29.53) + np.random.default_rng(0).normal(size=800) * 0.5
    assert found_periods([x[:, None]], None) == (pytest.approx(29.53, abs=0.15),)


def test_the_option_says_periods_in_steps_or_lengths_of_time():
    assert periods_in_steps(None, HOUR) is None
    assert periods_in_steps(False, None) == ()
    assert periods_in_steps(["W", "D", 12], HOUR) == (12.0, 24.0, 168.0)
    assert periods_in_steps("12h", HOUR) == (12.0,)
    for wrong, step in (("D", None), ("often", HOUR), (1, None), (True, None), ({}, None)):
        with pytest.raises(UsageError, match="season="):
            periods_in_steps(wrong, step)


def test_seasonal_naive_is_the_last_and_seasonal_mean_that_of_all_others():
    x = np.array([1.0, 5, 2, 6, np.nan, np.nan, 9, 7])[:, None]
    naive, mean = same_phase(x, 2)
    assert naive[4:6, 0].tolist() == [2, 6]
    assert mean[4:6, 0].tolist() == [4, 6]
    assert naive[0, 0] == 2
    assert mean[0, 0] == 5.5


def test_draws_of_trend_rhythm_and_rest_have_the_moments_of_the_prediction():
    rng, t = np.random.default_rng(0), np.arange(600)
    x = (np.sin(2 * np.pi * t / 24) + rng.normal(size=600) * 0.3)[:, None]
    structure = Structure.fit([x], [24.0])
    assert structure is not None
    expert = StructuralExpert(structure, GaussianExpert("rest", fit_rest(structure, [x], 6, 0, False), 1.0))
    holed = x.copy()
    holed[300:340] = np.nan
    (prediction,), (drawn,) = expert.predict([holed]), expert.draw([holed], 400, 0)
    gap = slice(300, 340)
    assert np.abs(prediction.mean[gap] - np.sin(2 * np.pi * t[gap] / 24)[:, None]).mean() < 0.12
    assert np.array_equal(drawn[:, :300], np.broadcast_to(x[:300], (400, 300, 1)))
    assert drawn[:, gap].mean(0) == pytest.approx(prediction.mean[gap], abs=0.1)
    assert drawn[:, gap].std(0) == pytest.approx(prediction.sd[gap], rel=0.2)
    again = Structure.from_json(structure.to_json())
    assert np.array_equal(again.of(holed, False)[0], structure.of(holed, False)[0])

"""The closed form learns from the series that it is asked about."""

import numpy as np
import pytest
import torch

from vaehub_timeseries.model.adapted import AdaptedExpert, adapted
from vaehub_timeseries.model.em import Autocovariance, fit_autocovariance
from vaehub_timeseries.model.gaussian import GaussianExpert
from vaehub_timeseries.model.threads import one_thread

STEPS = 6


def wave(length, memory, level=0.0, seed=0):
    """x_t = memory x_{t-1} + e and a second channel that is its negative, both with variance 1."""
    rng = np.random.default_rng(seed)
    x = np.zeros(length)
    for t in range(1, length):
        x[t] = memory * x[t - 1] + (1 - memory**2) ** 0.5 * rng.normal()
    return np.stack([x, -x], 1) + 0.1 * rng.normal(size=(length, 2)) + level


def holed(x, share=0.5, seed=1):
    return np.where(np.random.default_rng(seed).random(x.shape) < share, np.nan, x)


@pytest.fixture(scope="module")
def slow_process():
    return fit_autocovariance([torch.from_numpy(wave(3000, 0.95))], STEPS)


def error(expert, truth, given):
    return np.abs(expert.predict([given])[0].mean - truth)[np.isnan(given)].mean()


def test_series_unlike_those_of_the_fit_are_imputed_better(slow_process):
    truth = wave(2000, -0.6, level=2.0, seed=3)
    given, base = holed(truth), GaussianExpert("drifting", slow_process, 0.3)
    oracle = GaussianExpert("gaussian", fit_autocovariance([torch.from_numpy(truth)], STEPS))
    before, after, best = (error(e, truth, given) for e in (base, AdaptedExpert(base), oracle))
    assert after < 0.7 * before
    assert after - best < 0.5 * (before - best)


def test_a_short_series_hardly_moves_the_process_and_a_long_one_replaces_it(slow_process):
    changes = []
    for length in (STEPS, 100 * STEPS):
        process, share = adapted(slow_process, [holed(wave(length, -0.6, seed=4))], 0.3)
        changes.append((share, (process.gamma[1, 0, 0] - slow_process.gamma[1, 0, 0]).item()))
        assert torch.linalg.eigvalsh(process.joint(STEPS).covariance).min() > 0
    (share, little), (later_share, much) = changes
    assert share == pytest.approx(12 / 13)
    assert later_share == pytest.approx(12 / 112)
    assert abs(little) < 0.2
    assert much < -0.5


def test_it_is_asked_anew_for_other_series_and_draws_about_its_own_mean(slow_process):
    expert = AdaptedExpert(GaussianExpert("drifting", slow_process, 0.3))
    one, other = [holed(wave(90, 0.9, seed=5))], [holed(wave(90, -0.6, seed=6))]
    first = expert.predict(one)[0].mean
    assert not np.array_equal(expert.predict(other)[0].mean, first)
    again = expert.predict(one)[0]
    assert np.array_equal(again.mean, first)
    draws, gap = expert.draw(one, 2000, seed=0)[0], np.isnan(one[0])
    assert np.abs((draws.mean(0) - again.mean)[gap] / again.sd[gap]).max() < 6 / 2000**0.5


def test_nothing_observed_at_hand_leaves_the_process_almost_as_it_is():
    lags = torch.stack([0.8**k * torch.eye(2) for k in range(STEPS)]).double()
    process = Autocovariance(torch.zeros(2).double(), lags, torch.full((2,), 0.01).double())
    moved, _ = adapted(process, [np.full((20 * STEPS, 2), np.nan)], 0.0)
    assert (moved.gamma - process.gamma).abs().max() < 0.25


def test_one_thread_inside_and_as_many_as_before_outside():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)

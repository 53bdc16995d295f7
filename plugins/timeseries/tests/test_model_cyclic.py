"""A process whose covariances depend on the phase: folded and back, phases found, exact conditionals, and better where there is a rhythm."""

import numpy as np
import pytest
import torch

from vaehub_timeseries.model.autocovariance import window_covariance
from vaehub_timeseries.model.conditional import conditional
from vaehub_timeseries.model.cycle import Cycle, fit_cycle, folded, lags_of_periods, phases_of, unfolded
from vaehub_timeseries.model.em import Autocovariance, fit_autocovariance
from vaehub_timeseries.model.experts import DRIFT, Experts

PERIOD, STEPS = 6, 12


def restless_at_noon(periods, seed=0):
    """Two channels that are one walk about 0, whose steps are ten times larger in the second half of each period, and some noise."""
    rng = np.random.default_rng(seed)
    size = np.where(np.arange(periods * PERIOD) % PERIOD >= PERIOD // 2, 1.0, 0.1)
    x = np.zeros(len(size))
    for t in range(1, len(x)):
        x[t] = 0.9 * x[t - 1] + size[t] * rng.normal()
    return np.stack([x, -x], 1) + 0.05 * rng.normal(size=(len(x), 2))


def holed(x, share=0.5, seed=1):
    return np.where(np.random.default_rng(seed).random(x.shape) < share, np.nan, x)


@pytest.fixture(scope="module")
def experts():
    x = restless_at_noon(300)
    process = fit_autocovariance([torch.from_numpy(x)], STEPS)
    return Experts(process, cycle=fit_cycle(process, [x], (float(PERIOD),), DRIFT))


def of_kind(experts, name):
    return next(expert for expert in experts.experts if expert.name == name)


@pytest.mark.parametrize("phase", [0, 1, PERIOD - 1])
def test_a_folded_series_comes_back(phase):
    x = torch.arange(26.0).view(13, 2)
    whole = folded(x, PERIOD, phase)
    assert whole.shape == (-(-(13 + phase) // PERIOD), PERIOD * 2)
    assert np.array_equal(unfolded(whole.numpy(), PERIOD, phase, 13), x.numpy())


def test_lags_of_periods_are_the_covariance_of_the_steps():
    lags = torch.stack([0.8**k * torch.tensor([[1.0, 0.2], [0.5, 1.0]]) for k in range(2 * PERIOD)]).double()
    both = window_covariance(lags_of_periods(lags, PERIOD, 2))
    assert torch.allclose(both, window_covariance(lags))


def test_cells_are_imputed_better_where_variance_depends_on_the_phase(experts):
    truth = restless_at_noon(60, seed=2)
    given = holed(truth)
    gap = np.isnan(given)
    error = {name: np.mean((of_kind(experts, name).predict([given])[0].mean - truth)[gap] ** 2) for name in ("adapted", "cyclic")}
    assert error["cyclic"] < 0.85 * error["adapted"]
    sd = of_kind(experts, "cyclic").predict([given])[0].sd
    restless = (np.arange(len(truth)) % PERIOD >= PERIOD // 2)[:, None] & gap
    assert sd[restless].mean() > 1.5 * sd[gap & ~restless].mean()


def test_the_prediction_is_the_conditional_of_its_own_process(experts):
    expert, given = of_kind(experts, "cyclic"), [holed(restless_at_noon(2, seed)) for seed in range(3)]
    got = expert.predict(given)
    at = expert._folded(given)
    joint = at.expert.process.joint(2)
    rows = torch.stack([torch.from_numpy(whole).flatten() for whole in at.whole])
    exact = conditional(rows, joint)
    for i, prediction in enumerate(got):
        np.testing.assert_allclose(prediction.mean, at.back(exact.mean[i].view(2, -1).numpy(), i), atol=1e-9)
    seen = ~np.isnan(given[0])
    assert np.array_equal(got[0].mean[seen], given[0][seen])
    assert not got[0].sd[seen].any()


def test_the_phase_that_a_series_begins_with_is_found(experts):
    x = torch.from_numpy(holed(restless_at_noon(300, seed=3), 0.2))
    parts = [x[start : start + 600] for start in (0, 604, 1203)]
    assert phases_of(parts, experts.cycle, experts.process) == [0, 604 % PERIOD, 1203 % PERIOD]
    alike = [x[start : start + PERIOD * 2] for start in range(0, 300, PERIOD)]
    assert phases_of(alike, experts.cycle, experts.process) == [0] * len(alike)


def test_draws_spread_as_the_prediction_says(experts):
    given = [holed(restless_at_noon(6, seed=4))]
    expert, gap = of_kind(experts, "cyclic"), np.isnan(given[0])
    prediction, draws = expert.predict(given)[0], expert.draw(given, 1500, 0)[0]
    assert np.array_equal(draws[:, ~gap], np.broadcast_to(given[0][~gap], (1500, (~gap).sum())))
    np.testing.assert_allclose(draws.mean(0)[gap], prediction.mean[gap], atol=6 * prediction.sd.max() / 1500**0.5)
    np.testing.assert_allclose(draws.std(0)[gap], prediction.sd[gap], rtol=0.15)


def test_it_is_kept_in_a_folder_and_models_without_it_are_read(experts, tmp_path):
    given = [holed(restless_at_noon(6, seed=5))]
    experts.save(tmp_path / "with")
    again = Experts.load(tmp_path / "with")
    assert [e.name for e in again.experts] == ["gaussian", "adapted", "cyclic"]
    assert np.array_equal(of_kind(again, "cyclic").predict(given)[0].mean, of_kind(experts, "cyclic").predict(given)[0].mean)
    Experts(experts.process).save(tmp_path / "without")
    assert [e.name for e in Experts.load(tmp_path / "without").experts] == ["gaussian", "adapted"]


def test_a_window_shorter_than_a_period_will_do():
    x = restless_at_noon(60)
    process = fit_autocovariance([torch.from_numpy(x)], 3)
    experts = Experts(process, cycle=fit_cycle(process, [x], (float(PERIOD),), DRIFT))
    prediction = of_kind(experts, "cyclic").predict([holed(x)])[0]
    assert np.isfinite(prediction.mean).all()
    assert np.mean((prediction.mean - x) ** 2) < np.var(x) / 2


@pytest.mark.parametrize("periods", [(), (7.3,), (600.0,)])
def test_it_costs_nothing_where_there_is_no_period_of_whole_steps_or_too_large_a_one(experts, periods):
    assert fit_cycle(experts.process, [restless_at_noon(20)], periods, DRIFT) is None


def test_a_few_periods_leave_the_process_almost_stationary():
    lags = torch.stack([0.8**k * torch.eye(1) for k in range(STEPS)]).double()
    process = Autocovariance(torch.zeros(1).double(), lags, torch.full((1,), 0.01).double())
    assert fit_cycle(process, [np.zeros((3, 1))], (50.0,), DRIFT) is None
    little = Cycle(PERIOD, torch.zeros(PERIOD).double(), torch.zeros(2, PERIOD, PERIOD).double(), 0.0).process(process)
    assert torch.allclose(window_covariance(little.gamma), window_covariance(lags[: 2 * PERIOD]))

"""Autocovariances from series with gaps."""

import numpy as np
import pytest
import torch

from vaehub_timeseries.model import em
from vaehub_timeseries.model.autocovariance import window_covariance
from vaehub_timeseries.model.chain import Chain
from vaehub_timeseries.model.em import Cover, fit_autocovariance, initial_process, interpolated, made_positive, starts, subsampled

STEPS = 4
TRANSITION = np.array([[0.7, 0.25], [-0.25, 0.7]])


def var1(length, seed=0):
    rng = np.random.default_rng(seed)
    x = np.zeros((length + 100, 2))
    for t in range(1, len(x)):
        x[t] = TRANSITION @ x[t - 1] + rng.normal(size=2)
    return x[100:]


def true_lags():
    powers = [np.linalg.matrix_power(TRANSITION, i) for i in range(200)]
    start = sum(p @ p.T for p in powers)
    return torch.from_numpy(np.stack([start @ p.T for p in powers[:STEPS]]))


def holed(x, share, seed=1):
    return torch.from_numpy(np.where(np.random.default_rng(seed).random(x.shape) < share, np.nan, x))


def test_half_of_the_cells_missing_it_finds_the_lags_that_interpolation_blurs():
    full, steps = torch.from_numpy(var1(3000)), 8
    x = holed(full.numpy(), 0.5)
    found, guess = fit_autocovariance([x], steps), initial_process([x], steps)
    error, before = ((a.gamma[:STEPS] - true_lags()).abs().max() for a in (found, guess))
    assert before > 0.5
    assert error < 0.6 * before
    missing = x.isnan()
    filled = Chain.of(found).smooth(x).mean
    assert (filled - full)[missing].abs().mean() < 0.95 * (interpolated(x) - full)[missing].abs().mean()


def test_it_stops_where_held_out_cells_get_no_better(monkeypatch):
    asked = []
    e_step = em.e_step
    monkeypatch.setattr(em, "e_step", lambda *args: asked.append(1) or e_step(*args))
    monkeypatch.setattr(em, "ITERATIONS", 50)
    fit_autocovariance([holed(var1(600), 0.3)], STEPS)
    assert 2 <= len(asked) < 15


def test_the_same_seed_gives_the_same_bits_and_another_other_ones():
    series = [holed(var1(300), 0.3)]
    one, again, other = (fit_autocovariance(series, STEPS, seed) for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(vars(one).values(), vars(again).values(), strict=True))
    assert not torch.equal(one.gamma, other.gamma)


def test_training_does_not_touch_the_series():
    x = holed(var1(200), 0.3)
    before = x.clone()
    fit_autocovariance([x], STEPS)
    assert torch.equal(x.nan_to_num(99.0), before.nan_to_num(99.0))


ODD = {
    "shorter than a window": ([var1(3)], 6),
    "one step": ([var1(1)], 4),
    "window of one": ([var1(200)], 1),
    "many entities of all lengths": ([var1(n, n) for n in (1, 2, 5, 9, 9, 40)], STEPS),
    "one channel": ([var1(100)[:, :1]], STEPS),
    "constant channel": ([var1(100) * [1.0, 0.0] + [0.0, 3.0]], STEPS),
    "missing channel": ([np.where([True, False], var1(100), np.nan)], STEPS),
    "two equal channels": ([var1(100)[:, [0, 0]]], STEPS),
    "nothing observed": ([np.full((30, 2), np.nan)], STEPS),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("share", [0.0, 0.4])
def test_odd_series_give_a_proper_gaussian(name, share):
    series, steps = ODD[name]
    found = fit_autocovariance([holed(x, share) for x in series], steps)
    assert found.gamma.shape == (steps, series[0].shape[1], series[0].shape[1])
    joint = found.joint(steps)
    assert torch.isfinite(joint.precision).all()
    assert torch.linalg.eigvalsh(joint.covariance).min() > 0
    assert (found.noise > 0).all()


def test_lags_that_are_no_covariance_are_tapered_until_they_are():
    gamma = torch.tensor([1.0, 0.9, -0.9, 0.9]).double().view(4, 1, 1)
    assert torch.linalg.eigvalsh(window_covariance(gamma)).min() < -0.5
    tapered = made_positive(gamma)
    assert torch.linalg.eigvalsh(window_covariance(tapered)).min() > -1e-3
    assert tapered[0] == gamma[0]


def test_lags_that_are_one_stay_as_they_are():
    torch.testing.assert_close(made_positive(true_lags()), true_lags(), rtol=1e-6, atol=1e-6)


def test_windows_cover_every_step_and_join_to_the_series_again():
    series = [torch.randn(n, 2).double() for n in (1, 4, 5, 11)]
    cut = Cover.of(series, STEPS)
    assert all(torch.equal(a, b) for a, b in zip(cut.joined(cut.values), series, strict=True))
    for n in (1, 4, 5, 11, 12):
        covered = {t for s in starts(n, STEPS) for t in range(s, s + STEPS)}
        assert set(range(n)) <= covered
        assert max(starts(n, STEPS)) <= max(0, n - STEPS)


def test_a_long_series_is_thinned_evenly(monkeypatch):
    monkeypatch.setattr(em, "STEPS_AT_MOST", 1000)
    x = torch.arange(10_000.0).view(-1, 1)
    pieces = subsampled([x], STEPS)
    assert 800 <= sum(map(len, pieces)) <= 1200
    assert pieces[0][0] == 0
    assert pieces[-1][-1] == 9999


def test_a_shortened_process_is_that_of_the_first_steps_of_a_window():
    x = torch.randn(300, 2, generator=torch.Generator().manual_seed(0)).double().cumsum(0) * 0.1
    process = fit_autocovariance([x], steps=6)
    whole, short = process.joint(6, 0.3).covariance, process.shortened(4).joint(4, 0.3).covariance
    assert torch.equal(short, whole[:8, :8])


def windows_asked(monkeypatch):
    """The numbers of windows of every E-step from now on."""
    asked, e_step = [], em.e_step
    monkeypatch.setattr(em, "e_step", lambda cut, *rest: asked.append(len(cut.values)) or e_step(cut, *rest))
    return asked


def test_what_is_known_of_nearly_the_same_series_saves_iterations(monkeypatch):
    series, asked = [holed(var1(1000), 0.5)], windows_asked(monkeypatch)
    first = fit_autocovariance(series, STEPS)
    afresh = len(asked)
    again = fit_autocovariance(series, STEPS, start=first)
    assert len(asked) - afresh < afresh
    torch.testing.assert_close(again.gamma, first.gamma, rtol=0.1, atol=0.1)


def test_large_work_begins_with_what_a_part_of_the_series_says(monkeypatch):
    full = torch.from_numpy(var1(3000))
    x = holed(full.numpy(), 0.5)
    whole = fit_autocovariance([x], STEPS)
    monkeypatch.setattr(em, "WORK_OF_START", 750 * 2 / STEPS * (2 * STEPS) ** 3)
    asked = windows_asked(monkeypatch)
    begun = fit_autocovariance([x], STEPS)
    assert asked[0] < asked[-1] / 3
    error, before = ((Chain.of(a).smooth(x).mean - full)[x.isnan()].abs().mean() for a in (begun, whole))
    assert error < 1.02 * before

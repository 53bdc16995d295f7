"""New series have the bursts of days like theirs."""

import numpy as np
import pytest

from vaehub_timeseries.generation.generator import Generator, fit_generator

DAYS, STEPS = 200, 24
NUMBERS = np.zeros(1, bool)


def days_with_a_burst(seed=0):
    """Days on a high level with a burst at 6 o'clock, days on a low one with a burst at 18 o'clock: (DAYS x 24, 1)."""
    rng = np.random.default_rng(seed)
    high = rng.random(DAYS) < 0.5
    x = np.where(high, 3.0, -3.0)[:, None] + 0.3 * rng.normal(size=(DAYS, STEPS))
    x[np.arange(DAYS), np.where(high, 6, 18)] += 2.0
    return x.reshape(-1, 1)


@pytest.fixture(scope="module")
def generator():
    return fit_generator([days_with_a_burst()], STEPS, [0])


def burst(days, hour):
    return days[:, hour] - (days[:, hour - 1] + days[:, hour + 1]) / 2


def test_a_burst_comes_at_the_hour_of_days_like_it(generator):
    made, _ = generator.draw(150, STEPS, 0, NUMBERS)
    days = made[..., 0]
    high = days.mean(1) > 1.5
    low = days.mean(1) < -1.5
    assert high.sum() > 20
    assert low.sum() > 20
    assert np.median(burst(days[high], 6)) > 3 * abs(np.median(burst(days[high], 18)))
    assert np.median(burst(days[low], 18)) > 3 * abs(np.median(burst(days[low], 6)))


def test_no_day_is_followed_twice_before_all_are_once(generator):
    twice = generator.draw(2 * DAYS, STEPS, 0, NUMBERS)[0]
    assert len(np.unique(twice.reshape(2 * DAYS, -1), axis=0)) == 2 * DAYS
    rng = np.random.default_rng(0)
    donors = generator._donors(np.arange(DAYS), 3, rng)
    ends = donors[:, :-1] == DAYS - 1
    assert (donors[:, 1:][~ends] == donors[:, :-1][~ends] + 1).all()
    assert (donors[: DAYS - 1, 0] != np.arange(1, DAYS)).all()


def test_gaps_are_no_part_of_what_is_borrowed():
    x = days_with_a_burst()
    gap = np.random.default_rng(1).random(x.shape) < 0.3
    generator = fit_generator([np.where(gap, np.nan, x)], STEPS, [0])
    assert np.isfinite(generator.remainders).all()
    assert generator.remainders.shape == (DAYS, STEPS, 1)


def test_generators_saved_before_have_no_remainders_and_few_days_lend_none(generator):
    tensors = generator.to_tensors()
    del tensors["remainders"]
    before = Generator.from_tensors(tensors)
    assert not len(before.remainders)
    assert np.isfinite(before.draw(3, 30, 0, NUMBERS)[0]).all()
    assert not len(fit_generator([days_with_a_burst()[: 10 * STEPS]], STEPS, [0]).remainders)

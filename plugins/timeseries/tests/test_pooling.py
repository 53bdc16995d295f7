"""Rubin's rules against figures worked by hand, limits that are known, and coverage in a simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from vaehub.errors import UsageError
from vaehub_timeseries.pooling import pool


def test_a_case_worked_by_hand() -> None:
    # Q = 1, 2, 3, 4, 5: mean 3, B = 2.5; U = 1: T = 1 + 1.2 * 2.5 = 4, lambda = 0.75, nu = 4 / 0.5625 = 64 / 9
    pooled = pool([1, 2, 3, 4, 5], [1, 1, 1, 1, 1])
    assert pooled.estimate == pytest.approx(3)
    assert pooled.within == pytest.approx(1)
    assert pooled.between == pytest.approx(2.5)
    assert pooled.variance == pytest.approx(4)
    assert pooled.standard_error == pytest.approx(2)
    assert pooled.degrees_of_freedom == pytest.approx(64 / 9)
    assert pooled.missing_information == pytest.approx((3 + 2 / (64 / 9 + 3)) / 4)
    low, high = pooled.interval(0.9)
    assert (high - low) / 2 == pytest.approx(2 * stats.t.ppf(0.95, 64 / 9))


def test_small_samples_have_the_degrees_of_freedom_of_barnard_and_rubin() -> None:
    # as above with 10 degrees of freedom in complete data: nu_obs = 11/13 * 10 * 0.25 = 27.5 / 13
    pooled = pool([1, 2, 3, 4, 5], [1, 1, 1, 1, 1], complete_df=10)
    assert pooled.degrees_of_freedom == pytest.approx(1 / (9 / 64 + 13 / 27.5))
    assert pooled.degrees_of_freedom < 10


def test_nothing_missing_changes_nothing() -> None:
    pooled = pool(np.full((4, 2), 7.0), np.full((4, 2), 9.0))
    low, high = pooled.interval(0.95)
    assert pooled.variance == pytest.approx([9, 9])
    assert pooled.missing_information == pytest.approx([0, 0])
    assert np.isinf(pooled.degrees_of_freedom).all()
    assert high - low == pytest.approx(2 * 3 * stats.norm.ppf([0.975, 0.975]))
    finite = pool(np.full(4, 7.0), np.full(4, 9.0), complete_df=20)
    assert finite.degrees_of_freedom == pytest.approx(21 / 23 * 20)


def test_estimates_without_variance_of_their_own_lose_everything() -> None:
    pooled = pool([1.0, 2.0], [0.0, 0.0])
    assert pooled.variance == pytest.approx(0.75)
    assert pooled.missing_information == pytest.approx(1)
    assert pooled.degrees_of_freedom == pytest.approx(1)
    certain = pool([1.0, 1.0], [0.0, 0.0], complete_df=5)
    assert certain.interval() == pytest.approx((1.0, 1.0))
    assert np.isfinite(pool([1.0, 2.0], [0.0, 0.0], complete_df=5).degrees_of_freedom)


def test_arrays_pool_cell_by_cell() -> None:
    rng = np.random.default_rng(0)
    q, u = rng.standard_normal((6, 3, 2)), rng.random((6, 3, 2))
    whole = pool(q, u, complete_df=30)
    one = pool(q[:, 2, 1], u[:, 2, 1], complete_df=30)
    assert whole.interval(0.8)[0][2, 1] == pytest.approx(one.interval(0.8)[0])
    assert whole.missing_information.shape == (3, 2)


def test_intervals_cover_the_mean_of_a_normal_with_missing_values() -> None:
    """Proper imputations from the posterior predictive: the 90 % interval of the mean covers it 90 % of the time."""
    rng = np.random.default_rng(1)
    n, m, trials, seen = 40, 10, 1500, 25
    data = rng.standard_normal((trials, seen)) + 2.0
    mean, variance = data.mean(1), data.var(1, ddof=1)
    sigma = np.sqrt((seen - 1) * variance / rng.chisquare(seen - 1, (m, trials)))
    mu = mean + sigma / np.sqrt(seen) * rng.standard_normal((m, trials))
    drawn = mu[..., None] + sigma[..., None] * rng.standard_normal((m, trials, n - seen))
    completed = np.concatenate([np.broadcast_to(data, (m, *data.shape)), drawn], -1)
    low, high = pool(completed.mean(-1), completed.var(-1, ddof=1) / n, complete_df=n - 1).interval(0.9)
    assert ((low < 2.0) & (high > 2.0)).mean() == pytest.approx(0.9, abs=0.025)


@pytest.mark.parametrize(
    ("estimates", "variances", "said"),
    [
        ([1.0], [1.0], "two or more"),
        (1.0, 1.0, "two or more"),
        ([1.0, 2.0], [1.0], "one variance for every estimate"),
        ([1.0, np.nan], [1.0, 1.0], "finite"),
        ([1.0, 2.0], [1.0, -1.0], "squared standard errors"),
    ],
)
def test_mistakes_are_named(estimates: object, variances: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        pool(estimates, variances)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="complete_df"):
        pool([1.0, 2.0], [1.0, 1.0], complete_df=0)
    with pytest.raises(UsageError, match="level"):
        pool([1.0, 2.0], [1.0, 1.0]).interval(95)

"""Conditional Gaussians under any mask against dense linear algebra, and block-Toeplitz covariances against their definition."""

import pytest
import torch

from vaehub_timeseries.model import conditional as module
from vaehub_timeseries.model.autocovariance import lag_moments, window_covariance
from vaehub_timeseries.model.conditional import JointGaussian, conditional, conditional_mean, regression

CELLS = 7


def joint(cells=CELLS):
    generator = torch.Generator().manual_seed(3)
    root = torch.randn(cells, cells, generator=generator, dtype=torch.float64)
    return JointGaussian.of(torch.randn(cells, generator=generator), root @ root.T + 0.1 * torch.eye(cells))


def rows(share, count=60, cells=CELLS):
    generator = torch.Generator().manual_seed(int(100 * share))
    x = torch.randn(count, cells, generator=generator, dtype=torch.float64)
    x[torch.rand(count, cells, generator=generator) >= share] = torch.nan
    return x


def dense(row, joint):
    """Mean (P,) and covariance (P, P) of one row by the textbook's formula."""
    o = ~row.isnan()
    gain = joint.covariance[:, o] @ torch.linalg.inv(joint.covariance[o][:, o])
    mean = joint.mean + gain @ (row - joint.mean)[o]
    return mean, joint.covariance - gain @ joint.covariance[o]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_any_mask_gives_the_textbooks_mean_and_sd(share):
    gaussian, x = joint(), rows(share)
    out = conditional(x, gaussian)
    means, covariances = zip(*(dense(row, gaussian) for row in x), strict=True)
    seen = ~x.isnan()
    torch.testing.assert_close(out.mean[~seen], torch.stack(means)[~seen])
    sd = torch.stack([c.diagonal().clamp(min=0).sqrt() for c in covariances])
    torch.testing.assert_close(out.sd[~seen], sd[~seen], atol=1e-6, rtol=1e-6)
    assert torch.equal(out.mean[seen], x[seen])
    assert not out.sd[seen].any()
    torch.testing.assert_close(conditional_mean(x, gaussian), out.mean)
    tail = conditional(x, gaussian, last=3)
    torch.testing.assert_close(tail.mean, out.mean[:, -3:])
    torch.testing.assert_close(tail.sd, out.sd[:, -3:])


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_draws_less_their_regression_have_the_conditional_covariance(share):
    gaussian, n = joint(), 40_000
    observed = ~rows(share)[:1].isnan()
    draws = torch.randn(1, n, CELLS, generator=torch.Generator().manual_seed(1), dtype=torch.float64) @ gaussian.root.T
    rest = (draws - regression(draws, observed, gaussian))[0]
    assert not rest[:, observed[0]].any()
    _, expected = dense(torch.where(observed[0], 1.0, torch.nan), gaussian)
    scale = expected.diagonal().clamp(min=1e-9).sqrt()
    error = (rest.T @ rest / n - expected) / (scale.unsqueeze(0) * scale.unsqueeze(1))
    assert error[~observed[0]][:, ~observed[0]].abs().max() < 6 * (2 / n) ** 0.5


def test_groups_of_any_size_give_the_same(monkeypatch):
    gaussian, x = joint(), rows(0.5)
    whole = conditional(x, gaussian)
    monkeypatch.setattr(module, "NUMBERS_AT_ONCE", 40)
    assert len(list(module.mask_groups(~x.isnan(), CELLS))) > 10
    parts = conditional(x, gaussian)
    for name in ("mean", "sd"):
        torch.testing.assert_close(getattr(parts, name), getattr(whole, name))


def test_no_rows_give_no_rows():
    assert conditional(rows(0.5)[:0], joint()).mean.shape == (0, CELLS)


def test_a_window_covariance_holds_every_lag_at_its_place():
    gamma = torch.randn(4, 2, 2, dtype=torch.float64)
    gamma[0] = gamma[0] + gamma[0].T
    blocks = window_covariance(gamma).view(4, 2, 4, 2)
    for s in range(4):
        for t in range(s, 4):
            assert torch.equal(blocks[s, :, t], gamma[t - s])
            assert torch.equal(blocks[t, :, s], gamma[t - s].T)
    assert window_covariance(gamma, 2).shape == (4, 4)


def test_lag_moments_are_means_over_all_pairs_of_all_series():
    series = [torch.randn(n, 2, dtype=torch.float64) for n in (5, 2, 5)]
    found = lag_moments(series, 4)
    for k in range(4):
        pairs = [torch.outer(x[t], x[t + k]) for x in series for t in range(len(x) - k)]
        torch.testing.assert_close(found[k], torch.stack(pairs).mean(0))
    assert not lag_moments(series, 6)[5].any()  # no series is that long
    torch.testing.assert_close(lag_moments(torch.stack(series[::2]), 4), lag_moments(series[::2], 4))

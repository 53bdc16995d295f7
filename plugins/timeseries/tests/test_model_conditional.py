"""Conditional Gaussians under any mask against dense linear algebra, and block-Toeplitz covariances against their definition."""

import pytest
import torch

from vaehub_timeseries.model import conditional as module
from vaehub_timeseries.model.autocovariance import averaged_lags, lag_moments, window_covariance
from vaehub_timeseries.model.conditional import JointGaussian, conditional

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
def test_any_mask_gives_the_textbooks_mean_sd_and_covariance(share):
    gaussian, x = joint(), rows(share)
    out = conditional(x, gaussian, moments=True)
    means, covariances = zip(*(dense(row, gaussian) for row in x), strict=True)
    seen = ~x.isnan()
    torch.testing.assert_close(out.mean[~seen], torch.stack(means)[~seen])
    sd = torch.stack([c.diagonal().clamp(min=0).sqrt() for c in covariances])
    torch.testing.assert_close(out.sd[~seen], sd[~seen], atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(out.covariance, torch.stack(covariances).sum(0), atol=1e-8, rtol=1e-8)
    assert torch.equal(out.mean[seen], x[seen])
    assert not out.sd[seen].any()


def test_groups_of_any_size_give_the_same(monkeypatch):
    gaussian, x = joint(), rows(0.5)
    whole = conditional(x, gaussian, moments=True)
    monkeypatch.setattr(module, "NUMBERS_AT_ONCE", 40)
    assert len(list(module.mask_groups(~x.isnan()))) > 10
    parts = conditional(x, gaussian, moments=True)
    for name in ("mean", "sd", "covariance"):
        torch.testing.assert_close(getattr(parts, name), getattr(whole, name))


def test_no_rows_give_no_rows():
    out = conditional(rows(0.5)[:0], joint(), moments=True)
    assert out.mean.shape == (0, CELLS)
    assert not out.covariance.any()


def test_a_window_covariance_holds_every_lag_at_its_place():
    gamma = torch.randn(4, 2, 2, dtype=torch.float64)
    gamma[0] = gamma[0] + gamma[0].T
    blocks = window_covariance(gamma).view(4, 2, 4, 2)
    for s in range(4):
        for t in range(s, 4):
            assert torch.equal(blocks[s, :, t], gamma[t - s])
            assert torch.equal(blocks[t, :, s], gamma[t - s].T)
    torch.testing.assert_close(averaged_lags(window_covariance(gamma), 4), gamma)
    assert window_covariance(gamma, 2).shape == (4, 4)


def test_lag_moments_are_means_over_all_pairs_of_all_series():
    series = [torch.randn(n, 2, dtype=torch.float64) for n in (5, 2, 5)]
    found = lag_moments(series, 4)
    for k in range(4):
        pairs = [torch.outer(x[t], x[t + k]) for x in series for t in range(len(x) - k)]
        torch.testing.assert_close(found[k], torch.stack(pairs).mean(0))
    assert not lag_moments(series, 6)[5].any()  # no series is that long

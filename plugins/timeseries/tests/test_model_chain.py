"""Smoothing of long series against the dense Gaussian of all their cells."""

import pytest
import torch

from vaehub_timeseries.model import chain as module
from vaehub_timeseries.model.autocovariance import window_covariance
from vaehub_timeseries.model.chain import Chain, extended, with_noise
from vaehub_timeseries.model.conditional import JointGaussian, conditional
from vaehub_timeseries.model.em import Autocovariance

STEPS, CHANNELS = 4, 2
TRANSITION = torch.tensor([[0.8, 0.15], [-0.2, 0.6]], dtype=torch.float64)


def var1(lags, memory=1.0):
    """Lags of x_t = A x_{t-1} + e, e ~ N(0, I): gamma_0 = sum_i A^i A^iT, gamma_k = cov(x_t, x_{t+k}) = gamma_0 A^kT."""
    powers = [torch.linalg.matrix_power(memory * TRANSITION, i) for i in range(400)]
    start = sum(p @ p.T for p in powers)
    return torch.stack([start @ p.T for p in powers[:lags]])


@pytest.fixture
def process():
    return Autocovariance(torch.tensor([1.0, -2.0]).double(), var1(STEPS), torch.tensor([0.05, 0.1]).double())


def holed(length, seed=0, share=0.5):
    generator = torch.Generator().manual_seed(seed)
    x = 2 * torch.randn(length, CHANNELS, generator=generator, dtype=torch.float64)
    x[torch.rand(length, CHANNELS, generator=generator) < share] = torch.nan
    x[length // 3 : length // 3 + 7] = torch.nan  # a gap longer than a block
    return x


def dense(process, level, length):
    lags = extended(with_noise(process, level), max(length, STEPS))
    return JointGaussian.of(process.mean.repeat(length), window_covariance(lags[:length]))


@pytest.mark.parametrize("level", [0.0, 0.3])
@pytest.mark.parametrize("length", [1, 3, 4, 5, 8, 11, 30])
def test_smoothing_is_exact(process, level, length):
    x = holed(length)
    expected = conditional(x.reshape(1, -1), dense(process, level, length))
    found = Chain.of(process, level).smooth(x)
    torch.testing.assert_close(found.mean, expected.mean.view(length, -1))
    torch.testing.assert_close(found.sd, expected.sd.view(length, -1), atol=1e-6, rtol=1e-6)
    seen = ~x.isnan()
    assert torch.equal(found.mean[seen], x[seen])


@pytest.mark.parametrize("length", [3, 11])
def test_draws_have_the_joint_covariance(process, length):
    x, n = holed(length), 20_000
    joint = dense(process, 0.3, length)
    expected, missing = conditional(x.reshape(1, -1), joint), x.isnan().flatten()
    draws = Chain.of(process, 0.3).smooth(x, n, torch.Generator().manual_seed(1)).draws.flatten(1)
    scale = expected.sd.squeeze(0).clamp(min=1e-9)
    covariance = torch.linalg.inv(joint.precision[missing][:, missing])
    error = draws.T.cov()[missing][:, missing] / (scale[missing].unsqueeze(0) * scale[missing].unsqueeze(1))
    expected_error = covariance / (scale[missing].unsqueeze(0) * scale[missing].unsqueeze(1))
    assert (error - expected_error).abs().max() < 6 * (2 / n) ** 0.5
    assert ((draws.mean(0) - expected.mean.squeeze(0)) / scale)[missing].abs().max() < 6 / n**0.5
    assert torch.equal(draws[:, ~missing], x.flatten()[~missing].expand(n, -1))


def test_a_long_series_in_parts_is_the_same_to_the_memory_of_the_process(monkeypatch):
    short = Autocovariance(torch.zeros(2).double(), var1(STEPS, 0.4), torch.full((2,), 0.1).double())
    x = holed(160, share=0.3)
    whole = Chain.of(short).smooth(x)
    monkeypatch.setattr(module, "BLOCKS_AT_ONCE", 7)
    parts = Chain.of(short).smooth(x)
    assert not torch.equal(parts.mean, whole.mean)  # it was cut
    torch.testing.assert_close(parts.mean, whole.mean, atol=0.01, rtol=0.0)
    torch.testing.assert_close(parts.sd, whole.sd, atol=1e-3, rtol=0.0)
    middle = slice(8, 16)  # far from every seam of parts of 28 steps
    torch.testing.assert_close(parts.mean[middle], whole.mean[middle], atol=1e-6, rtol=0.0)


def test_draws_of_parts_agree_with_their_means(process, monkeypatch):
    monkeypatch.setattr(module, "BLOCKS_AT_ONCE", 3)
    found = Chain.of(process).smooth(holed(50), 4000, torch.Generator().manual_seed(1))
    gap = found.sd > 0
    z = (found.draws.mean(0) - found.mean)[gap] / found.sd[gap]
    assert z.abs().max() < 6 / 4000**0.5
    assert (found.draws.std(0)[gap] / found.sd[gap] - 1).abs().max() < 0.08


def test_lags_are_continued_by_the_autoregression_that_they_come_from():
    torch.testing.assert_close(extended(var1(3), 12), var1(12))


def test_a_single_lag_is_continued_by_independence():
    assert not extended(var1(1), 3)[1:].any()


def test_blocks_of_one_step_are_independent():
    white = Autocovariance(torch.zeros(2).double(), var1(1), torch.full((2,), 0.1).double())
    x = torch.tensor([[1.0, torch.nan], [torch.nan, torch.nan], [torch.nan, 2.0]]).double()
    found = Chain.of(white).smooth(x)
    expected = conditional(x, white.joint(1))
    torch.testing.assert_close(found.mean, expected.mean)
    torch.testing.assert_close(found.sd, expected.sd)


def test_a_drifting_level_makes_a_far_gap_follow_what_was_seen(process):
    x = torch.full((12, CHANNELS), torch.nan).double()
    x[:STEPS] = process.mean + 3.0
    still, drifting = (Chain.of(process, level).smooth(x) for level in (0.0, 3.0))
    assert (drifting.mean[-1] - process.mean).min() > 2 * (still.mean[-1] - process.mean).abs().max()
    assert (drifting.sd[-1] > still.sd[-1]).all()

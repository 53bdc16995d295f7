"""Encoders and decoders of windows: what they are shown, what they make of it, and that they learn a real series."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.cbook import get_sample_data
from torch import Tensor

from vaehub.base import Batch, Encoder, Spec, Step
from vaehub.errors import UsageError
from vaehub.model.likelihoods import Normal
from vaehub.model.objectives import ELBO
from vaehub.model.posteriors import IAF, DiagNormal
from vaehub.model.priors import StandardNormal
from vaehub.model.vae import VAE
from vaehub_timeseries import masks
from vaehub_timeseries.parts import hiding
from vaehub_timeseries.parts.banded import Banded
from vaehub_timeseries.parts.completion import complete
from vaehub_timeseries.parts.decoders import SeriesDecoder, StepDecoder
from vaehub_timeseries.parts.encoders import MaskedSeries, StepEncoder
from vaehub_timeseries.parts.gp import GaussianProcess
from vaehub_timeseries.parts.temporal import Network, Temporal

STEPS, CHANNELS = 12, 4
SPEC = Spec((STEPS, CHANNELS))


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def prices() -> tuple[Tensor, Tensor, Tensor]:
    """Standardised log prices of four shares, monthly, in windows; what is observed, and what of it is hidden."""
    frame = pd.read_csv(get_sample_data("Stocks.csv", asfileobj=False), comment="#", index_col=0)
    values = np.log(frame[["IBM", "AAPL", "MSFT", "XRX"]].dropna(how="all").to_numpy())
    values = (values - np.nanmean(values, 0)) / np.nanstd(values, 0)
    windows = np.stack([values[i : i + STEPS] for i in range(0, len(values) - STEPS, 8)])
    observed = ~np.isnan(windows)
    hidden = masks.mcar(windows.shape, 0.3, np.random.default_rng(0)) & observed
    return torch.tensor(windows, dtype=torch.float32), torch.tensor(observed), torch.tensor(hidden)


def masked_vae() -> VAE:
    encoder = MaskedSeries(SPEC, DiagNormal(4), network="convolution", width=16)
    return VAE(encoder, SeriesDecoder(SPEC, 4, Normal(SPEC), network="convolution", width=16), StandardNormal(SPEC, 4))


def gp_vae() -> VAE:
    latent = STEPS * 2
    encoder = StepEncoder(SPEC, Banded(latent, channels=2), channels=2, width=16)
    decoder = StepDecoder(SPEC, latent, Normal(SPEC), channels=2, hidden=(16,))
    return VAE(encoder, decoder, GaussianProcess(SPEC, latent, channels=2))


@pytest.mark.slow
@pytest.mark.parametrize("make", [masked_vae, gp_vae])
def test_it_fills_a_real_series_better_than_its_mean(make: Callable[[], VAE], prices: tuple[Tensor, Tensor, Tensor]) -> None:
    x, observed, hidden = prices
    seen = observed & ~hidden
    vae = make()
    optimizer, objective = torch.optim.Adam(vae.parameters(), lr=1e-2), ELBO()
    for step in range(150):
        loss, _ = objective(vae(Batch(x, None, seen)), Step(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    filled = complete(vae.eval(), Batch(x, None, seen), 20).mean
    mean = torch.where(seen, x, 0).sum((0, 1)) / seen.sum((0, 1))
    assert filled.isfinite().all()
    assert error(filled, x, hidden) < 0.7 * error(mean.expand_as(x), x, hidden)


def error(filled: Tensor, x: Tensor, hidden: Tensor) -> float:
    return float((filled - x)[hidden].abs().mean())


def encoders() -> list[Encoder]:
    return [
        MaskedSeries(SPEC, DiagNormal(4), width=16),
        MaskedSeries(SPEC, DiagNormal(4), network="convolution", width=16),
        StepEncoder(SPEC, Banded(STEPS), width=16),
        StepEncoder(SPEC, DiagNormal(STEPS * 2), channels=2, network="transformer", width=16),
    ]


@pytest.mark.parametrize("which", range(4))
def test_mask_is_read(which: int) -> None:
    """A value that is 0 is told apart from one that is missing."""
    encoder, x = encoders()[which].eval(), torch.zeros(2, STEPS, CHANNELS)
    mask = torch.ones_like(x, dtype=torch.bool)
    mask[1, 5, 2] = False
    mean = encoder(Batch(x, None, mask)).mean
    assert (mean[0] - mean[1]).abs().max() > 1e-5


@pytest.mark.parametrize("which", range(4))
def test_hiding_is_for_training_only(which: int) -> None:
    encoder, batch = encoders()[which], Batch(torch.randn(3, STEPS, CHANNELS))
    training = [encoder(batch).mean for _ in range(2)]
    assert not torch.equal(*training)
    encoder.eval()
    assert torch.equal(encoder(batch).mean, encoder(batch).mean)


def test_encoder_sees_nothing_of_hidden_cells() -> None:
    encoder = MaskedSeries(SPEC, DiagNormal(2), width=8, hide=0.5)
    batch = Batch(torch.randn(64, STEPS, CHANNELS), None, torch.rand(64, STEPS, CHANNELS) < 0.8)
    seen = encoder.read.seen(batch)
    assert not (seen & ~batch.mask).any()  # type: ignore[operator]
    assert seen.sum() / batch.mask.sum() == pytest.approx(0.5, abs=0.06)  # type: ignore[union-attr]


def test_loss_stays_on_hidden_cells() -> None:
    vae, x = masked_vae(), torch.randn(2, STEPS, CHANNELS)
    vae.encoder.read.hide = 0.9  # type: ignore[union-attr]
    terms = vae(Batch(x))
    assert torch.allclose(terms.log_px[0], terms.px.log_prob(x).sum((1, 2)))


@pytest.mark.parametrize("pattern", [hiding.points, hiding.runs, hiding.steps, hiding.hide_at_rate])
@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_patterns_hide_at_their_rate(pattern: Callable[[Tensor, float], Tensor], rate: float) -> None:
    drawn = torch.stack([pattern(torch.zeros(200, STEPS, CHANNELS), rate) for _ in range(20)])
    assert drawn.dtype == torch.bool
    assert drawn.float().mean() == pytest.approx(rate, abs=0.03)
    assert (drawn.float().mean((0, 1)) - rate).abs().max() < 0.06, "every cell alike"


def test_patterns_have_their_forms() -> None:
    like = torch.zeros(300, 40, CHANNELS)
    whole = hiding.steps(like, 0.3)
    assert (whole.all(-1) == whole.any(-1)).all()
    inside = hiding.runs(like, 0.1).numpy()
    lengths = masks.gap_lengths(inside.transpose(1, 0, 2).reshape(40, -1))[12:-12]
    assert lengths[lengths > 0].min() >= 2


@pytest.mark.parametrize("network", ["transformer", "convolution"])
def test_networks_see_past_and_future_and_know_the_step(network: Network) -> None:
    net = Temporal(network, 9, 8, 3, 0.0).eval()
    x = torch.randn(1, 9, 8, requires_grad=True)
    (gradient,) = torch.autograd.grad(net(x)[0, 4].square().sum(), x)
    assert (gradient[0].abs().sum(-1) > 0).all()
    same = net(torch.ones(1, 9, 8))
    assert (same[0, 3] - same[0, 4]).abs().max() > 1e-4


def test_a_step_depends_on_its_own_code_alone() -> None:
    decoder = StepDecoder(SPEC, STEPS * 2, Normal(SPEC), channels=2)
    z = torch.randn(1, STEPS * 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(decoder(z).mean[0, 5].sum(), z)
    assert gradient.view(2, STEPS).nonzero()[:, 1].unique().tolist() == [5]


def test_coarser_codes_are_interpolated() -> None:
    decoder = StepDecoder(SPEC, 3, Normal(SPEC), hidden=())
    mean = decoder(torch.tensor([[0.0, 1.0, 0.0]])).mean[0]
    slope = mean[1:] - mean[:-1]
    torch.testing.assert_close(slope[0], -slope[-1], rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(slope[0].expand(5, -1), slope[:5], rtol=1e-3, atol=1e-5)


def test_wrong_data_are_named() -> None:
    for make in (
        lambda spec: MaskedSeries(spec, DiagNormal(2)),
        lambda spec: StepEncoder(spec, DiagNormal(2)),
        lambda spec: SeriesDecoder(spec, 2, Normal(spec)),
        lambda spec: StepDecoder(spec, 2, Normal(spec)),
    ):
        for spec in (Spec((4,)), Spec((1, 8, 8)), Spec((4, 2), classes=3)):
            with pytest.raises(UsageError, match="windows"):
                make(spec)
    with pytest.raises(UsageError, match="not a multiple of channels"):
        StepDecoder(SPEC, 10, Normal(SPEC), channels=3)
    with pytest.raises(UsageError, match="do not split"):
        StepEncoder(SPEC, IAF(STEPS, context=5))

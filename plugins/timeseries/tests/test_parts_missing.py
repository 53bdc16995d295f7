"""Values missing because of what they are: the model of the mask, and what it repairs."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal as Gaussian

from vaehub.base import Batch, Encoder, Objective, Spec, Step
from vaehub.errors import UsageError
from vaehub.model.likelihoods import Laplace, Normal, Poisson, StudentT
from vaehub.model.nets import MLPDecoder, MLPEncoder
from vaehub.model.objectives import ELBO, IWAE
from vaehub.model.posteriors import DiagNormal, diag_normal
from vaehub.model.priors import StandardNormal
from vaehub.model.vae import VAE
from vaehub_timeseries.parts.completion import complete
from vaehub_timeseries.parts.not_miwae import NotMIWAE
from vaehub_timeseries.parts.self_masking import SelfMasking

CHANNELS = 3
SPEC = Spec((CHANNELS,))


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def self_masked(rows: int = 300) -> Batch:
    """One factor, mean 0; half of the first channel is missing, the high half by a soft threshold."""
    x = torch.randn(rows, 1) @ torch.tensor([[0.8, 0.8, -0.7]]) + 0.5 * torch.randn(rows, CHANNELS)
    mask = torch.ones(rows, CHANNELS, dtype=torch.bool)
    mask[:, 0] = torch.rand(rows) > torch.sigmoid(4 * x[:, 0])
    return Batch(x, None, mask)


def trained(batch: Batch, objective: Objective, **options: str) -> VAE:
    """A linear-Gaussian VAE; with options, its likelihood models the mask."""
    likelihood = SelfMasking(SPEC, **options) if options else Normal(SPEC)  # type: ignore[arg-type]
    encoder = MLPEncoder(SPEC, DiagNormal(1), hidden=(16,), mask=True)
    vae = VAE(encoder, MLPDecoder(SPEC, 1, likelihood, hidden=()), StandardNormal(SPEC, 1))
    optimizer = torch.optim.Adam(vae.parameters(), lr=0.05)
    for step in range(120):
        loss, _ = objective(vae(batch, objective.samples), Step(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return vae.eval()


def mean_of_first(vae: VAE) -> float:
    """E[x_0] under the model: its decoder is affine in z ~ N(0, 1)."""
    return float(vae.decoder(torch.zeros(1, 1)).mean[0, 0].detach())


@pytest.mark.slow
def test_not_miwae_finds_the_mean_that_miwae_gets_wrong() -> None:
    batch = self_masked()
    true, seen = float(batch.x[:, 0].mean()), float(batch.x[:, 0][batch.mask[:, 0]].mean())  # type: ignore[index]
    assert seen < true - 0.45
    miwae = trained(batch, IWAE(samples=8))
    assert mean_of_first(miwae) < true - 0.2
    known = trained(batch, NotMIWAE(samples=8), missing="high")
    assert mean_of_first(known) == pytest.approx(true, abs=0.12)
    agnostic = trained(batch, NotMIWAE(samples=8), missing="unknown")
    assert mean_of_first(agnostic) == pytest.approx(true, abs=0.12)
    assert rmse(known, batch) < 0.8 * rmse(miwae, batch)


def rmse(vae: VAE, batch: Batch) -> float:
    """Error of the filled cells."""
    assert batch.mask is not None
    return float((complete(vae, batch, 50).mean - batch.x)[~batch.mask].square().mean().sqrt())


def test_bound_is_the_evidence_of_values_and_mask() -> None:
    """With many draws of z from the prior, against the integral over z and x_m on a grid."""
    likelihood = SelfMasking(SPEC, missing="high")
    with torch.no_grad():
        likelihood.missingness.slope.fill_(1.0)
        likelihood.missingness.offset.fill_(-0.5)
    vae = VAE(Prior(), MLPDecoder(SPEC, 1, likelihood, hidden=()), StandardNormal(SPEC, 1))
    batch = Batch(torch.tensor([[0.3, -0.2, 0.9]]), None, torch.tensor([[True, False, True]]))
    objective = NotMIWAE(samples=200_000)
    bound = -float(objective(vae(batch, objective.samples), Step())[0].detach())
    assert bound == pytest.approx(by_grid(vae, likelihood, batch), abs=0.01)


class Prior(Encoder):
    """q(z|x) = p(z)."""

    def __init__(self) -> None:
        super().__init__(SPEC, DiagNormal(1))

    def forward(self, batch: Batch) -> torch.distributions.Distribution:
        return diag_normal(torch.zeros(len(batch.x), 1), torch.ones(len(batch.x), 1))


@torch.no_grad()
def by_grid(vae: VAE, likelihood: SelfMasking, batch: Batch) -> float:
    z, hidden = torch.linspace(-6, 6, 401), torch.linspace(-8, 8, 401)
    x = batch.x.expand(401, 401, CHANNELS).clone()
    x[..., 1] = hidden
    px = vae.decoder(z.unsqueeze(1))
    log_x = Gaussian(px.mean.unsqueeze(1), px.stddev.unsqueeze(1)).log_prob(x).sum(-1)  # type: ignore[no-untyped-call]
    logit = likelihood.missingness(x)
    log_mask = torch.nn.functional.logsigmoid(torch.where(torch.tensor([True, False, True]), -logit, logit)).sum(-1)
    log_z = -0.5 * (z.square() + math.log(2 * math.pi))
    total = (log_x + log_mask + log_z.unsqueeze(1)).flatten().logsumexp(0)
    return float(total + ((z[1] - z[0]) * (hidden[1] - hidden[0])).log())


def test_slope_keeps_the_sign_that_is_known() -> None:
    x = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    for side, sign in (("high", 1), ("low", -1)):
        logit = SelfMasking(SPEC, missing=side).missingness(x)  # type: ignore[arg-type]
        assert ((logit[1] - logit[0]) * sign > 0).all()
    assert (SelfMasking(SPEC).missingness(x) == 0).all(), "unknown starts without a side"


def test_window_has_a_model_of_the_mask_for_each_channel() -> None:
    likelihood = SelfMasking(Spec((5, 2)), base=Laplace)
    px = likelihood(torch.randn(3, *likelihood.param_shape))
    seen = torch.ones(3, 5, 2, dtype=torch.bool)
    assert likelihood.missingness.slope.shape == (2,)
    assert px.log_mask(torch.randn(3, 5, 2), seen).shape == (3, 5, 2)  # type: ignore[attr-defined]


def test_mistakes_are_named() -> None:
    with pytest.raises(UsageError, match="carry no gradient"):
        SelfMasking(SPEC, base=Poisson)
    with pytest.raises(UsageError, match="carry no gradient"):
        SelfMasking(SPEC, base=StudentT)
    with pytest.raises(UsageError, match="rows"):
        SelfMasking(Spec((1, 8, 8)))
    vae = VAE(Prior(), MLPDecoder(SPEC, 1, Normal(SPEC)), StandardNormal(SPEC, 1))
    with pytest.raises(UsageError, match="set likelihood: self_masking"):
        NotMIWAE(samples=2)(vae(Batch(torch.zeros(2, 3)), 2), Step())


def exact_factor_model() -> tuple[VAE, Tensor, Tensor]:
    """A linear-Gaussian VAE with q = p, and the mean and covariance of its x."""
    decoder = MLPDecoder(SPEC, 1, Normal(SPEC, scale=0.5), hidden=())
    (layer,) = decoder.net
    weight, bias = layer.weight.detach(), layer.bias.detach()  # type: ignore[operator,union-attr]
    return VAE(Prior(), decoder, StandardNormal(SPEC, 1)), bias, weight @ weight.T + 0.25 * torch.eye(CHANNELS)


def test_completion_is_the_conditional_distribution() -> None:
    vae, mean, cov = exact_factor_model()
    batch = Batch(torch.tensor([[0.7, math.nan, math.nan]]), None, torch.tensor([[True, False, False]]))
    found = complete(vae, batch, samples=60_000, draws=20_000)
    gain = cov[1:, :1] / cov[0, 0]
    torch.testing.assert_close(found.mean[0, 1:], mean[1:] + gain[:, 0] * (0.7 - mean[0]), rtol=0, atol=0.02)
    torch.testing.assert_close(found.draws[:, 0, 1:].T.cov(), cov[1:, 1:] - gain @ cov[:1, 1:], rtol=0, atol=0.03)
    assert (found.draws[:, 0, 0] == torch.tensor(0.7)).all()


def test_completion_keeps_what_is_observed_and_needs_no_mask() -> None:
    vae, _, _ = exact_factor_model()
    x = torch.randn(4, CHANNELS)
    torch.testing.assert_close(complete(vae, Batch(x), 10).mean, x)
    assert complete(vae, Batch(x), 10, draws=0).draws.shape == (0, 4, CHANNELS)
    assert ELBO()(vae(Batch(x)), Step())[0].isfinite()

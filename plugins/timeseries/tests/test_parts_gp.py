"""The GP-VAE's distributions against dense linear algebra."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Independent, Laplace, MultivariateNormal, kl_divergence

from vaehub.base import Spec
from vaehub.base.outcome import exact_kl_per_dim
from vaehub.errors import UsageError
from vaehub.model.posteriors import diag_normal
from vaehub_timeseries.parts.banded import Banded
from vaehub_timeseries.parts.chains import GaussMarkov, recurrence
from vaehub_timeseries.parts.gp import NUGGET, GaussianProcess, SeriesNormal, covariance

STEPS, CHANNELS, ROWS = 9, 3, 4
LATENT = STEPS * CHANNELS
KINDS = ("cauchy", "rbf", "matern12", "matern32", "matern52")


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def q() -> GaussMarkov:
    return chain()


def chain(scale: float = 1.0) -> GaussMarkov:
    posterior = Banded(LATENT, channels=CHANNELS)
    q = posterior(scale * torch.randn(ROWS, posterior.features, dtype=torch.float64))
    assert isinstance(q, GaussMarkov)
    return q


def process(kernel: str = "cauchy") -> SeriesNormal:
    prior = GaussianProcess(Spec((STEPS, 2)), LATENT, channels=CHANNELS, kernel=kernel, length_scales=(1.5, 6.0)).double()
    p = prior()
    assert isinstance(p, SeriesNormal)
    return p


def dense(q: GaussMarkov) -> Tensor:
    """The covariance (B, k, T, T), entry by entry: σ_i σ_j times the product of the correlations in between."""
    out = torch.zeros(*q.loc.shape, STEPS, dtype=q.loc.dtype)
    for i in range(STEPS):
        for j in range(STEPS):
            between = q.rho[..., min(i, j) + 1 : max(i, j) + 1].prod(-1)
            out[..., i, j] = q.scale[..., i] * q.scale[..., j] * between
    return out


def as_normal(mean: Tensor, cov: Tensor) -> MultivariateNormal:
    """All series at once: a block-diagonal covariance."""
    return MultivariateNormal(mean, torch.stack([torch.block_diag(*blocks) for blocks in cov]))


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 8, 64, 101])
def test_recurrence_matches_a_loop(steps: int) -> None:
    factor, term = torch.randn(2, steps, dtype=torch.float64), torch.randn(5, 2, steps, dtype=torch.float64)
    h, expected = torch.zeros(5, 2, dtype=torch.float64), []
    for t in range(steps):
        h = factor[:, t] * h + term[..., t]
        expected.append(h)
    torch.testing.assert_close(recurrence(factor, term), torch.stack(expected, -1))


def test_recurrence_has_gradients() -> None:
    inputs = (
        torch.randn(2, 7, dtype=torch.float64, requires_grad=True),
        torch.randn(2, 7, dtype=torch.float64, requires_grad=True),
    )
    assert torch.autograd.gradcheck(recurrence, inputs)


def test_precision_is_tridiagonal(q: GaussMarkov) -> None:
    precision = torch.linalg.inv(dense(q))
    assert precision.tril(-2).abs().max() < 1e-6 * precision.abs().max()
    assert precision.diagonal(1, -2, -1).abs().max() > 0.1


def test_density_is_that_of_the_dense_normal(q: GaussMarkov) -> None:
    z = torch.randn(5, ROWS, LATENT, dtype=torch.float64)
    torch.testing.assert_close(q.log_prob(z), as_normal(q.mean, dense(q)).log_prob(z))


def test_samples_have_the_covariance_of_the_posterior(q: GaussMarkov) -> None:
    z = q.rsample((20_000,)).unflatten(-1, (CHANNELS, STEPS))
    off = (z - q.loc) / q.scale
    seen = torch.einsum("sbki,sbkj->bkij", off, off) / len(z)
    expected = dense(q) / (q.scale.unsqueeze(-1) * q.scale.unsqueeze(-2))
    assert (seen - expected).abs().max() < 6 / math.sqrt(len(z)) * math.sqrt(2)
    assert (torch.einsum("sbi,sbj->bij", off[:, :, 0], off[:, :, 1]) / len(z)).abs().max() < 0.05, "series are independent"


def test_every_tridiagonal_precision_can_be_reached() -> None:
    """From B bidiagonal, at random, back to (σ, ρ): the family is all of the paper's."""
    upper = torch.randn(STEPS, STEPS, dtype=torch.float64).triu().tril(1)
    upper.diagonal().abs_().add_(0.3)
    cov = torch.linalg.inv(upper.T @ upper)
    sd = cov.diagonal().sqrt()
    link = (cov.diagonal(1) / (sd[1:] * sd[:-1])).atanh()
    chain = GaussMarkov(torch.zeros(1, 1, STEPS, dtype=torch.float64), sd.view(1, 1, -1), link.view(1, 1, -1))
    torch.testing.assert_close(dense(chain)[0, 0], cov)


@pytest.mark.parametrize("kernel", KINDS)
def test_prior_density_is_that_of_the_dense_normal(kernel: str) -> None:
    p, z = process(kernel), torch.randn(6, LATENT, dtype=torch.float64)
    cov = torch.stack([covariance(kernel, (1.5, 6.0)[i % 2], STEPS) for i in range(CHANNELS)])  # type: ignore[arg-type]
    expected = as_normal(torch.zeros(1, LATENT, dtype=torch.float64), cov.unsqueeze(0)).log_prob(z)
    torch.testing.assert_close(p.log_prob(z), expected, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(p.variance, torch.ones(LATENT, dtype=torch.float64), rtol=1e-5, atol=1e-5)
    draws = p.sample((20_000,)).unflatten(-1, (CHANNELS, STEPS))
    assert (torch.einsum("ski,skj->kij", draws, draws) / len(draws) - cov).abs().max() < 0.06


def test_kernels_have_their_forms() -> None:
    r = 0.5  # one step at length scale 2
    values = {kernel: float(covariance(kernel, 2.0, 2)[0, 1]) / (1 - NUGGET) for kernel in KINDS}  # type: ignore[arg-type]
    assert values["cauchy"] == pytest.approx(0.8)
    assert values["rbf"] == pytest.approx(math.exp(-0.125))
    for kernel, nu in (("matern12", 0.5), ("matern32", 1.5), ("matern52", 2.5)):
        assert values[kernel] == pytest.approx(matern(r, nu), rel=1e-9)


def matern(r: float, nu: float) -> float:
    from scipy.special import gamma, kv

    x = math.sqrt(2 * nu) * r
    return float(2 ** (1 - nu) / gamma(nu) * x**nu * kv(nu, x))


@pytest.mark.parametrize("kernel", KINDS)
def test_kl_is_exact(kernel: str) -> None:
    q, p = chain(), process(kernel)
    cov = p.tril @ p.tril.mT
    expected = kl_divergence(as_normal(q.mean, dense(q)), as_normal(q.mean * 0, cov.expand(ROWS, -1, -1, -1)))
    torch.testing.assert_close(kl_divergence(q, p), expected, rtol=1e-3, atol=1e-3)


def test_kl_of_a_diagonal_posterior_is_exact() -> None:
    mean, scale, p = torch.randn(ROWS, LATENT).double(), torch.rand(ROWS, LATENT).double() + 0.1, process()
    full = as_normal(mean * 0, (p.tril @ p.tril.mT).expand(ROWS, -1, -1, -1))
    expected = kl_divergence(MultivariateNormal(mean, scale.square().diag_embed()), full)
    torch.testing.assert_close(kl_divergence(diag_normal(mean, scale), p), expected, rtol=1e-3, atol=1e-3)
    odd = Independent(Laplace(mean, scale), 1)
    assert exact_kl_per_dim(odd, p) is None


def test_the_engine_finds_the_closed_forms(q: GaussMarkov) -> None:
    p, plain = process(), diag_normal(q.mean, q.variance.sqrt())
    for posterior in (q, plain):
        kl = exact_kl_per_dim(posterior, p)
        assert kl is not None
        assert kl.shape == (ROWS, 1)


def test_autocast_does_not_round_densities() -> None:
    posterior, prior = (
        Banded(LATENT, channels=CHANNELS),
        GaussianProcess(Spec((STEPS, 2)), LATENT, channels=CHANNELS, kernel="rbf"),
    )
    h, z = torch.randn(ROWS, posterior.features), torch.randn(ROWS, LATENT)
    expected = kl_divergence(posterior(h), prior()), prior().log_prob(z), posterior(h).log_prob(z)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = kl_divergence(posterior(h), prior()), prior().log_prob(z), posterior(h).log_prob(z)
    torch.testing.assert_close(rounded, expected, rtol=1e-5, atol=1e-4)


def test_kl_in_single_precision_over_a_long_window() -> None:
    steps = 96
    posterior, prior = Banded(steps), GaussianProcess(Spec((steps, 1)), steps, kernel="rbf", length_scales=(8.0,))
    h = 0.5 * torch.randn(3, posterior.features)
    single = kl_divergence(posterior(h), prior())
    double = kl_divergence(posterior(h.double()), prior.double()())
    torch.testing.assert_close(single.double(), double, rtol=1e-3, atol=1e-2)


def test_kl_has_the_gradient_of_its_definition(q: GaussMarkov) -> None:
    """d KL / dμ = K⁻¹ μ."""
    p, mean = process(), torch.randn(1, CHANNELS, STEPS, dtype=torch.float64, requires_grad=True)
    kl = kl_divergence(GaussMarkov(mean, q.scale[:1], torch.zeros(1, CHANNELS, STEPS - 1)), p)
    (gradient,) = torch.autograd.grad(kl.sum(), mean)
    expected = torch.cholesky_solve(mean.detach().unsqueeze(-1), p.tril).squeeze(-1)
    torch.testing.assert_close(gradient, expected, rtol=1e-3, atol=1e-3)


def test_posterior_samples_carry_gradients() -> None:
    posterior = Banded(STEPS)
    h = torch.randn(2, posterior.features, requires_grad=True)
    z = posterior(h).rsample((64,))
    (gradient,) = torch.autograd.grad((z[..., 1:] * z[..., :-1]).sum(), h)
    assert (gradient[:, -STEPS:].abs() > 0).all(), "neighbouring products feel the links"


def test_shapes_that_do_not_divide_are_named() -> None:
    with pytest.raises(UsageError, match="latent = 10 is not a multiple of channels = 3"):
        GaussianProcess(Spec((4, 2)), 10, channels=3)
    with pytest.raises(UsageError, match="one step"):
        Banded(4, channels=4)
    with pytest.raises(UsageError, match="length_scales is empty"):
        GaussianProcess(Spec((4, 2)), 4, length_scales=())

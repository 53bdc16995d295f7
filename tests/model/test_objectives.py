"""Objectives against closed forms and identities, on a linear-Gaussian model whose evidence is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, Normal

from vaehub.base import Batch, Decoder, Encoder, Features, Prior, Spec, Step
from vaehub.errors import UsageError
from vaehub.model.likelihoods import Normal as NormalLikelihood
from vaehub.model.objectives import ELBO, IWAE, TCVAE, InfoVAE, Perceptual, frozen, mmd, ramp
from vaehub.model.posteriors import DiagNormal
from vaehub.model.priors import StandardNormal
from vaehub.model.vae import VAE

L, D = 2, 3
STEP = Step(examples=1000)


class Linear(Encoder):
    def __init__(self, spec, posterior):
        super().__init__(spec, posterior)
        self.net = torch.nn.Linear(spec.size, posterior.features)

    def forward(self, batch: Batch):
        return self.posterior(self.net(batch.x))


class LinearDecoder(Decoder):
    def __init__(self, spec, latent, likelihood):
        super().__init__(spec, latent, likelihood)
        self.net = torch.nn.Linear(latent, spec.size)

    def forward(self, z, cond=None):
        return self.likelihood(self.net(z).view(-1, *self.likelihood.param_shape))


@pytest.fixture
def vae():
    torch.manual_seed(0)
    spec = Spec((D,))
    model = VAE(
        Linear(spec, DiagNormal(L)),
        LinearDecoder(spec, L, NormalLikelihood(spec, scale=1.0)),
        StandardNormal(spec, L),
    )
    return model.double()


@pytest.fixture
def batch():
    return Batch(torch.randn(64, D, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))


def evidence(vae, x):
    w, b = vae.decoder.net.weight, vae.decoder.net.bias
    return MultivariateNormal(b, w @ w.T + torch.eye(D, dtype=x.dtype)).log_prob(x)


def test_the_bounds_lie_below_the_evidence_and_tighten(vae, batch):
    torch.nn.init.zeros_(vae.encoder.net.weight)
    torch.nn.init.zeros_(vae.encoder.net.bias)  # q is the prior: wide enough for importance weights to have a finite variance
    exact = evidence(vae, batch.x).mean()
    losses = [IWAE(samples=s)(vae(batch, s), STEP)[0] for s in (1, 10, 1000)]
    assert -losses[0] < -losses[1] < -losses[2] <= exact + 0.02
    assert abs(-losses[2] - exact) < 0.05
    elbo = ELBO()(vae(batch, 500), STEP)[0]
    assert -elbo < exact


def test_one_sample_of_the_elbo_is_an_iwae_of_one_up_to_the_closed_kl(vae, batch):
    terms = vae(batch, 20000)
    assert torch.isclose((terms.log_qz - terms.log_pz).mean(0), terms.kl, atol=0.1).all()


def test_beta_free_bits_and_capacity(vae, batch):
    terms = vae(batch)
    kl, log_px = terms.kl.mean(), terms.log_px.mean()
    assert torch.isclose(ELBO(beta=3.0)(terms, STEP)[0], 3 * kl - log_px)
    floored = terms.kl_per_dim.mean(0).clamp(min=5.0).sum()
    assert torch.isclose(ELBO(free_bits=5.0)(terms, STEP)[0], floored - log_px)
    assert torch.isclose(ELBO(capacity=2.0, gamma=7.0)(terms, STEP)[0], 7 * (kl - 2).abs() - log_px)


def test_free_bits_leave_no_gradient_to_a_dimension_that_is_free(vae, batch):
    loss, _ = ELBO(free_bits=1e6, beta=5.0)(vae(batch), STEP)
    (with_floor,) = torch.autograd.grad(loss, vae.encoder.net.bias, retain_graph=True)
    torch.manual_seed(0)
    (alone,) = torch.autograd.grad(-vae(batch).log_px.mean(), vae.encoder.net.bias)
    assert with_floor.isfinite().all()
    assert alone.isfinite().all()


@pytest.mark.parametrize(
    ("shape", "values"),
    [
        ("constant", [1, 1, 1, 1]),
        ("linear", [0, 0.5, 1, 1]),
        ("cyclical", [0, 1, 0, 1]),
        ("sigmoid", [1 / (1 + math.exp(6)), 0.5, 1, 1]),
    ],
)
def test_schedules(shape, values):
    assert [ramp(shape, position, 10) for position in (0, 5, 10, 15)] == pytest.approx(values)


def test_a_schedule_counts_steps_or_epochs(vae, batch):
    terms, step = vae(batch), Step(step=5, epoch=1)
    weight = [ELBO(schedule="linear", warmup=10, unit=u)(terms, step)[1]["kl_weight"].item() for u in ("step", "epoch")]
    assert weight == pytest.approx([0.5, 0.1])


def test_dreg_has_the_gradient_of_the_bound(vae, batch):
    """Both estimators of the encoder's gradient agree in the mean; the decoder's are equal draw by draw."""
    few, means = Batch(batch.x[:2]), {}
    for dreg in (False, True):
        torch.manual_seed(0)
        total = torch.zeros(4, dtype=torch.float64)
        for _ in range(300):
            wide = Batch(few.x.repeat(64, 1))
            loss, _ = IWAE(samples=4, dreg=dreg)(vae(wide, 4), STEP)
            total += torch.autograd.grad(loss, vae.encoder.net.bias)[0]
        means[dreg] = total / 300
    assert torch.allclose(means[True], means[False], atol=0.02), means


def test_dreg_needs_a_posterior_that_can_be_held_fixed():
    with pytest.raises(UsageError, match="diag_normal or full_normal"):
        frozen(Normal(0.0, 1.0))


def test_total_correlation_parts_add_up_to_the_kl(vae, batch):
    terms = vae(batch)
    parts = TCVAE.decompose(terms, 64)
    assert torch.isclose(sum(parts), (terms.log_qz - terms.log_pz).mean())
    plain, _ = TCVAE(alpha=1, beta=1, gamma=1)(terms, STEP)
    assert torch.isclose(plain, (terms.log_qz - terms.log_pz).mean() - terms.log_px.mean())
    assert TCVAE(beta=6.0)(terms, Step(examples=64))[0] != plain


def test_total_correlation_of_dependent_codes_is_seen():
    """A code whose two dimensions are copies has a large total correlation; independent ones have about none."""
    torch.manual_seed(0)
    a, b = torch.randn(2, 500, 1, dtype=torch.float64)
    found = []
    for loc in (torch.cat([a, a], 1), torch.cat([a, b], 1)):
        q = Independent(Normal(loc, 0.05), 1)
        p = Independent(Normal(torch.zeros(2, dtype=torch.float64), 1.0), 1)
        terms = type("T", (), {"q": q, "p": p, "z": q.sample((1,))})()
        found.append(TCVAE.decompose(terms, 500)[1])
    assert found[0] > found[1] + 1


def test_mmd_tells_distributions_apart():
    torch.manual_seed(0)
    same, far = mmd(torch.randn(500, 2), torch.randn(500, 2)), mmd(torch.randn(500, 2), torch.randn(500, 2) + 2)
    assert abs(same) < 0.01
    assert far > 0.1
    assert mmd(torch.zeros(1, 2), torch.zeros(1, 2)) == 0


def test_info_vae_weighs_the_two_terms_as_in_the_paper(vae, batch):
    terms = vae(batch)
    torch.manual_seed(0)
    loss, logs = InfoVAE(alpha=1.0, lam=3.0)(terms, STEP)
    assert torch.isclose(loss, 3 * logs["mmd"] - terms.log_px.mean())


class Twice(Features):
    def __init__(self, spec: Spec):
        super().__init__(spec)
        self.net = torch.nn.Linear(spec.size, 2, dtype=torch.float64)

    def forward(self, x):
        return [self.net(x), 2 * x]


def test_perceptual_adds_feature_distances_and_freezes_the_network(vae, batch):
    objective = Perceptual(features=lambda: Twice(Spec((D,))), weight=0.5)
    terms = vae(batch)
    loss, logs = objective(terms, STEP)
    assert torch.isclose(loss, 0.5 * logs["feature_distance"] - terms.elbo.mean())
    loss.backward()
    assert all(not p.requires_grad for p in objective.parameters())
    assert vae.decoder.net.weight.grad.abs().sum() > 0


class Wide(Prior):
    """A prior with a batch of its own, as a conditional one has."""

    def forward(self, cond=None):
        return Independent(Normal(torch.zeros(64, L, dtype=torch.float64), 1.0), 1)


@pytest.mark.parametrize(
    "objective", [ELBO(), IWAE(samples=3), IWAE(samples=3, dreg=True), TCVAE(), InfoVAE()], ids=lambda o: type(o).__name__
)
@pytest.mark.parametrize("prior", [StandardNormal, Wide])
def test_every_objective_gives_gradients_and_detached_logs(vae, batch, objective, prior):
    vae.prior = prior(Spec((D,)), L)
    loss, logs = objective(vae(batch, objective.samples), STEP)
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in vae.parameters())
    assert {"elbo", "log_px", "kl"} <= logs.keys()
    assert all(v.shape == () and not v.requires_grad for v in logs.values())

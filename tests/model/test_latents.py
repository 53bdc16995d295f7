"""Priors and posteriors: one battery over every part and every pair."""

import itertools
import math
from functools import partial

import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, kl_divergence

from vaehub.base import Batch, Spec, draw
from vaehub.errors import UsageError
from vaehub.model.likelihoods import Normal
from vaehub.model.nets import MLPDecoder, MLPEncoder
from vaehub.model.posteriors import IAF, DiagNormal, FullNormal, diag_normal
from vaehub.model.priors import ConditionalNormal, Flow, Mixture, StandardNormal, Vamp
from vaehub.model.vae import VAE

POSTERIORS = {"diag_normal": DiagNormal, "full_normal": FullNormal, "iaf": partial(IAF, hidden=[16], context=4)}
PRIORS = {
    "standard_normal": StandardNormal,
    "conditional_normal": partial(ConditionalNormal, hidden=[8]),
    "mixture": partial(Mixture, components=3),
    "vamp": partial(Vamp, components=3),
    "realnvp": partial(Flow, kind="realnvp", layers=3, hidden=[16]),
    "spline": partial(Flow, kind="spline", layers=2, hidden=[16], bins=4),
}
PAIRS = [(p, q, c) for p, q, c in itertools.product(PRIORS, POSTERIORS, (0, 2)) if c or p != "conditional_normal"]
B = 3


def stir(module, amount=0.15):
    """Away from the starting values, at which flows are the identity."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += amount * torch.randn_like(parameter)
    return module


def build(prior, posterior, cond=0, latent=2, seed=0):
    """Encoder, prior and a batch in float64, with every parameter moved."""
    torch.manual_seed(seed)
    spec = Spec((4,), cond=cond)
    encoder = MLPEncoder(spec, POSTERIORS[posterior](latent), hidden=[8])
    made = PRIORS[prior](spec, latent)
    with torch.random.fork_rng():
        VAE(encoder, MLPDecoder(spec, latent, Normal(spec)), made)
    batch = Batch(torch.randn(B, 4).double(), torch.randn(B, cond).double() if cond else None)
    made.initialise(batch)
    return stir(encoder.double()), stir(made.double()), batch


def plane(z, half=10.0, step=0.08):
    """A grid of points (N, *batch, 2) over `half` standard deviations of the draws z on each axis of theirs, and the area of a cell."""
    line = torch.arange(-half, half, step, dtype=z.dtype)
    centred = z - z.mean(0)
    root = torch.linalg.cholesky(torch.einsum("n...i,n...j->...ij", centred, centred) / len(z))
    return z.mean(0) + torch.einsum("...ij,nj->n...i", root, torch.cartesian_prod(line, line)), torch.linalg.det(root) * step**2


@pytest.mark.parametrize(("prior", "posterior", "cond"), PAIRS)
@torch.no_grad()
def test_pair_integrates_and_samples_follow_the_density(prior, posterior, cond):
    encoder, made, batch = build(prior, posterior, cond)
    for d in (encoder(batch), made(batch.cond)):
        z = d.sample((4000,))
        points, cell = plane(z)
        density = d.log_prob(points).exp() * cell
        torch.testing.assert_close(density.sum(0), torch.ones_like(cell), atol=2e-3, rtol=0)
        for f in (lambda t: t, torch.square, torch.sin, lambda t: t.prod(-1, keepdim=True)):
            expected, drawn = torch.einsum("n...,n...f->...f", density, f(points)), f(z)
            assert ((drawn.mean(0) - expected).abs() <= 5 * drawn.std(0) / math.sqrt(4000) + 1e-3).all()


@pytest.mark.parametrize(("prior", "posterior", "cond"), PAIRS)
def test_rows_do_not_touch_each_other_and_shapes_broadcast(prior, posterior, cond):
    encoder, made, batch = build(prior, posterior, cond, latent=3)
    z, _ = draw(encoder(batch), 5)
    assert z.shape == (5, B, 3)
    log_pz, log_qz = made(batch.cond).log_prob(z), encoder(batch).log_prob(z)
    assert log_pz.shape == log_qz.shape == (5, B)
    for i in range(B):
        row = Batch(*(t if t is None else t[i : i + 1] for t in batch))
        torch.testing.assert_close(encoder(row).log_prob(z[:, i : i + 1]), log_qz[:, i : i + 1])
        torch.testing.assert_close(made(row.cond).log_prob(z[:, i : i + 1]), log_pz[:, i : i + 1])


@pytest.mark.parametrize("prior", ["conditional_normal", "realnvp", "spline"])
def test_prior_reads_its_condition(prior):
    _, made, batch = build(prior, "diag_normal", 2)
    z = torch.zeros(B, 2).double()
    assert not torch.allclose(made(batch.cond).log_prob(z), made(batch.cond + 1).log_prob(z))
    with pytest.raises(UsageError, match="2 numbers a row, got 0"):
        made(None)
    with pytest.raises(UsageError, match="2 numbers a row, got 5"):
        made(torch.zeros(B, 5))


@pytest.mark.parametrize(("prior", "posterior", "cond"), [(p, q, c) for p, q, c in PAIRS if c or p == "vamp"])
def test_every_parameter_learns(prior, posterior, cond):
    encoder, made, batch = build(prior, posterior, cond)
    z, log_qz = draw(encoder(batch), 4)
    log_qz = encoder(batch).log_prob(z) if log_qz is None else log_qz
    (made(batch.cond).log_prob(z) - log_qz).sum().backward()
    for name, parameter in [*made.named_parameters(), *encoder.named_parameters()]:
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("latent", [1, 2, 5])
@pytest.mark.parametrize("prior", PRIORS)
def test_saved_prior_is_the_same_density(prior, latent):
    encoder, made, batch = build(prior, "diag_normal", 2, latent, seed=1)
    other_encoder, other, _ = build(prior, "diag_normal", 2, latent, seed=2)
    z = torch.randn(6, B, latent).double()
    other.load_state_dict(made.state_dict())
    other_encoder.load_state_dict(encoder.state_dict())
    assert torch.equal(other(batch.cond).log_prob(z), made(batch.cond).log_prob(z))


@pytest.mark.parametrize("latent", [1, 4])
@pytest.mark.parametrize(
    ("prior", "cond"), [("realnvp", 0), ("spline", 0), ("conditional_normal", 2), ("realnvp", 2), ("spline", 2)]
)
def test_learnt_prior_starts_as_the_standard_normal(prior, cond, latent):
    made = PRIORS[prior](Spec((4,), cond=cond), latent)
    z = torch.randn(50, B, latent)
    expected = StandardNormal(Spec((4,)), latent)().log_prob(z)
    torch.testing.assert_close(made(torch.randn(B, cond)).log_prob(z), expected, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("latent", [1, 4])
def test_iaf_starts_as_its_diagonal_base(latent):
    iaf = POSTERIORS["iaf"](latent)
    params, z = torch.randn(B, iaf.features), torch.randn(9, B, latent)
    q = DiagNormal(latent)(params[:, : 2 * latent])
    torch.testing.assert_close(iaf(params).log_prob(z), q.log_prob(z))
    torch.testing.assert_close(iaf(params).mean, q.mean)


@pytest.mark.parametrize("latent", [1, 2, 6])
def test_iaf_draws_with_the_density_it_states(latent):
    iaf = stir(POSTERIORS["iaf"](latent).double())
    q = iaf(torch.randn(B, iaf.features).double())
    z, log_qz = q.rsample_and_log_prob((20,))
    torch.testing.assert_close(q.log_prob(z), log_qz, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(q.transform.inv(q.mean), q.base.mean)
    assert not torch.allclose(q.mean, q.base.mean)


@pytest.mark.parametrize("latent", [2, 5])
def test_two_autoregressive_steps_let_every_dimension_depend_on_every_other(latent):
    torch.manual_seed(0)
    iaf = stir(IAF(latent, hidden=[16], context=4))
    transform = iaf(torch.randn(iaf.features)).transform
    assert (torch.autograd.functional.jacobian(transform, torch.randn(latent)) != 0).all()


@pytest.mark.parametrize("latent", [2, 5])
@pytest.mark.parametrize("kind", ["realnvp", "spline"])
def test_two_coupling_layers_move_every_dimension(kind, latent):
    z = 0.1 * torch.randn(latent)
    for _ in range(5):
        moved = stir(Flow(Spec((4,)), latent, kind=kind, layers=2, hidden=[16]))().transform(z)
        assert (moved != z).all()


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_half_precision_autocast_keeps_densities_exact(posterior):
    family = stir(POSTERIORS[posterior](3))
    made = stir(PRIORS["spline"](Spec((4,), cond=2), 3))
    params, cond = torch.randn(B, family.features), torch.randn(B, 2)
    with torch.autocast("cpu", torch.bfloat16):
        torch.manual_seed(0)
        z, _ = draw(family(params.bfloat16()), 5)
        log_qz, log_pz = family(params.bfloat16()).log_prob(z), made(cond).log_prob(z)
    torch.testing.assert_close(log_qz, family(params.bfloat16().float()).log_prob(z))
    torch.testing.assert_close(log_pz, made(cond).log_prob(z))


@pytest.mark.parametrize("size", [1e2, 1e4])
@pytest.mark.parametrize("posterior", POSTERIORS)
def test_extreme_features_stay_finite(posterior, size):
    family = POSTERIORS[posterior](4)
    corners = size * (2.0 * torch.randint(0, 2, (200, family.features), generator=torch.Generator().manual_seed(0)) - 1)
    params = corners.requires_grad_()
    q = family(params)
    z, log_qz = draw(q, 2)
    total = q.log_prob(z) if log_qz is None else log_qz
    total.sum().backward()
    assert z.isfinite().all()
    assert total.isfinite().all()
    assert q.log_prob(torch.zeros(4)).isfinite().all()
    assert params.grad.isfinite().all()


def test_full_normal_has_the_covariance_it_states():
    family = FullNormal(3)
    mean, log_scale, skew = torch.tensor([1.0, 2, 3]), torch.tensor([0.1, -0.2, 0.3]), torch.tensor([0.5, -1.5, 2.0])
    q = family(torch.cat([mean, log_scale, skew]).unsqueeze(0))
    unit = torch.tensor([[1, 0, 0], [0.5, 1, 0], [-1.5, 2.0, 1]])
    root = log_scale.exp().diag() @ unit
    torch.testing.assert_close(q.mean, mean.unsqueeze(0))
    torch.testing.assert_close(q.covariance_matrix[0], root @ root.T)


def test_kl_of_full_to_diagonal_normal_is_exact():
    torch.manual_seed(0)
    q = FullNormal(3)(torch.randn(B, 9).double())
    for p in (
        diag_normal(torch.randn(3).double(), torch.rand(3).double() + 0.5),
        diag_normal(torch.randn(B, 3).double(), torch.ones(B, 3).double()),
    ):
        dense = MultivariateNormal(p.mean, torch.diag_embed(p.variance))
        torch.testing.assert_close(kl_divergence(q, p), kl_divergence(q, dense))
    with pytest.raises(NotImplementedError):
        kl_divergence(q, Independent(torch.distributions.Laplace(torch.zeros(3), torch.ones(3)), 1))


@pytest.mark.parametrize("cond", [0, 2])
def test_draws_are_decoded_and_read_again_as_often_as_asked(cond):
    """A linear chain z <- A x + b, x ~ N(D z + d, s^2): its mean and variance are known after every step."""
    torch.manual_seed(1)
    spec, n, times = Spec((2,), cond=cond), 20_000, 3
    encoder = MLPEncoder(spec, DiagNormal(2), hidden=[])
    decoder = MLPDecoder(spec, 2, Normal(spec), hidden=[])
    chain = stir(VAE(encoder, decoder, StandardNormal(spec, 2), times)).eval()
    c = torch.randn(1, cond).expand(n, -1) if cond else None
    with torch.no_grad():
        z = chain.sample(n, c)
        mean, covariance = torch.zeros(2), torch.eye(2)
        for _ in range(times):
            one = None if c is None else c[:3]
            corners = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
            px, q = decoder(corners, one), encoder(Batch(corners, one)).mean
            d, a = (px.mean[1:] - px.mean[0]).T, (q[1:] - q[0]).T
            noise = torch.diag(px.stddev[0] ** 2)
            mean = a @ (d @ mean + px.mean[0]) + q[0]
            covariance = a @ (d @ covariance @ d.T + noise) @ a.T
    assert torch.allclose(z.mean(0), mean, atol=4 * float(covariance.diag().max() ** 0.5) / n**0.5)
    assert torch.allclose(z.T.cov(), covariance, atol=0.05 * float(covariance.diag().max()))


def test_no_draw_is_read_again_unless_asked():
    torch.manual_seed(2)
    spec = Spec((4,))
    encoder, decoder = MLPEncoder(spec, DiagNormal(2)), MLPDecoder(spec, 2, Normal(spec))
    vae = VAE(encoder, decoder, StandardNormal(spec, 2))
    torch.manual_seed(3)
    z = vae.sample(5)
    torch.manual_seed(3)
    assert torch.equal(z, vae.prior().sample((5,)))

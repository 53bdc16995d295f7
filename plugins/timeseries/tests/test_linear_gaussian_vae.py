"""The VAE whose linear part is in closed form: exact where theory says so, and neural where it was trained."""

import copy

import pytest
import torch
from torch.distributions import MultivariateNormal

from vaehub.base import Batch, Spec, Step, estimate
from vaehub.evaluation.importance import Budget, weigh
from vaehub.model.likelihoods import Normal
from vaehub.model.nets import MLPDecoder
from vaehub.model.objectives import ELBO
from vaehub.model.posteriors import DiagNormal
from vaehub.model.priors import StandardNormal
from vaehub.model.vae import VAE
from vaehub_timeseries.model.em import Autocovariance
from vaehub_timeseries.parts.absolute_error import SMALLEST, AbsoluteError
from vaehub_timeseries.parts.hiding import hide_up_to
from vaehub_timeseries.parts.linear_gaussian import Antithetic, LinearGaussianDecoder, LinearGaussianEncoder, root_of_inverse
from vaehub_timeseries.windows import Windows

STEPS, CHANNELS, VARIANCE = 5, 2, 0.04
SPEC = Spec((STEPS, CHANNELS))
CELLS = SPEC.size


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def series(length=200):
    x = torch.randn(length, CHANNELS).double().cumsum(0) * 0.3
    x = (x - x.mean(0)) / x.std(0)
    x[torch.rand(x.shape) < 0.3] = torch.nan
    return x


def vae_of(latent=CELLS, drift=0.0, **options):
    """At initialisation, in float64, with isotropic noise: probabilistic PCA."""
    decoder = LinearGaussianDecoder(SPEC, latent, Normal(SPEC, scale=VARIANCE**0.5), drift=drift)
    encoder = LinearGaussianEncoder(SPEC, DiagNormal(latent), width=8, layers=1, **options)
    vae = VAE(encoder, decoder, StandardNormal(SPEC, latent)).double().eval()
    decoder.initialise(Windows([series()], STEPS))
    decoder.spread.fill_(VARIANCE)
    return vae


def batch(rows=30, share=0.5):
    mask = torch.rand(rows, *SPEC.shape) < share
    return Batch(torch.where(mask, torch.randn(rows, *SPEC.shape).double(), 0.0), None, mask)


def log_evidence(decoder, rows):
    """log N(x_o; mu_o, (W W^T + sigma^2 I)_oo)."""
    covariance = decoder.factor @ decoder.factor.T + VARIANCE * torch.eye(CELLS)
    mean = decoder.mean.repeat(STEPS)
    found = []
    for x, o in zip(rows.x.flatten(1), rows.mask.flatten(1), strict=True):
        found.append(MultivariateNormal(mean[o], covariance[o][:, o]).log_prob(x[o]) if o.any() else x.new_zeros(()))
    return torch.stack(found)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.7, 1.0])
@pytest.mark.parametrize("latent", [3, CELLS])
def test_every_importance_weight_is_the_exact_evidence(share, latent):
    vae, rows = vae_of(latent), batch(share=share)
    terms = vae(rows, 7)
    exact = log_evidence(vae.decoder, rows)
    weights = terms.log_px + terms.log_pz - terms.log_qz
    torch.testing.assert_close(weights, exact.expand(7, -1), atol=1e-6, rtol=1e-6)  # the likelihood's scale is rounded to float32


def test_the_engines_estimate_is_the_evidence_to_the_last_digit():
    vae, rows = vae_of(3), batch()
    found = weigh(vae, rows, 4, ("test",), Budget.of(torch.device("cpu")))
    torch.testing.assert_close(found.log_evidence.double(), log_evidence(vae.decoder, rows), atol=1e-5, rtol=1e-5)


def test_the_decoder_says_of_a_window_what_the_process_says():
    vae = vae_of(drift=0.3)
    process = vae.decoder.process
    vae.decoder.set_process(process)
    covariance = vae.decoder.factor @ vae.decoder.factor.T + torch.diag(vae.decoder.spread)
    noise = torch.diag((vae.decoder.process.noise.clamp(min=1e-3) - vae.decoder.process.noise).repeat(STEPS))
    torch.testing.assert_close(covariance, process.joint(STEPS, 0.3).covariance + noise, atol=1e-5, rtol=1e-5)


def test_fewer_latents_leave_the_variances_as_they_are():
    vae = vae_of(2)
    process = vae.decoder.process
    vae.decoder.set_process(process)
    variance = vae.decoder.factor.square().sum(1) + vae.decoder.spread
    torch.testing.assert_close(variance, process.gamma[0].diagonal().repeat(STEPS) + process.noise.clamp(min=1e-3).repeat(STEPS))


def test_more_latents_than_cells_leave_the_rest_at_zero():
    vae = vae_of(CELLS + 3)
    assert not vae.decoder.factor[:, CELLS:].any()
    terms = vae(batch(), 2)
    weights = terms.log_px + terms.log_pz - terms.log_qz
    torch.testing.assert_close(weights[0], log_evidence(vae.decoder, terms.batch), atol=1e-6, rtol=1e-6)


def test_the_correction_is_exactly_zero_at_first_and_gradients_can_start_it():
    vae, rows = vae_of(hide=0.0), batch()
    m, tril = vae.encoder.exact_posterior(rows.x, rows.mask)
    assert torch.equal(vae.encoder(rows).mean, m)
    assert torch.equal(vae.encoder(rows).scale_tril, tril)
    objective = AbsoluteError()
    vae.train()
    objective(vae(rows, objective.samples), Step())[0].backward()
    assert bool(vae.encoder.leave.weight.grad.any())


def test_a_trained_correction_moves_what_is_unseen_alone():
    vae, rows = vae_of(), batch()
    torch.nn.init.normal_(vae.encoder.leave.weight)
    m, tril = vae.encoder.exact_posterior(rows.x, rows.mask)
    assert bool(vae.encoder.correction_of(rows.x, rows.mask, m, tril, None).any(1).all())
    full = torch.ones_like(rows.mask)
    m, tril = vae.encoder.exact_posterior(rows.x, full)
    assert not vae.encoder.correction_of(rows.x, full, m, tril, None).any()


def test_beside_another_decoder_it_reads_x_and_its_own_map():
    encoder = LinearGaussianEncoder(SPEC, DiagNormal(3), width=8, layers=1)
    VAE(encoder, MLPDecoder(SPEC, 3, Normal(SPEC)), StandardNormal(SPEC, 3))
    encoder.eval()
    x = torch.randn(6, *SPEC.shape)
    q = encoder(Batch(x))
    assert not q.mean.any()
    assert torch.equal(q.covariance_matrix, torch.eye(3).expand(6, -1, -1))
    torch.nn.init.normal_(encoder.leave.weight)
    assert not torch.allclose(encoder(Batch(x)).mean, encoder(Batch(x.roll(1, 0))).mean)


def test_the_decoders_weights_are_not_the_encoders_too():
    vae = vae_of()
    assert not [name for name in vae.state_dict() if name.startswith("encoder.") and "factor" in name]
    twin = copy.deepcopy(vae)
    assert twin.encoder.linear_decoder[0] is twin.decoder


def test_training_hides_cells_from_the_encoder_and_evaluation_none():
    vae, rows = vae_of(), batch(share=0.8)
    assert torch.equal(vae.encoder.seen(rows), rows.mask)
    vae.train()
    seen = vae.encoder.seen(rows)
    assert not (seen & ~rows.mask).any()
    assert 0.1 < 1 - seen.sum() / rows.mask.sum() < 0.7
    assert torch.equal(vae_of(hide=0.0).train().encoder.seen(rows), rows.mask)


def test_concealed_cells_come_as_points_runs_and_blocks_at_every_rate():
    hidden = hide_up_to(torch.zeros(4000, 24, 4), 0.6).float()
    shares = hidden.mean((1, 2))
    assert shares.min() < 0.1
    assert shares.max() > 0.5
    beside = (hidden[:, 1:] * hidden[:, :-1]).mean() / hidden.mean() ** 2
    assert beside > 1.5  # runs: the next step is hidden far more often than by chance


def test_an_even_number_of_draws_comes_in_mirrored_pairs():
    covariance = torch.tensor([[1.0, 0.6], [0.6, 2.0]])
    q = Antithetic(torch.tensor([[1.0, -3.0]]), covariance)
    even = q.rsample((20_000,))
    torch.testing.assert_close(even.mean(0), q.mean, atol=1e-4, rtol=0.0)
    assert torch.allclose(even[:10_000] + even[10_000:], 2 * q.mean, atol=1e-5)
    assert (even.squeeze(1).T.cov() - covariance).abs().max() < 0.1
    assert q.rsample((3,)).shape == (3, 1, 2)
    assert q.rsample().shape == (1, 2)


def test_the_root_of_an_inverse_is_lower_triangular():
    root = torch.randn(4, 6, 6).double()
    precision = root @ root.mT + torch.eye(6)
    found = root_of_inverse(precision)
    torch.testing.assert_close(found @ found.mT, torch.linalg.inv(precision))
    assert not found.triu(1).any()


def test_absolute_error_by_hand():
    vae = vae_of()
    x = torch.tensor([[1.0, -2.0], [0.0, 3.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]).double().repeat(2, 1, 1)
    mask = torch.zeros(2, *SPEC.shape, dtype=torch.bool)
    mask[0, 0], mask[1, :2] = True, True
    terms = vae(Batch(x, None, mask), 2)
    found = estimate(terms.px).view(2, 2, *SPEC.shape).mean(0)
    first = (abs(1.0 - found[0, 0, 0]) + abs(-2.0 - found[0, 0, 1])) / 2
    hidden = torch.where(mask[1], x[1], 0.0)[:2]
    second = (hidden - found[1, :2]).abs().sum() / 4
    expected = ((first + SMALLEST).log() + (second + SMALLEST).log()) / 2
    loss, logs = AbsoluteError()(terms, Step())
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(logs["absolute_error"], ((first + second) / 2).detach())
    weighed, _ = AbsoluteError(beta=0.5)(terms, Step())
    torch.testing.assert_close(weighed, expected + 0.5 * terms.kl.mean())


def test_absolute_error_of_a_row_without_anything_observed_is_finite():
    vae = vae_of()
    loss, _ = AbsoluteError()(vae(batch(4, share=0.0), 2), Step())
    loss.backward()
    assert torch.isfinite(loss)
    assert all(bool(p.grad.isfinite().all()) for p in vae.parameters() if p.grad is not None)


def test_training_lowers_the_absolute_error_below_the_linear_part():
    """One channel is the square of the other: they do not correlate, but a network can know it."""
    level = torch.randn(300, 1, 1).double()
    x = torch.cat([level, 0.7 * (level**2 - 1)], 2) + 0.1 * torch.randn(300, STEPS, CHANNELS).double()
    rows = Batch(x, None, torch.ones_like(x, dtype=torch.bool))
    vae = vae_of(dropout=0.0)
    vae.decoder.set_process(window_process(x))
    hidden = rows._replace(mask=(torch.rand(x.shape) < 0.3) & torch.tensor([True, False]))
    objective = AbsoluteError()

    def error():
        vae.eval()
        with torch.no_grad():
            found = estimate(vae.decoder(vae.encoder(hidden._replace(x=torch.where(hidden.mask, x, 0.0))).mean))
        return (found - x)[..., 1].abs().mean().item()

    before = error()
    optimizer = torch.optim.Adam(vae.parameters(), lr=5e-3)
    vae.train()
    for step in range(40):
        loss, _ = objective(vae(rows, objective.samples), Step(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert error() < 0.8 * before


def window_process(x):
    """The stationary process with the windows' own lags, time by time."""
    centred = x - x.mean((0, 1))
    pairs = [torch.einsum("ntc,ntd->cd", centred[:, : STEPS - k], centred[:, k:]) / (len(x) * (STEPS - k)) for k in range(STEPS)]
    return Autocovariance(x.mean((0, 1)), torch.stack(pairs), torch.full((CHANNELS,), 1e-3).double())


def test_any_objective_takes_the_parts():
    vae = vae_of(3)
    loss, _ = ELBO()(vae(batch(), 1), Step())
    assert torch.isfinite(loss)


def test_a_decoder_with_layers_starts_as_the_linear_one():
    likelihood = Normal(SPEC, scale=0.2)
    plain = LinearGaussianDecoder(SPEC, 3, likelihood)
    deep = LinearGaussianDecoder(SPEC, 3, likelihood, hidden=(8,))
    deep.set_process(Autocovariance(plain.mean, torch.eye(2).repeat(STEPS, 1, 1) * 0.5, plain.noise))
    z = torch.randn(4, 3)
    torch.testing.assert_close(deep(z).mean, deep.location(z))

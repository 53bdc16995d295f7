"""What each learnt prior promises beyond being a density."""

import copy
import math
import subprocess
import sys

import pytest
import torch
from torch.distributions import Categorical, Distribution, Independent, MixtureSameFamily, Normal

from vaehub.base import Batch, Spec
from vaehub.errors import UsageError
from vaehub.model import distributions
from vaehub.model.distributions import FiniteMixture, Flowed, normal_log_probs
from vaehub.model.likelihoods import Bernoulli
from vaehub.model.likelihoods import Normal as NormalLikelihood
from vaehub.model.nets import MLPDecoder, MLPEncoder
from vaehub.model.posteriors import IAF, DiagNormal, FullNormal, diag_normal
from vaehub.model.priors import ConditionalNormal, Flow, Mixture, Vamp
from vaehub.model.vae import VAE


def stir(module, amount=0.15):
    """Away from the starting values."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += amount * torch.randn_like(parameter)
    return module


def wired(prior, encoder):
    """The prior with its encoder, as the VAE hands it over."""
    VAE(encoder, MLPDecoder(prior.spec, prior.latent, NormalLikelihood(prior.spec)), prior)
    return prior


def test_mixture_in_pieces_is_the_mixture(monkeypatch):
    made = stir(Mixture(Spec((4,)), 3, components=3)).double()
    z = torch.randn(7, 5, 3).double()
    whole = made().log_prob(z)
    scale = made.log_scale.exp()
    named = MixtureSameFamily(Categorical(logits=made.logits), Independent(Normal(made.mean, scale), 1))
    torch.testing.assert_close(whole, named.log_prob(z))
    monkeypatch.setattr(distributions, "ELEMENTS_AT_ONCE", 20)
    torch.testing.assert_close(made().log_prob(z), whole)


def test_narrow_components_far_from_0_lose_no_digits():
    torch.manual_seed(0)
    mean, scale = 5 * torch.randn(6, 40), torch.full((6, 40), 1e-3)
    z = mean[:4] + 1e-3 * torch.randn(4, 40)
    exact = Independent(Normal(mean.double(), scale.double()), 1).log_prob(z.double().unsqueeze(1))
    got = normal_log_probs(z, mean, scale)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got.double(), exact, rtol=1e-6, atol=1e-3)


def test_mixture_draws_each_component_by_its_weight():
    torch.manual_seed(0)
    far = diag_normal(torch.tensor([[-9.0], [0.0], [9.0]]), torch.full((3, 1), 0.1))
    z = FiniteMixture(torch.tensor([0.7, 0.2, 0.1]).log(), far).sample((20, 500))
    assert z.shape == (20, 500, 1)
    share = torch.stack([(z < -4).float().mean(), (z.abs() < 4).float().mean(), (z > 4).float().mean()])
    torch.testing.assert_close(share, torch.tensor([0.7, 0.2, 0.1]), atol=0.02, rtol=0)
    assert FiniteMixture(torch.zeros(3), far).sample().shape == (1,)


def test_vamp_starts_from_rows_and_keeps_their_range():
    torch.manual_seed(0)
    prior = Vamp(Spec((2, 3), cond=2), 2, components=8)
    x, cond = torch.rand(5, 2, 3), torch.eye(2)[torch.tensor([0, 1, 0, 1, 1])]
    x[0, 0, 0] = torch.nan
    mask = ~x.isnan()
    prior.initialise(Batch(x, cond, mask))
    rows = prior.x()
    torch.testing.assert_close(rows[1:5], x[1:5], atol=0.05, rtol=0)
    assert not torch.equal(rows[1], rows[6])
    stir(prior, 5.0)
    assert prior.x().min() >= 0
    assert prior.x().max() <= x[mask].max()
    assert prior.cond().min() == 0
    assert prior.cond().max() == 1


def test_vamp_is_the_mixture_of_the_encoders_posteriors():
    spec = Spec((4,), cond=2)
    encoder = MLPEncoder(spec, FullNormal(2), hidden=[8]).double()
    prior = wired(Vamp(spec, 2, components=3), encoder).double()
    z = torch.randn(10, 2).double()
    each = torch.stack([encoder(Batch(u[None], c[None])).log_prob(z) for u, c in zip(prior.x(), prior.cond(), strict=True)])
    torch.testing.assert_close(prior().log_prob(z), each.logsumexp(0) - math.log(3))


def test_vamp_is_one_density_whatever_the_mode():
    spec = Spec((4,))
    encoder = MLPEncoder(spec, DiagNormal(2), hidden=[8, 8], norm="batch", dropout=0.5)
    prior = wired(Vamp(spec, 2, components=3), encoder)
    encoder.net[0].eval()
    z, before = torch.randn(5, 2), copy.deepcopy(encoder.state_dict())
    densities = [prior().log_prob(z) for _ in range(2)]
    assert torch.equal(*densities)
    assert encoder.training
    assert not encoder.net[0].training
    assert all(torch.equal(before[k], v) for k, v in encoder.state_dict().items())
    assert torch.equal(encoder.eval() and prior.eval()().log_prob(z), densities[0])


def test_vamp_without_its_encoder_says_so():
    with pytest.raises(RuntimeError, match=r"wire\(vae\)"):
        Vamp(Spec((4,)), 2)()


def test_vamp_registers_no_weight_twice():
    spec = Spec((4,))
    encoder = MLPEncoder(spec, DiagNormal(2), hidden=[8])
    vae = VAE(encoder, MLPDecoder(spec, 2, Bernoulli(spec), hidden=[8]), Vamp(spec, 2, components=3))
    assert set(vae.prior.state_dict()) == {"x.rows", "x.low", "x.high"}
    assert [k for k in vae.state_dict() if k.startswith("encoder.")] == [f"encoder.{k}" for k in encoder.state_dict()]
    twin = copy.deepcopy(vae)
    assert twin.prior.wired[0] is twin.encoder


@pytest.mark.parametrize(
    ("part", "spec", "message"),
    [(Vamp, Spec((3,), classes=4), "4 classes; choose prior"), (ConditionalNormal, Spec((3,)), "choose prior: standard_normal")],
)
def test_unusable_prior_says_what_to_choose(part, spec, message):
    with pytest.raises(UsageError, match=message):
        part(spec, 2)


LEARNERS = {
    "mixture": lambda spec: Mixture(spec, 2, components=3),
    "realnvp": lambda spec: Flow(spec, 2, layers=3, hidden=[16]),
    "spline": lambda spec: Flow(spec, 2, kind="spline", layers=2, hidden=[16], bins=4),
    "vamp": lambda spec: Vamp(spec, 2, components=3),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_prior_learns_two_clusters(name):
    torch.manual_seed(0)
    spec = Spec((4,))
    encoder = MLPEncoder(spec, DiagNormal(2), hidden=[8])
    prior = wired(LEARNERS[name](spec), encoder)
    z = 0.3 * torch.randn(256, 2) + torch.tensor([[-1.5, 0.0], [1.5, 0.5]]).repeat(128, 1)
    optimizer = torch.optim.Adam([*prior.parameters(), *encoder.parameters()], lr=0.03)
    for _ in range(100):
        optimizer.zero_grad()
        loss = -prior().log_prob(z).mean()
        loss.backward()
        optimizer.step()
    assert loss < 1.7, "a single normal reaches 2.25 nats, the truth is 1.13"


def test_spline_prior_samples_are_finite_in_single_precision():
    torch.manual_seed(0)
    prior = stir(Flow(Spec((4,)), 3, kind="spline", hidden=[16]), 0.7)
    assert prior().sample((100_000,)).isfinite().all()


def test_zuko_leaves_argument_checks_on():
    IAF(2)
    Flow(Spec((3,)), 2)
    assert Distribution._validate_args
    with pytest.raises(ValueError, match="scale"):
        Normal(0.0, -1.0)


def test_zuko_is_imported_on_first_use_only():
    code = "import sys, vaehub.model.priors, vaehub.model.posteriors; sys.exit('zuko' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_flowed_without_a_condition_has_no_batch():
    d = Flow(Spec((3,)), 2)()
    assert isinstance(d, Flowed)
    assert (d.batch_shape, d.event_shape) == ((), (2,))
    assert d.sample().shape == (2,)

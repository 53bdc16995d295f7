"""log p(x) against closed forms, brute force and itself under every change that must not matter."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.distributions import Independent, MultivariateNormal, Normal

from vaehub.base import Batch, Decoder, Encoder, Kind, Spec
from vaehub.cli.judge import figure
from vaehub.config.build import build_domain, build_vae
from vaehub.config.load import load_config
from vaehub.data.rows import TensorData
from vaehub.data.seeds import seeded
from vaehub.errors import RunFailed, UsageError
from vaehub.evaluation import importance
from vaehub.evaluation.evaluate import active_units, evaluate, importance_log_px
from vaehub.evaluation.importance import Budget, evidence, weigh
from vaehub.evaluation.judge import Judge
from vaehub.host.registry import registry
from vaehub.model.likelihoods import Normal as NormalLikelihood
from vaehub.model.nets import MLPDecoder, MLPEncoder
from vaehub.model.posteriors import DiagNormal, FullNormal
from vaehub.model.priors import StandardNormal
from vaehub.model.vae import VAE
from vaehub.run import Run

NOISE = 0.5
ELEMENTS, LATENT = 5, 2


class ExactEncoder(Encoder):
    """p(z|x) of x = W z + b + 0.5 e itself, or with its scale stretched."""

    def __init__(self, spec, posterior, weight, bias, stretch=1.0):
        super().__init__(spec, posterior)
        self.weight, self.bias, self.stretch = weight, bias, stretch

    def forward(self, batch):
        precision = torch.eye(LATENT).double() + self.weight.T @ self.weight / NOISE**2
        covariance = torch.linalg.inv(precision)
        mean = (batch.x - self.bias) @ self.weight @ covariance / NOISE**2
        return MultivariateNormal(mean, covariance * self.stretch**2)


class LinearDecoder(Decoder):
    """N(W z + b, 0.5^2)."""

    def __init__(self, spec, latent, likelihood, weight, bias):
        super().__init__(spec, latent, likelihood)
        self.weight, self.bias = nn.Parameter(weight), bias

    def forward(self, z, cond=None):
        return self.likelihood((z @ self.weight.T + self.bias).unsqueeze(1))


def linear_gaussian(stretch=1.0):
    """A model, rows of it, and their exact log p(x)."""
    with seeded("linear"):
        weight, bias = torch.randn(ELEMENTS, LATENT).double(), torch.randn(ELEMENTS).double()
        evidence_of = MultivariateNormal(bias, weight @ weight.T + NOISE**2 * torch.eye(ELEMENTS).double())
        x = evidence_of.sample((150,))
    spec = Spec((ELEMENTS,))
    decoder = LinearDecoder(spec, LATENT, NormalLikelihood(spec, scale=NOISE), weight, bias)
    vae = VAE(ExactEncoder(spec, FullNormal(LATENT), weight, bias, stretch), decoder, StandardNormal(spec, LATENT)).double()
    return vae, TensorData(x), evidence_of.log_prob(x)


def model(posterior="diag_normal", prior="standard_normal", **domain):
    """An untrained model of the toy domain with a 2-d latent space, and its domain."""
    config = load_config(
        {
            "domain": {"name": "toy", **domain},
            "posterior": posterior,
            "prior": prior,
            "encoder": {"hidden": [8]},
            "decoder": {"hidden": [8]},
        }
    )
    toy = build_domain(config)
    with seeded("model"):
        vae = build_vae(config, toy.codec.spec).eval()
        vae.prior.initialise(toy.data("train")[torch.arange(100)])
    gentle(vae)
    return Run(config, toy.codec, toy, vae)


@torch.no_grad()
def gentle(vae):
    """p(x|z) that varies by a few nats, and q(z|x) as wide as the prior: brute force and weights both come close with few draws."""
    for parameter in [*vae.encoder.parameters(), *vae.decoder.parameters()]:
        parameter.mul_(0.5)


def brute_force(vae, batch, draws=10_000):
    """log mean p(x|z) over draws from the prior (B,): no posterior takes part."""
    with torch.no_grad(), seeded("brute"):
        found = []
        for i in range(len(batch.x)):
            cond = None if batch.cond is None else batch.cond[i : i + 1].expand(draws, -1)
            z = vae.sample(draws, cond)
            found.append(
                importance.log_likelihood(vae.decoder(z, cond), importance.repeat_for_draws(one(batch, i), draws)).logsumexp(0)
            )
    return torch.stack(found) - math.log(draws)


def one(batch, i):
    return batch.map(lambda t: t[i : i + 1])


def test_the_exact_posterior_gives_the_exact_evidence_at_any_number_of_samples():
    vae, data, exact = linear_gaussian()
    for samples in (1, 7, 600):
        e = evidence(vae, data, samples)
        assert (e.log_evidence - exact).abs().max() < 1e-10
        torch.testing.assert_close(e.ess, torch.full((150,), float(samples)).double())


def test_an_inexact_posterior_comes_within_its_error():
    vae, data, exact = linear_gaussian(stretch=1.5)
    e = evidence(vae, data, 4000)
    assert (e.log_evidence - exact).abs().max() < 0.15
    assert abs((e.log_evidence - exact).mean()) < 4 * 1.0 / math.sqrt(4000 * 150 / 3)
    assert (e.elbo < exact).all()
    assert ((e.ess > 1000) & (e.ess < 4000)).all()


@pytest.mark.parametrize("prior", ["standard_normal", "mixture", "vamp", "flow", "conditional_normal"])
@pytest.mark.parametrize("posterior", ["diag_normal", "full_normal", "iaf"])
def test_every_pair_agrees_with_brute_force(posterior, prior):
    run = model(posterior, prior, classes=prior == "conditional_normal")
    batch = run.data("val")[torch.arange(2)]
    estimate = importance_log_px(run.vae, batch, 1000)
    torch.testing.assert_close(estimate, brute_force(run.vae, batch).double(), atol=0.05, rtol=0)
    e = weigh(run.vae, batch, 50, ("z", 0, 0), Budget(10**6))
    assert e.kl_per_dim.shape == (
        2,
        2 if (posterior, prior) in {("diag_normal", "standard_normal"), ("diag_normal", "conditional_normal")} else 1,
    )
    assert bool((e.elbo < estimate + 0.1).all())


MIXED = (Kind("real"), Kind("count"), Kind("category", 3))


@pytest.mark.parametrize("name", registry().names("likelihood"))
def test_every_likelihood_agrees_with_brute_force(name):
    kinds = MIXED if name == "per_column" else ()
    spec = Spec((3,), classes=4 if name in ("categorical", "discretized_logistic") else 0, kinds=kinds)
    with seeded("likelihood"):
        likelihood = registry().load("likelihood", name)(spec)
        vae = VAE(
            MLPEncoder(spec, DiagNormal(2), hidden=[8]), MLPDecoder(spec, 2, likelihood, hidden=[8]), StandardNormal(spec, 2)
        ).eval()
        gentle(vae)
        with torch.no_grad():
            x = vae.decoder(torch.randn(2, 2)).sample()
        batch = Batch(x if spec.classes else x.float())
        torch.testing.assert_close(importance_log_px(vae, batch, 2000), brute_force(vae, batch).double(), atol=0.1, rtol=0.01)


@pytest.mark.parametrize("elements", [1, 64, 64 * 37, 2**24])
def test_memory_does_not_change_the_result(elements):
    run = model("iaf", "flow")
    batch = run.data("val")[torch.arange(5)]
    reference = weigh(run.vae, batch, 300, ("z", 0), Budget(2**20))
    found = weigh(run.vae, batch, 300, ("z", 0), Budget(elements))
    torch.testing.assert_close(found.log_evidence, reference.log_evidence, atol=1e-4, rtol=0)
    torch.testing.assert_close(found.kl, reference.kl, atol=1e-4, rtol=0)


class Hungry(Decoder):
    """Runs out of memory at more than `limit` z at once."""

    def __init__(self, decoder, limit):
        super().__init__(decoder.spec, decoder.latent, decoder.likelihood)
        self.decoder, self.limit, self.most = decoder, limit, 0

    def forward(self, z, cond=None):
        self.most = max(self.most, len(z))
        if len(z) > self.limit:
            raise torch.OutOfMemoryError("no more")
        return self.decoder(z, cond)


def test_out_of_memory_halves_the_chunks_and_gives_the_same_result():
    run = model()
    batch, full = run.data("val")[torch.arange(5)], importance_log_px(run.vae, run.data("val")[torch.arange(5)], 100)
    run.vae.decoder = Hungry(run.vae.decoder, limit=13)
    torch.testing.assert_close(importance_log_px(run.vae, batch, 100), full, atol=1e-5, rtol=0)
    assert run.vae.decoder.most > 13
    run.vae.decoder.limit = 0
    with pytest.raises(RunFailed, match="out of memory"):
        importance_log_px(run.vae, batch, 100)


def test_nothing_is_encoded_twice():
    run = model()
    seen = []
    run.vae.encoder.register_forward_hook(lambda module, inputs, out: seen.append(len(inputs[0].x)))
    evidence(run.vae, run.data("val"), 600)
    assert sum(seen) == len(run.data("val"))


def test_what_is_not_observed_does_not_matter_and_is_not_counted():
    run = model(gaps=0.3)
    rows = run.data("val").rows
    other = rows._replace(x=torch.where(rows.mask, rows.x, 7.0))
    a, b = (evidence(run.vae, TensorData(*batch), 50) for batch in (rows, other))
    assert torch.equal(a.log_evidence, b.log_evidence)
    assert bool(a.log_evidence.isfinite().all())
    torch.testing.assert_close(a.observed, rows.mask.flatten(1).sum(1).float())


def test_evaluate_gives_every_figure_and_is_reproducible(monkeypatch):
    run = model()
    monkeypatch.setattr(Judge, "metrics", lambda self, run, split: {"accuracy": 0.5})
    f = evaluate(run, "val", 20)
    assert f["rows"] == 200
    assert f["accuracy"] == 0.5
    assert f["split"] == "val"
    assert f["samples"] == 20
    assert f["elbo"] == pytest.approx(f["log_px"] - f["kl"])
    assert f["kl"] == pytest.approx(sum(f["kl_per_dim"]))
    assert len(f["kl_per_dim"]) == 2
    assert f["nll"] < -f["elbo"]
    assert 1 <= f["ess"] <= 20
    assert 0 < f["nll_se"] < 5
    assert f["bits_per_dim"] == pytest.approx(f["nll"] / 64 / math.log(2))
    assert evaluate(run, "val", 20) == f
    assert evaluate(run, "val", 20, seed=1)["nll"] != f["nll"]
    assert evaluate(run, "val", 20, rows=30)["rows"] == 30


def test_more_samples_tighten_the_bound():
    run = model()
    nll = [evaluate(run, "val", s)["nll"] for s in (1, 10, 300)]
    assert nll[0] > nll[1] > nll[2]


def test_bfloat16_is_close():
    run = model()
    exact, rounded = (evaluate(run, "val", 50, precision=p)["nll"] for p in (torch.float32, torch.bfloat16))
    assert exact != rounded
    assert rounded == pytest.approx(exact, abs=0.1)


@pytest.mark.parametrize(("split", "samples"), [("val", 0), ("test", 5)])
def test_nothing_to_evaluate_is_a_usage_error(split, samples):
    run = model()
    full = run.domain.data
    run.domain.data = lambda name: TensorData(torch.zeros(0, 1, 8, 8)) if name == "test" else full(name)
    with pytest.raises(UsageError, match="samples >= 1 and rows"):
        evaluate(run, split, samples)


def test_active_units_are_those_whose_mean_varies():
    mean = torch.stack([torch.linspace(-1, 1, 50), torch.linspace(-0.1, 0.1, 50), torch.zeros(50)], -1)
    assert active_units(mean) == 1


def test_a_posterior_without_a_mean_is_averaged():
    class Meanless(Independent):
        @property
        def mean(self):
            raise NotImplementedError

    q = Meanless(Normal(torch.tensor([[0.0, 3.0]]), torch.tensor([[1.0, 0.1]])), 1)
    with seeded("mean"):
        torch.testing.assert_close(importance.posterior_mean(q), torch.tensor([[0.0, 3.0]]), atol=0.15, rtol=0)


def test_long_lists_of_figures_are_cut_for_people():
    assert figure([1.0, 2.5]) == "1 2.5"
    assert figure([0.0] * 200).endswith("… (200 in all; --json has them)")

"""What is particular to one family: closed forms, symmetries, precision, bad options."""

from __future__ import annotations

import math
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats
from torch.distributions import constraints
from torch.nn.functional import binary_cross_entropy_with_logits

from vaehub.base import Likelihood, Spec, estimate
from vaehub.errors import UsageError
from vaehub.model.likelihoods import (
    Bernoulli,
    Categorical,
    ContinuousBernoulli,
    DiscretizedLogistic,
    Laplace,
    Multinomial,
    NegativeBinomial,
    Normal,
    Poisson,
    StudentT,
    ZeroInflated,
)


def reals(likelihood: Likelihood, rows: int, scale: float = 1.0) -> torch.Tensor:
    """Random parameters (rows, K, *shape), the same at every call."""
    generator = torch.Generator().manual_seed(rows)
    return scale * torch.randn(rows, *likelihood.param_shape, generator=generator, dtype=torch.float64)


def test_multinomial_sums_to_one_over_the_counts_of_a_total():
    likelihood = Multinomial(Spec((3,)), total=4)
    d = likelihood(reals(likelihood, 5))
    rows = torch.tensor([c for c in product(range(5), repeat=3) if sum(c) == 4])
    p = d.log_prob(rows.unsqueeze(1)).exp()
    assert torch.allclose(p.sum(0), torch.ones(5, dtype=torch.float64))
    assert torch.allclose((rows.unsqueeze(1) * p.unsqueeze(-1)).sum(0), d.mean)
    torch.manual_seed(0)
    drawn = d.sample((4000,))
    assert (drawn.sum(-1) == 4).all()
    assert torch.allclose(drawn.mean(0), d.mean, atol=0.08)


def test_multinomial_without_its_coefficient_has_the_same_gradient():
    full, bare = Multinomial(Spec((5,))), Multinomial(Spec((5,)), coefficient=False)
    params, x = reals(full, 3).requires_grad_(), torch.tensor([[0, 2, 1, 0, 0], [0, 0, 0, 0, 0], [3, 0, 0, 9, 1]])
    log_full, log_bare = (f(params).log_prob(x) for f in (full, bare))
    p = params.detach().squeeze(1).softmax(-1)
    assert torch.allclose(log_bare, (x * p.log()).sum(-1))
    assert torch.allclose(log_full, torch.from_numpy(stats.multinomial.logpmf(x.numpy(), x.sum(-1).numpy(), p.numpy())))
    assert torch.allclose(*(torch.autograd.grad(v.sum(), params)[0] for v in (log_full, log_bare)))


def test_bernoulli_of_grey_values_is_minus_the_cross_entropy():
    likelihood = Bernoulli(Spec((50,)))
    params, x = reals(likelihood, 20, 4.0), torch.rand(20, 50, dtype=torch.float64)
    expected = -binary_cross_entropy_with_logits(params[:, 0], x, reduction="none")
    assert torch.allclose(likelihood(params).log_prob(x), expected)


def test_continuous_bernoulli_agrees_with_torch_where_that_is_sound():
    params, x = torch.linspace(-12, 12, 60, dtype=torch.float64).view(1, 1, 60), torch.rand(1, 60, dtype=torch.float64)
    ours = ContinuousBernoulli(Spec((60,)))(params)
    theirs = torch.distributions.ContinuousBernoulli(logits=params[:, 0], validate_args=False)
    assert torch.allclose(ours.log_prob(x), theirs.log_prob(x), atol=1e-6)
    assert torch.allclose(ours.mean, theirs.mean, atol=1e-6)


@settings(max_examples=80, deadline=None)
@given(st.floats(-1e4, 1e4), st.floats(0, 1))
def test_continuous_bernoulli_is_symmetric_and_its_gradient_is_x_minus_the_mean(logit, x):
    likelihood = ContinuousBernoulli(Spec((1,)))
    params = torch.tensor([[[logit]], [[-logit]]], dtype=torch.float64, requires_grad=True)
    log_px = likelihood(params).log_prob(torch.tensor([[x], [1 - x]], dtype=torch.float64))
    assert torch.isclose(log_px[0, 0], log_px[1, 0], atol=1e-9)
    (gradient,) = torch.autograd.grad(log_px[0, 0], params)
    mean = likelihood(params).mean[0, 0]
    assert 0 <= mean <= 1
    assert gradient[0, 0, 0].item() == pytest.approx(x - mean.item(), abs=1e-8)  # as in every exponential family


@pytest.mark.parametrize(
    "family",
    [Poisson, partial(NegativeBinomial, dispersion="element"), partial(StudentT, scale="element", df="element")],
    ids=["poisson", "negative_binomial", "student_t"],
)
def test_float32_keeps_its_precision_with_large_counts_and_dispersions(family):
    torch.manual_seed(0)
    likelihood = family(Spec((1,)))
    params = torch.tensor([1.0, 30.0, 1e3, 1e4])[torch.randint(4, (2000, *likelihood.param_shape))]
    x = likelihood(params).sample()
    exact = likelihood.double()(params.double()).log_prob(x)
    assert (likelihood.float()(params).log_prob(x) - exact).abs().max() < 1e-3  # by log-gammas in float32 it is off by up to 0.03


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e4, 1e4), min_size=6, max_size=6), st.integers(2, 300))
def test_discretized_logistic_sums_to_one_at_any_parameters(params, classes):
    likelihood = DiscretizedLogistic(Spec((1,), classes=classes), components=2)
    d = likelihood(torch.tensor(params, dtype=torch.float64).view(1, 6, 1))
    x = torch.arange(classes).view(-1, 1, 1)
    assert d.log_prob(x).exp().sum().item() == pytest.approx(1, abs=1e-6)


def test_discretized_logistic_is_the_difference_of_two_distribution_functions():
    likelihood = DiscretizedLogistic(Spec((1,), classes=256), components=3)
    params = reals(likelihood, 1)
    logits, loc, raw = params.view(3, 3).numpy()
    x = np.arange(256)[:, None]
    scale = math.exp(-7) + np.logaddexp(0, raw)
    upper, lower = (special.expit(((2 * x + side) / 255 - 1 - loc) / scale) for side in (1, -1))
    upper[-1], lower[0] = 1, 0
    expected = ((upper - lower) * special.softmax(logits)).sum(-1)
    seen = likelihood(params).log_prob(torch.from_numpy(x).unsqueeze(-1)).exp().flatten()
    assert torch.allclose(seen, torch.from_numpy(expected))


def test_student_t_without_a_mean_shows_its_location():
    cauchy = partial(StudentT, df=1.0)
    params = reals(cauchy(Spec((3,))), 4)
    assert torch.equal(estimate(cauchy(Spec((3,)))(params)), params[:, 0])
    inflated = ZeroInflated(Spec((3,)), base=cauchy)
    gates = torch.full_like(params, 9.0)
    assert torch.equal(estimate(inflated(torch.cat([params, -gates], 1))), params[:, 0])
    assert not estimate(inflated(torch.cat([params, gates], 1))).any()


class Positive(Likelihood):
    """A stranger's family whose density at 0 is infinite, and whose support leaves 0 out."""

    support = constraints.positive
    expects = "positive numbers"

    @property
    def param_shape(self):
        return (1, *self.spec.shape)

    def forward(self, params):
        return torch.distributions.Gamma(params[:, 0].exp() / 2, 1.0, validate_args=False)


def test_zero_inflated_admits_zeros_to_a_base_that_has_none():
    likelihood = ZeroInflated(Spec((2,)), base=Positive)
    params = reals(likelihood, 3).requires_grad_()
    x = torch.tensor([[0.0, 1.5]] * 3, dtype=torch.float64)
    assert likelihood.support.check(x).all()
    assert not likelihood.support.check(-x)[:, 1].any()
    log_px = likelihood(params).log_prob(x)
    assert torch.allclose(log_px[:, 0], torch.nn.functional.logsigmoid(params[:, -1, 0]))
    assert torch.autograd.grad(log_px.sum(), params)[0].isfinite().all()


def test_a_fixed_scale_is_exact_in_double_precision():
    d = Normal(Spec((1,)), scale=0.1)(torch.zeros(1, 1, 1, dtype=torch.float64))
    assert d.stddev.item() == 0.1


@pytest.mark.parametrize(
    ("make_it", "line"),
    [
        (lambda: Normal(Spec((1,)), scale=-1.0), "scale = -1.0: give a positive number"),
        (lambda: Laplace(Spec((1,)), scale="elment"), "scale = 'elment': give a positive number"),
        (lambda: StudentT(Spec((1,)), df=math.nan), "df = nan"),
        (lambda: NegativeBinomial(Spec((1,)), dispersion=0), "dispersion = 0"),
        (lambda: Categorical(Spec((1,))), "2 or more classes; the domain declares 0"),
        (lambda: DiscretizedLogistic(Spec((1,), classes=1)), "2 or more classes; the domain declares 1"),
        (lambda: ZeroInflated(Spec((4,)), base=Multinomial), "Multinomial has one log p per row"),
    ],
)
def test_bad_options_are_named(make_it, line):
    with pytest.raises(UsageError, match=line):
        make_it()

"""One battery over all families: density, samples, mean, extremes, shapes, precision, and closed forms of scipy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from scipy import special, stats
from torch import nn
from torch.distributions import constraints

from vaehub.base import Likelihood, Spec, estimate
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

CLASSES = 7
FAMILIES: dict[str, Any] = {
    "bernoulli": Bernoulli,
    "continuous_bernoulli": ContinuousBernoulli,
    "normal": Normal,
    "normal fixed": partial(Normal, scale=0.3),
    "normal element": partial(Normal, scale="element"),
    "laplace": Laplace,
    "laplace element": partial(Laplace, scale="element"),
    "student_t": StudentT,
    "student_t fixed": partial(StudentT, scale=0.5, df=3.5),
    "student_t element": partial(StudentT, scale="element", df="element"),
    "categorical": Categorical,
    "poisson": Poisson,
    "negative_binomial": NegativeBinomial,
    "negative_binomial fixed": partial(NegativeBinomial, dispersion=2.5),
    "negative_binomial element": partial(NegativeBinomial, dispersion="element"),
    "discretized_logistic": DiscretizedLogistic,
    "discretized_logistic one": partial(DiscretizedLogistic, components=1),
    "zero_inflated": ZeroInflated,
    "zero_inflated negative_binomial": partial(ZeroInflated, base=partial(NegativeBinomial, dispersion="element")),
    "zero_inflated normal": partial(ZeroInflated, base=partial(Normal, scale="element")),
    "zero_inflated continuous_bernoulli": partial(ZeroInflated, base=ContinuousBernoulli),
    "zero_inflated categorical": partial(ZeroInflated, base=Categorical),
    "zero_inflated discretized_logistic": partial(ZeroInflated, base=DiscretizedLogistic),
}
ROWS = {"multinomial": partial(Multinomial, total=4), "multinomial without": partial(Multinomial, coefficient=False)}
elementwise = pytest.mark.parametrize("name", FAMILIES)
everything = pytest.mark.parametrize("name", [*FAMILIES, *ROWS])


def make(name: str, *shape: int) -> Likelihood:
    """The family for rows of this shape."""
    return {**FAMILIES, **ROWS}[name](Spec(shape, classes=CLASSES))


def reals(likelihood: Likelihood, rows: int, scale: float = 1.0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Random parameters (rows, K, *shape), the same at every call."""
    generator = torch.Generator().manual_seed(len(likelihood.param_shape) + rows)
    return (scale * torch.randn(rows, *likelihood.param_shape, generator=generator, dtype=torch.float64)).to(dtype)


@dataclass
class Enumerated:
    """Values x (N,) in order and their probabilities (N, P) under P parameters, by the family's own log_prob."""

    x: torch.Tensor
    p: torch.Tensor

    @property
    def mean(self):
        return (self.x[:, None] * self.p).sum(0)

    def cdf(self, at: torch.Tensor):
        """P(X <= at): (len(at), P)."""
        return self.p.cumsum(0)[(torch.searchsorted(self.x, at, right=True) - 1).clamp(min=0)] * (at >= self.x[0])[:, None]


def values(support: constraints.Constraint) -> tuple[torch.Tensor, torch.Tensor]:
    """All values x of a discrete support, or the nodes of a quadrature over a continuous one, and their weights."""
    if support is constraints.boolean:
        return torch.tensor([0.0, 1.0]), torch.ones(2)
    if support.is_discrete:
        x = torch.arange(getattr(support, "upper_bound", 100_000) + 1, dtype=torch.float64)
        return x, torch.ones_like(x)
    if support is constraints.unit_interval:
        node, weight = special.roots_legendre(400)
        return torch.from_numpy(node / 2 + 0.5), torch.from_numpy(weight / 2)
    u = torch.linspace(-12, 12, 40_001, dtype=torch.float64) + 1e-7  # x = sinh u / 4: dense in the middle, and far out, never 0
    return u.sinh() / 4, u.cosh() / 4 * (u[1] - u[0])


def enumerate_(name: str, scale: float = 1.0, rows: int = 6) -> tuple[Any, Enumerated]:
    """The distribution of one element under several parameters, and its values with their probabilities."""
    likelihood = make(name, 1).double()
    d = likelihood(reals(likelihood, rows, scale))
    support = d.support
    x, weight = values(support)
    p = d.log_prob(x.view(-1, 1, 1)).exp().squeeze(-1) * weight[:, None]
    if name.startswith("zero_inflated") and not support.is_discrete:
        at_zero = d.log_prob(torch.zeros(1, 1, 1, dtype=torch.float64)).exp().squeeze(-1)
        i = int((x > 0).int().argmax())
        x, p = torch.cat([x[:i], torch.zeros(1), x[i:]]), torch.cat([p[:i], at_zero, p[i:]])
    return d, Enumerated(x, p.detach())


@elementwise
@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_mass_is_one(name, scale):
    _, all_of = enumerate_(name, scale)
    assert torch.allclose(all_of.p.sum(0), torch.ones(6, dtype=torch.float64), atol=1e-3, rtol=0)


@elementwise
def test_samples_follow_the_density(name):
    torch.manual_seed(1)
    d, all_of = enumerate_(name)
    n = 4000
    drawn = d.sample((n,)).squeeze(-1).double().T.contiguous()
    for p, row in enumerate(drawn):
        at = row.unique()
        empirical = torch.searchsorted(row.sort().values, at, right=True) / n
        assert (empirical - all_of.cdf(at)[:, p]).abs().max() < 2.2 / math.sqrt(n)  # Kolmogorov-Smirnov, p < 1e-4


@elementwise
def test_mean_is_the_mean(name):
    d, all_of = enumerate_(name)
    if "categorical" in name:
        with pytest.raises(NotImplementedError):
            _ = d.mean
    else:
        assert torch.allclose(d.mean.squeeze(-1).detach(), all_of.mean, rtol=2e-3, atol=2e-3)


@everything
@pytest.mark.parametrize("shape", [(5,), (2, 3, 4)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shapes_dtypes_and_support(name, shape, dtype):
    likelihood = make(name, *shape).to(dtype)
    d = likelihood(reals(likelihood, 3, dtype=dtype))
    batch = (3,) if name in ROWS else (3, *shape)
    assert likelihood.param_shape[1:] == shape
    assert tuple(d.batch_shape) == batch
    assert tuple(d.batch_shape + d.event_shape) == (3, *shape)
    for leading in [(), (2,), (2, 4)]:
        x = d.sample(leading)
        assert tuple(x.shape) == (*leading, 3, *shape)
        assert x.dtype == (torch.int64 if name == "categorical" or name.endswith("d categorical") else dtype)
        assert likelihood.support.check(x).all()
        log_px = d.log_prob(x)
        assert tuple(log_px.shape) == (*leading, *batch)
        assert log_px.dtype == dtype
        assert not x.requires_grad
    assert repr(d)
    assert tuple(estimate(d).shape) == (3, *shape)


def edges(likelihood: Likelihood) -> list[float]:
    """Values at the edges of the support and inside it."""
    support = likelihood.support
    if support is constraints.unit_interval:
        return [0.0, 1e-6, 0.5, 1.0]
    if support is constraints.real:
        return [-1e4, 0.0, 0.5, 1e4]
    return [0, 1, 3, float(getattr(support, "upper_bound", 1e4))]


@everything
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_extremes_stay_finite(name, dtype):
    likelihood = make(name, 4).to(torch.float64 if dtype == torch.float64 else torch.float32)
    extremes = torch.tensor([-1e4, -100.0, -20.0, -1e-3, 0.0, 1e-3, 20.0, 100.0, 1e4])
    generator = torch.Generator().manual_seed(0)
    choice = torch.randint(len(extremes), (400, *likelihood.param_shape), generator=generator)
    choice[: len(extremes)] = torch.arange(len(extremes)).view(-1, 1, 1)
    params = extremes[choice].to(dtype).requires_grad_()
    for x in edges(likelihood):
        log_px = likelihood(params).log_prob(torch.full((400, 4), x, dtype=torch.float32))
        assert log_px.isfinite().all()
        assert log_px.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
        gradients = torch.autograd.grad(log_px.sum(), [params, *likelihood.parameters()])
        assert all(g.isfinite().all() for g in gradients)


@everything
def test_samples_and_means_of_extremes_stay_in_support(name):
    torch.manual_seed(0)
    likelihood = make(name, 3)
    extremes = torch.tensor([-1e4, -20.0, 0.0, 20.0, 1e4])
    params = extremes[torch.randint(5, (200, *likelihood.param_shape))].requires_grad_()
    d = likelihood(params)
    x = d.sample()
    assert x.isfinite().all()
    assert likelihood.support.check(x).all()
    if "categorical" not in name:
        assert d.mean.isfinite().all()
        assert torch.autograd.grad(d.mean.sum(), params)[0].isfinite().all()  # perceptual objectives learn through the mean


@everything
def test_under_autocast_densities_are_float32(name):
    likelihood = make(name, 4)
    network = nn.Linear(3, math.prod(likelihood.param_shape))
    x = likelihood(reals(likelihood, 8, dtype=torch.float32)).sample()
    with torch.autocast("cpu", torch.bfloat16):
        params = network(torch.randn(8, 3)).view(8, *likelihood.param_shape)
        assert params.dtype == torch.bfloat16
        log_px = likelihood(params).log_prob(x)
    assert log_px.dtype == torch.float32
    log_px.sum().backward()
    assert network.weight.grad.isfinite().all()


@everything
def test_gradients_are_those_of_the_values(name):
    likelihood = make(name, 2).double()
    torch.manual_seed(0)
    for scale in (0.0, 1.0, 5.0):
        params = reals(likelihood, 3, scale)
        x = likelihood(params).sample()
        assert torch.autograd.gradcheck(
            lambda p, f=likelihood, x=x: f(p).log_prob(x), params.requires_grad_(), eps=1e-5, atol=1e-5
        )


@pytest.mark.parametrize(("name", "count"), {"normal": 1, "laplace": 1, "student_t": 2, "negative_binomial": 1}.items())
def test_learnt_numbers_find_their_maximum(name, count):
    torch.manual_seed(0)
    likelihood = make(name, 3).double()
    params = reals(likelihood, 400)
    x = likelihood(params).sample()  # from the start values, which are then the likeliest ones
    assert len(list(likelihood.parameters())) == count
    for parameter in likelihood.parameters():
        gradients = []
        for shift in (-1.0, 1.0):
            with torch.no_grad():
                parameter.add_(shift)
            gradients.append(torch.autograd.grad(likelihood(params).log_prob(x).sum(), parameter)[0])
            with torch.no_grad():
                parameter.sub_(shift)
        assert gradients[0] > 0 > gradients[1]


SOFTPLUS = partial(np.logaddexp, 0)
CLOSED_FORMS = {  # params (K,) of one element -> a frozen scipy distribution
    "bernoulli": lambda p: stats.bernoulli(special.expit(p[0])),
    "normal fixed": lambda p: stats.norm(p[0], 0.3),
    "normal element": lambda p: stats.norm(p[0], 1e-3 + SOFTPLUS(p[1])),
    "laplace element": lambda p: stats.laplace(p[0], 1e-3 + SOFTPLUS(p[1])),
    "student_t fixed": lambda p: stats.t(3.5, p[0], 0.5),
    "student_t element": lambda p: stats.t(2 + SOFTPLUS(p[2]), p[0], 1e-3 + SOFTPLUS(p[1])),
    "categorical": lambda p: stats.rv_discrete(values=(np.arange(CLASSES), special.softmax(p))),
    "poisson": lambda p: stats.poisson(SOFTPLUS(p[0])),
    "negative_binomial fixed": lambda p: stats.nbinom(2.5, 2.5 / (2.5 + SOFTPLUS(p[0]))),
    "negative_binomial element": lambda p: (lambda r: stats.nbinom(r, r / (r + SOFTPLUS(p[0]))))(1e-4 + SOFTPLUS(p[1])),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_agrees_with_scipy(name, scale):
    likelihood = make(name, 1).double()
    params = reals(likelihood, 12, scale)
    d = likelihood(params)
    x = d.sample((20,))
    expected = [CLOSED_FORMS[name](p.numpy()) for p in params.squeeze(-1)]
    log_pdf = "logpdf" if likelihood.support is constraints.real else "logpmf"
    log_px = np.stack([getattr(f, log_pdf)(x[:, i, 0].numpy()) for i, f in enumerate(expected)], 1)
    assert torch.allclose(d.log_prob(x).squeeze(-1), torch.from_numpy(log_px), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", ["zero_inflated categorical", "categorical"])
def test_point_estimate_is_the_mode_where_there_is_no_mean(name):
    d, all_of = enumerate_(name, scale=3.0, rows=40)
    assert torch.equal(estimate(d).squeeze(-1), all_of.p.argmax(0))


@everything
def test_no_tensor_stays_on_another_device(name):
    likelihood = make(name, 4).to("meta")
    log_px = likelihood(torch.zeros(3, *likelihood.param_shape, device="meta")).log_prob(torch.zeros(3, 4, device="meta"))
    assert log_px.device.type == "meta"

"""What every likelihood p(x|z,c) must satisfy."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.distributions import constraints

from vaehub.base import Likelihood
from vaehub.testing.bench import Bench
from vaehub.testing.core import Skipped, check, require
from vaehub.testing.measure import (
    counts,
    elementary,
    grid,
    integers,
    mean_of,
    require_finite,
    require_mean,
    require_same,
    support_of,
)

EXTREME = 50.0  # what an ill-behaved network may put out
DRAWS = 20_000


def reals(likelihood: Likelihood, rows: int, scale: float = 1.0) -> Tensor:
    """Random parameters (rows, K, *shape)."""
    return scale * torch.randn(rows, *likelihood.param_shape)


def by_row(likelihood: Likelihood, x: Tensor) -> bool:
    """Whether a whole row is one event."""
    return likelihood(reals(likelihood, len(x))).log_prob(x).dim() == 1


def tiny(bench: Bench, elements: int) -> Likelihood:
    """The likelihood for rows of so many elements."""
    if bench.setting.spec.kinds:
        raise Skipped("rows of mixed kinds: the families of their columns are checked by themselves")
    spec = bench.setting.spec
    shape = (elements, *[1] * (len(spec.shape) - 1))
    likelihood: Likelihood = bench.make(replace(bench.setting, spec=replace(spec, shape=shape)))
    return likelihood


@check("likelihood")
def param_shape_is_k_then_shape(bench: Bench) -> None:
    """`param_shape` is (K, *shape): K reals for every element; or (P,) for rows of mixed kinds."""
    likelihood: Likelihood = bench.make()
    shape, expected = tuple(likelihood.param_shape), bench.setting.spec.shape
    flat = bool(bench.setting.spec.kinds) and len(shape) == 1
    fits = flat or (len(shape) == len(expected) + 1 and shape[1:] == expected and shape[0] >= 1)
    require(fits, f"param_shape is {shape} for rows of shape {expected}, not (K, {', '.join(map(str, expected))})")


@check("likelihood")
def log_prob_is_per_element_or_row(bench: Bench) -> None:
    """`log_prob(x)` has one value per element (B, *shape), or one per row (B,)."""
    likelihood, x = bench.make(), bench.setting.batch.x
    shape = tuple(likelihood(reals(likelihood, len(x))).log_prob(x).shape)
    require(shape in {tuple(x.shape), (len(x),)}, f"log_prob of x {tuple(x.shape)} has shape {shape}")


@check("likelihood")
@torch.no_grad()
def density_sums_to_one(bench: Bench) -> None:
    """The probabilities of all values of x sum, or their density integrates, to 1."""
    if by_row(bench.make(), bench.setting.batch.x):
        likelihood = tiny(bench, 3)
        for _ in range(3):
            require_counts_sum_to_one(likelihood, reals(likelihood, 1).double())
        return
    likelihood = tiny(bench, 1)
    for _ in range(3):
        require_element_sums_to_one(likelihood, reals(likelihood, 1).double())


def require_element_sums_to_one(likelihood: Likelihood, params: Tensor) -> None:
    """Fails unless the density of a single element has mass 1."""
    likelihood = likelihood.double()
    d = likelihood(params)
    support, samples = support_of(d, likelihood.support), d.sample((1000,))
    if support.is_discrete:
        x = integers(support, samples)
        log_weight = torch.zeros(len(x), dtype=torch.float64)
    else:
        x, log_weight = grid(support, samples)
    shaped = x.reshape(-1, *[1] * (params.dim() - 2))
    log_p = likelihood(params.expand(len(x), *params.shape[1:])).log_prob(shaped).flatten()
    mass = float((log_p + log_weight).exp().sum())
    require(abs(mass - 1) < 1e-3, f"the probabilities of all values of one element come to {mass:.6g}, not to 1")


def require_counts_sum_to_one(likelihood: Likelihood, params: Tensor) -> None:
    """Fails unless the probabilities of all rows of three counts come to 1; asks for a fixed total, as in a multinomial."""
    totals = likelihood(params).sample((100,)).flatten(2).sum(-1)
    if not bool((totals == totals.flatten()[0]).all()):
        raise Skipped("rows are events whose values cannot be enumerated")
    x = counts(int(totals.flatten()[0]), 3)
    log_p = likelihood(params.expand(len(x), *params.shape[1:])).log_prob(x.reshape(-1, *params.shape[2:]))
    mass = float(log_p.exp().sum())
    require(abs(mass - 1) < 1e-3, f"the probabilities of all rows with the same total come to {mass:.6g}, not to 1")


@check("likelihood")
def samples_are_rows_in_support(bench: Bench) -> None:
    """Samples have the shape of rows and lie in the stated support."""
    likelihood: Likelihood = bench.make()
    for scale in (1.0, 5.0):
        x = likelihood(reals(likelihood, 8, scale)).sample()
        require(tuple(x.shape) == (8, *bench.setting.spec.shape), f"8 samples have shape {tuple(x.shape)}")
        inside = bool(likelihood.support.check(x).all())
        require(inside, f"samples span [{x.min():g}, {x.max():g}], outside the stated support {likelihood.support}")


@check("likelihood")
def mean_is_mean_of_samples(bench: Bench) -> None:
    """`mean` is the mean of the samples."""
    likelihood = tiny(bench, 3)
    d = likelihood(reals(likelihood, 4))
    expected = mean_of(d)
    require_mean(d.sample((DRAWS,)).float(), expected, "`mean`")


@check("likelihood")
def extreme_parameters_stay_finite(bench: Bench) -> None:
    """log p and its gradients are finite for parameters of +-50."""
    likelihood, x = bench.make(), bench.setting.batch.x
    for levels in ([-EXTREME, 0.0, EXTREME], [-EXTREME], [EXTREME]):
        choice = torch.randint(len(levels), (len(x), *likelihood.param_shape))
        params = torch.tensor(levels)[choice].requires_grad_()
        log_px = likelihood(params).log_prob(x)
        require_finite(log_px, f"log p(x) with parameters among {levels}")
        (gradient,) = torch.autograd.grad(log_px.sum(), params)
        require_finite(gradient, f"gradient of log p(x) with parameters among {levels}")


@check("likelihood")
def every_parameter_counts(bench: Bench) -> None:
    """log p(x) depends on each of the K parameters."""
    likelihood, x = bench.make(), bench.setting.batch.x
    params = reals(likelihood, len(x)).requires_grad_()
    (gradient,) = torch.autograd.grad(likelihood(params).log_prob(x).sum(), params)
    idle = [k for k in range(gradient.shape[1]) if not bool(gradient[:, k].any())]
    require(not idle, f"log p(x) does not depend on parameter {idle} of {gradient.shape[1]} for any element")


@check("likelihood")
def rows_are_independent(bench: Bench) -> None:
    """Rows in another order give the same log p in that order."""
    likelihood, x = bench.make(), bench.setting.batch.x
    params, order = reals(likelihood, len(x)), torch.randperm(len(x))
    expected = likelihood(params).log_prob(x)[order]
    require_same(likelihood(params[order]).log_prob(x[order]), expected, "log p(x) of a row depends on the other rows")


@check("likelihood")
def low_precision_parameters_give_float32(bench: Bench) -> None:
    """Parameters in bfloat16 give log p in float32: sums of densities need full precision."""
    likelihood, x = bench.make(), bench.setting.batch.x
    dtype = likelihood(reals(likelihood, len(x)).bfloat16()).log_prob(x).dtype
    require(dtype == torch.float32, f"parameters in bfloat16 give log p(x) in {dtype}, not in float32")


@check("likelihood")
def double_precision_is_kept(bench: Bench) -> None:
    """Parameters in float64 give log p in float64."""
    likelihood, x = bench.make().double(), bench.setting.batch.x
    dtype = likelihood(reals(likelihood, len(x)).double()).log_prob(x).dtype
    require(dtype == torch.float64, f"parameters in float64 give log p(x) in {dtype}")


@check("likelihood")
def works_on_the_device_of_its_parameters(bench: Bench) -> None:
    """log p is computed on the device of the parameters, with no tensor left elsewhere."""
    likelihood, x = bench.make(), bench.setting.batch.x
    device = torch.device("cuda" if torch.cuda.is_available() else "meta")
    params = reals(likelihood, len(x)).to(device)
    log_px = likelihood.to(device)(params).log_prob(x.to(device))
    require(log_px.device.type == device.type, f"parameters on {device} give log p(x) on {log_px.device}")


@check("likelihood")
def support_and_expects_agree(bench: Bench) -> None:
    """`support` is a constraint, and `expects` says it in words."""
    cls, likelihood = bench.cls, bench.make()
    require(isinstance(likelihood.support, constraints.Constraint), f"support is {likelihood.support!r}, not a torch Constraint")
    require(isinstance(cls.expects, str) and bool(cls.expects.strip()), f"expects is {cls.expects!r}, not a text")
    bounded = elementary(likelihood.support) is not constraints.real
    stated = likelihood.expects != Likelihood.expects
    require(bounded == stated, f"support is {likelihood.support}, but expects says {likelihood.expects!r}")

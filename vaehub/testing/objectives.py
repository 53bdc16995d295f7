"""What every objective must satisfy, tried on a small VAE of built-in parts; and what every feature network must."""

from __future__ import annotations

import math

import torch

from vaehub.base import Features, Objective, Step, Terms
from vaehub.model.vae import VAE
from vaehub.testing.bench import Bench
from vaehub.testing.core import check, require
from vaehub.testing.measure import jitter, require_finite, require_gradients, require_same

LATE = Step(step=10**6, epoch=10**4, examples=1000)  # every schedule is over
TRAINING_STEPS = 40


def terms_of(bench: Bench, objective: Objective) -> tuple[VAE, Terms]:
    """A small VAE, shown to the objective, and its terms, with as many samples as the objective wants."""
    vae = bench.vae(bench.setting)
    objective.wire(vae)
    terms: Terms = vae(bench.setting.batch, samples=objective.samples)
    return vae, terms


@check("objective")
def loss_is_a_finite_scalar(bench: Bench) -> None:
    """The loss is one finite number, at the first step and after every schedule has ended."""
    objective: Objective = bench.make()
    for step in (Step(examples=1000), LATE):
        loss, _ = objective(terms_of(bench, objective)[1], step)
        require(loss.dim() == 0, f"the loss has shape {tuple(loss.shape)}, not ()")
        require_finite(loss, f"loss at {step}")


@check("objective")
def loss_has_gradients_for_all(bench: Bench) -> None:
    """One backward pass trains encoder and decoder alike."""
    objective: Objective = bench.make()
    vae, terms = terms_of(bench, objective)
    objective(terms, LATE)[0].backward()
    require_gradients(vae)


@check("objective")
def logs_are_detached_scalars(bench: Bench) -> None:
    """What is logged are finite scalars by name, without gradient."""
    objective: Objective = bench.make()
    _, logs = objective(terms_of(bench, objective)[1], LATE)
    for name, value in logs.items():
        require(
            isinstance(name, str) and isinstance(value, torch.Tensor), f"logs[{name!r}] is {type(value).__name__}, not a tensor"
        )
        require(value.dim() == 0 and not value.requires_grad, f"logs[{name!r}] is not a detached scalar")
        require_finite(value, f"logs[{name!r}]")


@check("objective")
def samples_is_a_positive_integer(bench: Bench) -> None:
    """`samples`, the number of z that it wants for every row, is an integer of at least 1."""
    samples = bench.make().samples
    require(isinstance(samples, int) and samples >= 1, f"samples is {samples!r}")


@check("objective")
def loss_does_not_grow_with_the_batch(bench: Bench) -> None:
    """The loss is per row: with every row of a batch repeated once it changes by no more than a few per cent."""
    objective, vae = bench.make(), bench.vae(bench.setting)
    objective.wire(vae)
    batch = bench.setting.batch
    twice = batch._replace(x=batch.x.repeat(40, *[1] * (batch.x.dim() - 1)))
    forty = batch._replace(x=batch.x.repeat(20, *[1] * (batch.x.dim() - 1)))
    with torch.no_grad():
        large, small = (float(objective(vae(b, samples=objective.samples), LATE)[0]) for b in (twice, forty))
    require(abs(large - small) < 0.2 * abs(small) + 1, f"the loss of 2N rows is {large:.4g}, that of N such rows {small:.4g}")


@check("objective")
def minimising_improves_the_model(bench: Bench) -> None:
    """A few steps down the loss raise log p(x|z), of the mean p over the draws of a row: the sign is right.

    The mean of the logarithms would not do: importance weighting lets all draws but the best go astray.
    """
    objective: Objective = bench.make()
    vae = bench.vae(bench.setting)
    objective.wire(vae)
    optimizer = torch.optim.Adam(vae.parameters(), lr=1e-2)
    fit = []
    for _ in range(TRAINING_STEPS):
        terms = vae(bench.setting.batch, samples=objective.samples)
        optimizer.zero_grad()
        objective(terms, LATE)[0].backward()
        optimizer.step()
        fit.append(float(terms.log_px.detach().logsumexp(0).mean()) - math.log(objective.samples))
    before, after = sum(fit[:5]) / 5, sum(fit[-5:]) / 5
    require(
        after > before,
        f"minimising the loss for {TRAINING_STEPS} steps takes log p(x|z) from {before:.4g} to {after:.4g} nats a row",
    )


@check("features")
def activations_have_rows(bench: Bench) -> None:
    """A list of at least one activation, each with first dimension B."""
    features, x = ready(bench)
    found = features(x)
    require(isinstance(found, list) and len(found) > 0, f"forward() gives {type(found).__name__}, not a list of activations")
    shapes = [tuple(a.shape) for a in found]
    require(all(s[:1] == (len(x),) for s in shapes), f"activations of {len(x)} rows have shapes {shapes}")


@check("features")
def activations_carry_gradients_to_x(bench: Bench) -> None:
    """Every activation is differentiable in x."""
    features, x = ready(bench)
    x.requires_grad_()
    for layer, activation in enumerate(features(x)):
        require(activation.requires_grad, f"activation {layer} carries no gradient")
        (gradient,) = torch.autograd.grad(activation.square().sum(), x, retain_graph=True)
        require(bool(gradient.any()), f"activation {layer} does not depend on x")


@check("features")
def activations_are_of_each_row_alone(bench: Bench) -> None:
    """The activations of a row do not depend on the other rows."""
    features, x = ready(bench)
    alone = [torch.cat(layers) for layers in zip(*(features(row) for row in x.chunk(len(x))), strict=True)]
    for layer, (one, together) in enumerate(zip(alone, features(x), strict=True)):
        require_same(one, together, f"activation {layer} of a row alone is not that in a batch")


def ready(bench: Bench) -> tuple[Features, torch.Tensor]:
    """The network in eval mode, and x."""
    features: Features = jitter(bench.make(), 0.01).eval()
    return features, bench.setting.batch.x.float()

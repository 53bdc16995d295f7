"""Faults of the loss: found by asking the objective itself how much it cares for log p(x|z) and for the KL, whatever its options are called."""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import Tensor

from vaehub.base import Objective, Step, Terms
from vaehub.config.build import build_objective
from vaehub.data.seeds import seeded
from vaehub.evaluation.doctor.checkup import Check, Checkup, Finding

ROWS = 32
PROBE = 100.0  # nats of KL a dimension at which the objective is asked: above any free bits
AVERAGED = 0.25  # weight of the KL as a share of the number of elements: averaging over elements gives 1
FAINT = 0.05  # weight of the KL below which the prior no longer shapes z; recommenders go down to 0.2
REACHED = 0.95  # share of the schedule's largest weight
MOMENTS = 20  # steps of training, and as many beyond, at which the weight is asked for


def weight_of_kl(objective: Objective, terms: Terms, step: Step) -> float | None:
    """-(d loss / d KL) / (d loss / d log p(x|z)); None for an objective that reads neither the KL nor log q(z|x)."""
    log_px, log_qz = (t.detach().clone().requires_grad_() for t in (terms.log_px, terms.log_qz))
    kl = torch.full_like(terms.kl_per_dim, PROBE).requires_grad_()
    probe = dataclasses.replace(terms, log_px=log_px, drawn_log_qz=log_qz)
    probe.kl_per_dim = kl
    loss, _ = objective(probe, step)
    by_px, by_kl, by_qz = (derivative_of_loss(loss, t) for t in (log_px, kl, log_qz))
    if by_px == 0 or (by_kl is None and by_qz is None):
        return None
    return -((by_kl or 0.0) / kl.shape[-1] + (by_qz or 0.0)) / (by_px or math.nan)


def derivative_of_loss(loss: Tensor, of: Tensor) -> float | None:
    """Sum of the loss's derivatives by `of`."""
    (gradient,) = torch.autograd.grad(loss, of, retain_graph=True, allow_unused=True)
    return None if gradient is None else float(gradient.sum())


def steps_done(c: Checkup) -> Step:
    """Where training ended."""
    examples = len(c.run.data("train"))
    epochs = len(c.cells) or c.run.config.train.epochs
    return Step(epochs * math.ceil(examples / c.run.config.train.batch_size), epochs, examples)


def weights(c: Checkup, factors: list[float]) -> list[float]:
    """Weight of the KL at these multiples of the training's length; empty where the objective does not tell."""
    objective = build_objective(c.run.config, c.run.spec)
    objective.wire(c.run.vae)
    objective.to(c.run.device)
    end = steps_done(c)
    batch = c.rows("train").map(lambda t: t[:ROWS])
    with seeded("diagnose", "loss"):
        terms = c.run.vae(batch, objective.samples)
        moments = [Step(int(f * end.step), int(f * end.epoch), end.examples) for f in factors]
        found = [weight_of_kl(objective, terms, moment) for moment in moments]
    return [w for w in found if w is not None]


def weights_in_training(c: Checkup) -> list[float]:
    """Weights in the course of training."""
    return weights(c, [i / MOMENTS for i in range(MOMENTS + 1)])


def weights_beyond_training(c: Checkup) -> list[float]:
    """Weights if training went on, up to a thousand times as long."""
    return weights(c, [1000 ** (i / MOMENTS) for i in range(MOMENTS + 1)])


def averaged(c: Checkup) -> Finding | None:
    """log p(x|z) averaged over elements against a summed KL: the KL wins."""
    if not c.finite or not (found := weights_in_training(c)):
        return None
    weight, size, kl = max(found), c.run.spec.size, float(c.val.kl.mean())
    if weight < AVERAGED * size or weight <= 1 / AVERAGED or kl > 0.1 * c.run.config.latent:
        return None
    evidence = (
        f"a nat of KL weighs {weight:.4g} times a nat of log p(x|z), x has {size} elements, and a KL of {kl:.2g} nats is left"
    )
    advice = "sum log p(x|z) over the elements of a row, do not average it: objective.beta near 1"
    return Finding("wrong loss scale", "error", evidence, advice)


def faint(c: Checkup) -> Finding | None:
    """A KL that hardly counts: an autoencoder, whose prior samples are poor."""
    if not c.finite or not (found := weights_beyond_training(c)) or max(found) >= FAINT:
        return None
    evidence = f"a nat of KL weighs {max(found):.3g} times a nat of log p(x|z); the KL is {c.val.kl.mean():.3g} nats"
    return Finding("KL weight too small", "warning", evidence, "raise objective.beta towards 1")


def never_reached(c: Checkup) -> Finding | None:
    """A schedule longer than the training."""
    if not c.finite or not (found := weights_in_training(c)):
        return None
    reached, target = max(found), max(weights_beyond_training(c))
    if reached >= REACHED * target:
        return None
    evidence = f"the KL weight came to {reached:.3g} of {target:.3g} in {steps_done(c).epoch} epochs"
    return Finding("KL weight never reached", "warning", evidence, "lower objective.warmup or raise train.epochs")


LOSS: tuple[Check, ...] = (averaged, faint, never_reached)

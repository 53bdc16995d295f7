"""Faults of the latent space: what z carries, what the decoder makes of it, and whether the prior reaches it."""

from __future__ import annotations

import torch
from torch import Tensor

from vaehub.data.seeds import seeded
from vaehub.evaluation.doctor.checkup import SAMPLES, Check, Checkup, Finding
from vaehub.evaluation.evaluate import active_units

DEAD = (
    0.5  # share of active units below which the latent space is far too large; 50-d MNIST models of the literature keep 0.4..0.6
)
USED = 0.1  # log p(x|z) gained by the right z against another row's, as a share of the KL paid for it; at least 1 in a good model
DEGENERATE = 1.5  # effective samples of a row below which log p(x) hangs on a single draw
APART = (
    0.3  # nats by which a dimension's mean and variance may differ from the prior's: a mean 0.8 off, or a variance of 0.25 or 2.7
)


def collapsed(c: Checkup) -> Finding | None:
    """No dimension of z depends on x."""
    if not c.finite or active_units(c.val.mean):
        return None
    spread = float(c.val.mean.var(0, correction=0).max())
    evidence = f"0 of {c.run.config.latent} units active (largest variance of E[z|x] {spread:.2g}, limit 0.01), KL {c.val.kl.mean():.2g} nats"
    advice = "lower objective.beta, raise objective.free_bits, warm the KL up (objective.schedule=linear), or weaken the decoder"
    return Finding("posterior collapse", "error", evidence, advice)


def dead_units(c: Checkup) -> Finding | None:
    """Most dimensions of z carry nothing."""
    active, latent = active_units(c.val.mean), c.run.config.latent
    if not c.finite or not 0 < active < DEAD * latent:
        return None
    evidence = f"{active} of {latent} units active"
    return Finding(
        "dead units", "warning", evidence, f"set latent={max(active, 1)} or so, or objective.free_bits=0.1 to use them"
    )


def ignores_z(c: Checkup) -> Finding | None:
    """Another row's z serves the decoder as well as the right one."""
    if not c.finite or len(c.rows("val").x) < 2:
        return None
    gain, kl = float((c.own_z("val") - c.other_z("val")).mean()), float(c.val.kl.mean())
    if gain > USED * max(kl, 1.0):
        return None
    evidence = f"log p(x|z) is {gain:.2g} nats better with the row's own z than with another row's, for a KL of {kl:.2g} nats"
    advice = "weaken the decoder (fewer layers, dropout), warm the KL up, or raise objective.free_bits"
    return Finding("decoder ignores z", "error", evidence, advice)


def moment_kl(z: Tensor, prior: Tensor) -> Tensor:
    """KL (L,) between normals with the mean and variance of z (N, L) and of the prior's draws (M, L), by dimension, in nats."""
    mean = (z.mean(0) - prior.mean(0)).square() / prior.var(0)
    variance = z.var(0) / prior.var(0)
    return (mean + variance - 1 - variance.log()) / 2


def prior_apart(c: Checkup) -> Finding | None:
    """Samples from the prior land where no row was ever encoded."""
    z, cond = c.z("val"), c.rows("val").cond
    if not c.finite or len(z) < 2:
        return None
    with torch.no_grad(), seeded("diagnose", "prior"):
        prior = torch.cat([c.run.vae.sample(len(z), cond) for _ in range(8)])
    apart = moment_kl(z, prior)
    worst = int(apart.argmax())
    if float(apart[worst]) <= APART:
        return None
    evidence = (
        f"dimension z{worst + 1} of the encoded rows has mean {z[:, worst].mean():.2g} and standard deviation {z[:, worst].std():.2g}, "
        f"the prior {prior[:, worst].mean():.2g} and {prior[:, worst].std():.2g}: {apart[worst]:.2g} nats apart"
    )
    advice = "raise objective.beta, or learn the prior (prior=flow, prior=vamp)"
    return Finding("prior far from posterior", "warning", evidence, advice)


def loose_likelihood(c: Checkup) -> Finding | None:
    """Importance weights of which one counts for all: log p(x) is then known loosely."""
    if not c.finite:
        return None
    ess = float(c.val.ess.mean())
    if ess >= DEGENERATE:
        return None
    evidence = f"the {SAMPLES} importance weights of a row count as {ess:.2g} (effective sample size)"
    advice = "read nll as an upper bound and raise --samples, or choose a richer posterior (posterior=iaf, posterior=full_normal)"
    return Finding("importance weights degenerate", "note", evidence, advice)


LATENT: tuple[Check, ...] = (collapsed, dead_units, ignores_z, prior_apart, loose_likelihood)

"""Faults of the data and of what the model makes of them: lost classes, leaks, scales."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vaehub.base import Batch
from vaehub.evaluation.doctor.checkup import Check, Checkup, Finding
from vaehub.evaluation.importance import posterior_mean
from vaehub.sparse import dense

SAMPLED = 1000
PROBED = 20  # samples to tell the time that all will take
PATIENCE = 120.0  # seconds
EXPECTED = 20  # samples of a class, were it as frequent as in the data, below which its absence may be chance
DROPPED = 0.3  # share of its frequency in the data at which a class counts as missing: the noise of p(x|z) lets some pass for it
TRUSTED = 0.7  # accuracy on validation rows that the classifier must have to be believed
STEPS = 100
RIDGE = 1e-3
TINY = 3e-3  # standard deviation of p(x|z) in units of the data's, below which densities grow without bound
LARGE = 100.0  # mean or standard deviation of x beyond which a freshly initialised network saturates
COPIES = 0.05  # share of validation rows that training holds too
ROUNDING = 1e-2  # share of a code's size that counts as its scale where codes hardly differ
LEAK = 1e-3  # change of E[z|x] in the company of other rows, in standard deviations over the data; rounding gives 1e-5


def classifier(x: Tensor, labels: Tensor) -> Callable[[Tensor], Tensor]:
    """Multinomial logistic regression on standardised rows (N, D), fitted by L-BFGS: rows (M, D) -> classes (M,)."""
    mean, deviation = x.mean(0), x.std(0, correction=0) + 0.1 * x.std(correction=0)
    weight = torch.zeros(x.shape[1] + 1, int(labels.max()) + 1, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight], max_iter=STEPS)

    def logits(rows: Tensor) -> Tensor:
        return (rows - mean) / deviation @ weight[1:] + weight[0]

    def loss() -> float:
        value = F.cross_entropy(logits(x), labels) + RIDGE * weight.square().sum()
        (weight.grad,) = torch.autograd.grad(value, weight)
        return float(value.detach())

    optimizer.step(loss)
    return lambda rows: logits(rows).detach().argmax(-1)


def labelled(c: Checkup, split: str) -> tuple[Tensor, Tensor] | None:
    """Flat rows (N, D) and their classes (N,) on the CPU."""
    labels = c.some(split).labels
    return None if labels is None else (c.rows(split).x.flatten(1).float().cpu(), labels.cpu().long())


def missing_classes(c: Checkup) -> Finding | None:
    """Classes of the data that hardly occur among samples, told by a classifier that labelled rows have trained."""
    known, held_out = labelled(c, "train"), labelled(c, "val")
    if not c.finite or known is None or held_out is None or not is_affordable(c):
        return None
    classify = classifier(*known)
    accuracy = float((classify(held_out[0]) == held_out[1]).float().mean())
    share, drawn = frequencies(known[1]), frequencies(classify(sampled(c, SAMPLED)))
    lost = [k for k in share if share[k] * SAMPLED >= EXPECTED and drawn.get(k, 0.0) < DROPPED * share[k]]
    if accuracy < TRUSTED or not lost:
        return None
    names = ", ".join(f"{class_name(c, k)} ({drawn.get(k, 0.0):.1%} of samples, {share[k]:.1%} of rows)" for k in lost)
    evidence = f"classes missing among {SAMPLED} samples: {names}; the classifier is right on {accuracy:.0%} of validation rows"
    advice = "train longer, raise latent, set train.balanced=true, or learn the prior (prior=vamp, prior=flow)"
    return Finding("mode dropping", "warning", evidence, advice)


def sampled(c: Checkup, count: int) -> Tensor:
    """Samples (M, D) of the model, noise included, with the conditions of training rows."""
    cond = c.rows("train").cond
    chosen = None if cond is None else cond[torch.arange(count, device=cond.device) % len(cond)]
    return c.run.draw(count, chosen, noise=True).flatten(1).float()


def is_affordable(c: Checkup) -> bool:
    """Whether the samples come in a minute or two: an autoregressive decoder may need hours on a CPU, and is left unexamined."""
    start = time.perf_counter()
    sampled(c, PROBED)
    return (time.perf_counter() - start) * SAMPLED / PROBED < PATIENCE


def frequencies(labels: Tensor) -> dict[int, float]:
    """Share of every class that occurs."""
    shares = (labels.bincount() / len(labels)).tolist()
    return {k: share for k, share in enumerate(shares) if share}


def class_name(c: Checkup, k: int) -> str:
    """A class's name, or its number where it has none."""
    return str(c.run.codec.classes[k]) if k < len(c.run.codec.classes) else str(k)


def discrete(c: Checkup) -> bool:
    """Whether p(x|z) gives probabilities: a Bernoulli accepts grey values, so its family does not tell."""
    try:
        support = c.px("val").support
    except (AttributeError, NotImplementedError):
        support = c.run.vae.decoder.likelihood.support
    return support is not None and bool(support.is_discrete)


def tiny_scale(c: Checkup) -> Finding | None:
    """A continuous p(x|z) that has become a spike somewhere: its density, not the model, is what grows."""
    if not c.finite or discrete(c):
        return None
    try:
        scale = c.px("val").stddev / c.rows("val").x.float().std(correction=0)
    except NotImplementedError:
        return None
    share = float((scale < TINY).float().mean())
    if share <= 0.01:
        return None
    evidence = f"{share:.0%} of the elements have a standard deviation of p(x|z) below {TINY:g} of the data's (smallest {scale.min():.1g})"
    return Finding(
        "likelihood scale collapse", "warning", evidence, "raise likelihood.min_scale, drop constant elements, or add noise to x"
    )


def input_scale(c: Checkup) -> Finding | None:
    """Continuous x far from zero mean and unit variance."""
    x = c.rows("train").x
    if not c.finite or not x.is_floating_point() or discrete(c):
        return None
    mean, deviation = float(x.mean().abs()), float(x.std(correction=0))
    if max(mean, deviation) <= LARGE and deviation >= 1 / LARGE:
        return None
    evidence = f"x has mean {float(x.mean()):.3g} and standard deviation {deviation:.3g}"
    return Finding("inputs badly scaled", "warning", evidence, "standardise x in the domain (mean 0, standard deviation 1)")


def fingerprints(batch: Batch) -> set[int]:
    """A 64-bit hash of every row."""
    return {hash(row.tobytes()) for row in np.ascontiguousarray(dense(batch.x).flatten(1).cpu().numpy())}


def shared_rows(c: Checkup) -> Finding | None:
    """Validation rows that are training rows as well."""
    train: set[int] = set().union(*(fingerprints(batch) for batch in c.run.batches(c.run.data("train"))))
    val = fingerprints(c.rows("val"))
    share = len(val & train) / len(val)
    if share <= COPIES:
        return None
    evidence = f"{len(val & train)} of {len(val)} different validation rows are training rows too"
    return Finding("splits overlap", "warning", evidence, "remove duplicates before splitting, or split by group")


def neighbours_matter(c: Checkup) -> Finding | None:
    """E[z|x] of a row that changes with the rows beside it: such a likelihood is none."""
    if not c.finite:
        return None
    few = c.rows("val").map(lambda t: t[:2])
    with torch.no_grad():
        alone = posterior_mean(c.run.vae.encoder(few))
    together = c.val.mean.to(alone)
    scale = together.std(0, correction=0) + ROUNDING * together.abs().amax(0)
    change = float(((alone - together[:2]).abs() / scale).max())
    if change <= LEAK:
        return None
    evidence = f"E[z|x] of a row moves by {change:.2g} standard deviations over the data when other rows leave the batch"
    return Finding(
        "rows depend on each other",
        "error",
        evidence,
        "use layer instead of batch statistics in the encoder (encoder.norm=layer)",
    )


ROWS: tuple[Check, ...] = (missing_classes, tiny_scale, input_scale, shared_rows, neighbours_matter)

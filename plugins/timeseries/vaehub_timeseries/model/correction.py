"""Whether a network adds to the closed form, how much, and the network: trained on beliefs, kept only for a gain beyond noise."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

import vaehub
from vaehub import VAE, InMemory, Run, Spec, load_config
from vaehub_timeseries.codec import SeriesCodec
from vaehub_timeseries.frames import ReadOptions
from vaehub_timeseries.impute.experts import Floats
from vaehub_timeseries.model.belief_pool import BeliefPool, BeliefRows
from vaehub_timeseries.model.gaussian import GaussianExpert
from vaehub_timeseries.parts.beliefs import BeliefEncoder
from vaehub_timeseries.splits import split

FEWEST = 30  # windows beside each other: with less than that nothing but the closed form can be learnt
LARGEST = 65_536  # cells of a window: the most that a code may have
STRETCHES = 6  # of a long series, from the end of each of which windows are kept
JUDGED = 0.075  # of the steps, for early stopping, and as much again: what the gain is measured on
POOL = 4_000  # windows, in as many rounds as that takes, MOST_ROUNDS at most
MOST_ROUNDS = 8
BATCH = 64
TRIAL = 100  # updates, after which a network that does not promise to pay is given up
UPDATES, MANY_UPDATES, MOST_UPDATES = 200, 600, 2_000  # of the optimiser, see `updates`
STEPS_READ = 8_000  # of windows, by the updates on windows one by one: short windows are cheap
PASSES = 20  # over windows beside each other
FOR_EACH = 2  # updates for each of these at most: few windows are soon learnt by heart
PROMISING, SURE = -1.0, 2.0  # standard errors of the gain: to go on after the trial, and to keep the network
SHIFT = 0.5  # standard deviations, see `BeliefRows`
WIDE = 16  # channels, above which a layer is wider
CORRECTION: dict[str, Any] = {
    "domain": "timeseries",
    "encoder": {"name": "belief", "dropout": 0.15},
    "decoder": "belief",
    "likelihood": {"name": "normal", "scale": 0.1},
    "objective": {"name": "absolute_error", "relative": False},
    "optimizer": {"lr": 2e-3, "warmup": 40, "weight_decay": 0.01, "schedule": "cosine"},
    "trainer": {"gradient_clip_val": 1.0, "accelerator": "cpu"},
}


@dataclass(frozen=True)
class NetworkGain:
    """What a network brought beside the closed form on windows that it was not trained on.

    kept: whether it is used; gain: fall of the mean absolute error on hidden cells, as a share, None where none was tried; error: its standard
    error; seconds: what trying it took.
    """

    kept: bool = False
    gain: float | None = None
    error: float | None = None
    seconds: float = 0.0

    def __str__(self) -> str:
        if self.gain is None or self.error is None:
            return "not tried: too few windows, causal=True, or a model of one's own"
        verdict = "used" if self.kept else "tried and not used"
        change = f"{abs(self.gain):.1%} {'lower' if self.gain > 0 else 'higher'} (standard error {self.error:.1%})"
        return f"{verdict}: the error on cells hidden from it was {change} than that of the closed form; {self.seconds:.0f} s"


UNTRIED = NetworkGain()


def fit_correction(base: GaussianExpert, series: Sequence[Floats], seed: int) -> tuple[Run | None, NetworkGain]:
    """Train a network on the beliefs of a closed form: first briefly, then, where that promises a gain, to its end.

    Arguments:
        base: The closed form, whose beliefs are corrected.
        series: (T_i, C) in scaled units, NaN where unobserved.
        seed: Of hidden cells, weights and order.

    Returns:
        The run, None where no gain beyond SURE standard errors was found, and what was found.
    """
    started, steps = time.perf_counter(), base.chain.steps
    windows = sum(map(len, series)) // steps
    if windows < FEWEST or steps == 1 or steps * series[0].shape[1] > LARGEST:
        return None, UNTRIED
    parts = spread_split(series, steps)
    train, stopping, judged = (pool_of(base, parts[name], seed) for name in ("train", "val", "test"))
    if not all(len(pool.truth) for pool in (train, stopping, judged)):
        return None, UNTRIED
    whole = max(map(len, series)) <= steps  # series that are windows are drawn alike; a long one moves in the future
    rows = {"train": train.rows(0.0 if whole else SHIFT), "val": stopping.rows()}
    run = train_correction(rows, min(TRIAL, windows), seed, None)
    gain, error = gain_of(run, stopping.together_with(judged))
    if gain > PROMISING * error:
        run = train_correction(rows, updates(windows, steps), seed, run)
        gain, error = gain_of(run, judged)
    kept = gain > SURE * error
    return run if kept else None, NetworkGain(kept, gain, error, time.perf_counter() - started)


def spread_split(series: Sequence[Floats], steps: int) -> dict[str, list[Floats]]:
    """Parts for training, stopping and judging; those of a long series come from all of its stretches, so that no season is judged alone."""
    if max(map(len, series)) < 3 * steps:
        return split(series, steps, JUDGED)
    counts = [max(1, min(STRETCHES, int(len(x) * JUDGED / steps))) for x in series]
    parts = [split([piece], steps, JUDGED) for x, n in zip(series, counts, strict=True) for piece in np.array_split(x, n)]
    return {name: [values for part in parts for values in part[name]] for name in parts[0]}


def gain_of(run: Run, pool: BeliefPool) -> tuple[float, float]:
    """The gain of a run on a pool, and its standard error."""
    return pool.relative_gain(moves(run.vae, pool.mean, pool.sd))


def updates(windows: int, steps: int) -> int:
    """Of the optimiser: UPDATES, more where windows are short or many, fewer where they are few."""
    wanted = max(UPDATES, min(MANY_UPDATES, STEPS_READ // steps), min(MOST_UPDATES, PASSES * windows // BATCH))
    return min(wanted, FOR_EACH * windows)


def pool_of(base: GaussianExpert, series: Sequence[Floats], seed: int) -> BeliefPool:
    """The pool of some series, in as many rounds as make it large enough."""
    places = max(1, 2 * sum(map(len, series)) // base.chain.steps)
    return BeliefPool.of(base, series, max(1, min(MOST_ROUNDS, round(POOL / places))), seed)


def train_correction(rows: dict[str, BeliefRows], count: int, seed: int, init: Run | None) -> Run:
    """A network trained for about `count` updates, from the weights of another where one is given."""
    steps, channels = rows["train"].truth.shape[1:]
    train = {
        "epochs": max(1, round(count * BATCH / len(rows["train"]))),
        "batch_size": BATCH,
        "monitor": "val_imputation",
        "seed": seed,
        "score_rows": 0,
    }
    encoder = CORRECTION["encoder"] | {"width": 128 if channels > WIDE else 64}
    config = load_config({**CORRECTION, "encoder": encoder, "latent": steps * channels, "train": train})
    codec = SeriesCodec(Spec((steps, channels), cond=2 * steps * channels), ReadOptions())
    return vaehub.train(config, domain=InMemory(codec, rows), init=init, progress=False)


@torch.no_grad()
def moves(vae: VAE, mean: Tensor, sd: Tensor) -> Tensor:
    """How far a trained network moves the cells (N, T, C) of windows, in units of sd."""
    encoder = vae.eval().encoder
    if not isinstance(encoder, BeliefEncoder):
        raise TypeError("a correction of beliefs needs encoder belief")
    parts = zip(mean.float().split(BATCH), sd.float().split(BATCH), strict=True)
    return torch.cat([encoder.move(m, s) for m, s in parts]).to(mean.dtype)

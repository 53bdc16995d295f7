"""Whether a network adds to the closed form, how much, and the network: trained on beliefs, kept only for a gain beyond noise."""

from __future__ import annotations

import copy
import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaehub import VAE, Config, InMemory, Run, Spec, build_vae, load_config, seeded
from vaehub_timeseries.codec import SeriesCodec
from vaehub_timeseries.frames import ReadOptions
from vaehub_timeseries.impute.experts import ClosedForm, Floats
from vaehub_timeseries.model.averaged import averaged_training
from vaehub_timeseries.model.belief_pool import BeliefPool
from vaehub_timeseries.model.gaussian import GaussianExpert
from vaehub_timeseries.parts.absolute_error import AbsoluteError
from vaehub_timeseries.parts.beliefs import BeliefEncoder
from vaehub_timeseries.splits import split

FEWEST = 30  # windows beside each other: with less than that nothing but the closed form can be learnt
LARGEST = 65_536  # cells of a window: the most that a code may have
STRETCHES = 6  # of a long series, from the end of each of which windows are kept
JUDGED = 0.075  # of the steps, for early stopping, and as much again: what the gain is measured on
POOL, POOL_JUDGED = (
    4_000,
    1_000,
)  # windows to train on, and to stop or judge by, in as many rounds as that takes, MOST_ROUNDS at most
MOST_ROUNDS = 8
BATCH = 64
CHECK = 100  # updates, after which the network is judged; the first time it is given up unless it promises to pay
PATIENCE = 4  # judgements without a smaller error, after which training ends
UPDATES, MANY_UPDATES, MOST_UPDATES = 300, 600, 4_000  # of the optimiser, see `updates`
STEPS_READ = 8_000  # of windows, by the updates on windows one by one: short windows are cheap
PASSES = 20  # over windows beside each other
FOR_EACH = 2  # updates for each of these at most: few windows are soon learnt by heart
PROMISING, SURE = -1.0, 2.0  # standard errors of the gain: to go on after the first judgement, and to keep the network
SHIFT, SHIFT_OF_SHORT = 0.5, 0.3  # standard deviations, see `BeliefRows`; where series are no longer than a window
WIDE = 16  # channels, above which a shallower network, smaller batches and a higher rate learn more in the same time
CORRECTION: dict[str, Any] = {
    "domain": "timeseries",
    "encoder": {"name": "belief", "width": 64, "layers": 2, "dropout": 0.0, "cells": 64},
    "decoder": "belief",
    "likelihood": {"name": "normal", "scale": 0.1},
    "objective": {"name": "absolute_error", "relative": False},
    "optimizer": {"lr": 2e-3, "warmup": 40, "weight_decay": 0.01, "schedule": "cosine"},
    "train": {"batch_size": BATCH, "score_rows": 0},
}
IF_WIDE = ("encoder.layers=1", "optimizer.lr=4e-3", f"train.batch_size={BATCH // 2}")


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


def fit_correction(
    base: GaussianExpert, series: Sequence[Floats], seed: int, best: ClosedForm | None = None
) -> tuple[Run | None, NetworkGain]:
    """Train a network on the beliefs of a closed form, as long as that lowers the error of the best one on windows kept from it.

    Arguments:
        base: The closed form whose beliefs are learnt from.
        series: (T_i, C) in scaled units, NaN where unobserved.
        seed: Of hidden cells, weights and order.
        best: The closed form whose beliefs are to be corrected, where that is not `base` but one that is dearer to ask.

    Returns:
        The run, None where no gain beyond SURE standard errors was found, and what was found.
    """
    started, steps = time.perf_counter(), base.steps
    windows = sum(map(len, series)) // steps
    if windows < FEWEST or steps == 1 or steps * series[0].shape[1] > LARGEST:
        return None, UNTRIED
    parts = spread_split(series, steps)
    train = pool_of(base, parts["train"], POOL, seed)
    stopping, judged = (pool_of(best or base, parts[name], POOL_JUDGED, seed) for name in ("val", "test"))
    if not all(len(pool.truth) for pool in (train, stopping, judged)):
        return None, UNTRIED
    shift = SHIFT_OF_SHORT if max(map(len, series)) <= steps else SHIFT  # a long series moves more in the future
    spec = Spec(train.truth.shape[1:], cond=2 * train.truth[0].numel())
    rows = InMemory(SeriesCodec(spec, ReadOptions()), {"train": train.rows(shift), "val": stopping.rows()})
    config = config_of(spec)
    count = updates(windows, steps, config.train.batch_size)
    vae = trained(config, rows, stopping, stopping.together_with(judged), count, seed)
    gain, error = gain_of(vae, judged)
    kept = gain > SURE * error
    found = NetworkGain(kept, gain, error, time.perf_counter() - started)
    return Run(config, rows.codec, rows, vae) if kept else None, found


def spread_split(series: Sequence[Floats], steps: int) -> dict[str, list[Floats]]:
    """Parts for training, stopping and judging; those of a long series come from all of its stretches, so that no season is judged alone."""
    if max(map(len, series)) < 3 * steps:
        return split(series, steps, JUDGED)
    counts = [max(1, min(STRETCHES, int(len(x) * JUDGED / steps))) for x in series]
    parts = [split([piece], steps, JUDGED) for x, n in zip(series, counts, strict=True) for piece in np.array_split(x, n)]
    return {name: [values for part in parts for values in part[name]] for name in parts[0]}


def gain_of(vae: VAE, pool: BeliefPool) -> tuple[float, float]:
    """The gain of a network on a pool, and its standard error."""
    return pool.relative_gain(moves(vae, pool.mean, pool.sd, pool.hidden))


def updates(windows: int, steps: int, batch: int) -> int:
    """Of the optimiser: UPDATES, more where windows are short or many, fewer where they are few; `batch`: windows in one of them."""
    wanted = max(UPDATES, min(MANY_UPDATES, STEPS_READ // steps), min(MOST_UPDATES, PASSES * windows // batch))
    return min(wanted, FOR_EACH * windows)


def pool_of(base: ClosedForm, series: Sequence[Floats], windows: int, seed: int) -> BeliefPool:
    """The pool of some series, of about so many windows, in two rounds at least, so that none is seen under one mask alone."""
    places = max(1, 2 * sum(map(len, series)) // base.steps)
    return BeliefPool.of(base, series, max(2, min(MOST_ROUNDS, round(windows / places))), seed)


def trained(config: Config, rows: InMemory[SeriesCodec], stopping: BeliefPool, both: BeliefPool, count: int, seed: int) -> VAE:
    """The network with the least error on the windows for stopping; only CHECK updates old where `both` pools together promise no gain then."""
    with seeded("network", seed):
        vae = build_vae(config, rows.codec.spec)
    best, most, since = vae, -math.inf, 0
    for number, averaged in enumerate(
        averaged_training(vae, AbsoluteError(relative=False), rows.data("train"), config, count, CHECK, seed)
    ):
        gain, _ = gain_of(averaged, stopping)
        since = 0 if gain > most else since + 1
        if not since:
            best, most = copy.deepcopy(averaged), gain
        if since == PATIENCE or (number == 0 and not promising(averaged, both)):
            break
    return best


def promising(vae: VAE, pool: BeliefPool) -> bool:
    """Whether a network that is hardly trained may come to lower the error."""
    gain, error = gain_of(vae, pool)
    return gain > PROMISING * error


def config_of(spec: Spec) -> Config:
    """The network of windows of this shape."""
    return load_config({**CORRECTION, "latent": spec.size}, IF_WIDE if spec.shape[1] > WIDE else ())


@torch.no_grad()
def moves(vae: VAE, mean: Tensor, sd: Tensor, cells: Tensor | None = None) -> Tensor:
    """How far a trained network moves the cells (N, T, C) of windows, in units of sd; `cells` (N, T, C): those that this is needed of."""
    encoder = vae.eval().encoder
    if not isinstance(encoder, BeliefEncoder):
        raise TypeError("a correction of beliefs needs encoder belief")
    judged = itertools.repeat(None) if cells is None else cells.split(BATCH)
    parts = zip(mean.float().split(BATCH), sd.float().split(BATCH), judged, strict=False)
    return torch.cat([encoder.move(m, s, judged=wanted) for m, s, wanted in parts]).to(mean.dtype)

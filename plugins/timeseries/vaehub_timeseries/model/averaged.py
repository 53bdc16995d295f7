"""Training of a network in memory, with its weights averaged over the updates."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from vaehub import VAE, Config, Data, Objective, Step, jobs, seeded, signals

MEMORY = 0.99  # of the average: it reaches back about 100 updates
CLIP = 1.0  # norm of the gradients


def averaged_training(
    vae: VAE, objective: Objective, rows: Data, config: Config, updates: int, every: int, seed: int
) -> Iterator[VAE]:
    """Train for so many updates; after `every` of them comes the model with the exponential average of its weights.

    The rate rises over `optimizer.warmup` updates and falls as a cosine to the last. Averaged weights err less than the last ones, as those of
    an ensemble would: "Averaging Weights Leads to Wider Optima and Better Generalization" (Izmailov et al., 2018), arXiv:1803.05407.
    Random numbers are this function's own, so that nothing the caller does in between changes them.
    """
    settings, averaged, order = config.optimizer, copy.deepcopy(vae), batches(len(rows), config.train.batch_size, seed)
    optimizer = torch.optim.AdamW(vae.parameters(), settings.lr, settings.betas, weight_decay=settings.weight_decay, fused=True)
    vae.train()
    with jobs.stage("training the network", updates) as bar:
        for number in range(updates):
            signals.check_in()
            with seeded("update", seed, number):
                loss, _ = objective(vae(rows[next(order)], objective.samples), Step(number))
            optimizer.zero_grad()
            loss.backward()
            clip_grad_norm_(vae.parameters(), CLIP)
            for group in optimizer.param_groups:
                group["lr"] = settings.lr * rate(number, settings.warmup, updates)
            optimizer.step()
            average(averaged, vae, min(MEMORY, (number + 1) / (number + 10)))
            bar.reach(number + 1)
            if (number + 1) % every == 0 or number + 1 == updates:
                yield averaged.eval()


def batches(rows: int, size: int, seed: int) -> Iterator[Tensor]:
    """Row numbers of batch after batch, each row once a pass; what is left of a pass is dropped."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(rows, generator=generator)
        yield from order[: max(size, rows - rows % size)].split(size)


def rate(number: int, warmup: int, updates: int) -> float:
    """The factor of the learning rate at an update."""
    return min(1.0, (number + 1) / warmup if warmup else 1.0) * 0.5 * (1 + math.cos(math.pi * number / updates))


@torch.no_grad()
def average(averaged: VAE, vae: VAE, memory: float) -> None:
    """Move the average towards the weights."""
    for mean, weight in zip(averaged.parameters(), vae.parameters(), strict=True):
        mean.lerp_(weight, 1 - memory)

"""Milliseconds of one training step of Mult-VAE, batch 500: vaehub's parts on CSR rows against the same mathematics in a dense loop.

Generated rows in the shapes of ML-1M and ML-20M. All contenders take turns; a row is the median over all steps of all turns but the first of
each. CPU time with OMP_NUM_THREADS=1 gives a ratio that does not depend on what else the machine does. The dense loop has its rows in memory
as a matrix already, which spares it the conversion; on the whole of ML-20M that would be 9.4 GB. Both use torch's fused Adam; the dense loop is
shown with the unfused one too, which is torch's default on a CPU.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import TypeAlias

import numpy as np
import torch
from dense import BETA, DROPOUT, HIDDEN, LATENT, MultVAE
from measure import clocks, row, table
from scipy.sparse import csr_array
from shapes import ML_1M, ML_20M, Shape, histories
from torch import Tensor, nn

from vaehub.base import Spec, Step
from vaehub.model.objectives import ELBO
from vaehub.model.posteriors import DiagNormal
from vaehub.model.priors import StandardNormal
from vaehub.model.vae import VAE
from vaehub_recommender.interactions import Interactions
from vaehub_recommender.parts.bag import BagEncoder
from vaehub_recommender.parts.catalogue import Catalogue
from vaehub_recommender.parts.implicit import ImplicitMultinomial

BATCH, POOL = 500, 2000  # rows of a step, and of the rows that steps draw from
Loss: TypeAlias = Callable[[Tensor], Tensor]  # of the rows with these numbers
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


def dense(rows: csr_array) -> tuple[nn.Module, Loss]:
    """The loop written by hand."""
    vae, x = MultVAE(rows.shape[1]), torch.from_numpy(rows.toarray())
    return vae, lambda index: vae.loss(x.index_select(0, index))


def ours(rows: csr_array) -> tuple[nn.Module, Loss]:
    """vaehub's parts, called as its trainer calls them."""
    spec, data = Spec((rows.shape[1],)), Interactions.of(rows)
    encoder = BagEncoder(spec, DiagNormal(LATENT), hidden=[HIDDEN], dropout=DROPOUT)
    decoder = Catalogue(spec, LATENT, ImplicitMultinomial(spec), hidden=[HIDDEN])
    vae, objective = VAE(encoder, decoder, StandardNormal(spec, LATENT)), ELBO(beta=BETA)
    return vae, lambda index: objective(vae(data[index]), Step(examples=len(data)))[0]


def steps(model: nn.Module, loss: Loss, precision: torch.dtype, fused: bool, count: int) -> Iterator[np.ndarray]:
    """Milliseconds of every step but the first, by the clock and of CPU time."""
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=fused)
    for number in range(count + 1):
        index = torch.randint(POOL, (BATCH,))
        started = clocks()
        with autocast(precision):
            value = loss(index)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        if number:
            yield 1000 * (clocks() - started)


def autocast(precision: torch.dtype) -> AbstractContextManager[object]:
    """Mixed precision, or none."""
    return torch.autocast("cpu", precision, enabled=precision != torch.float32)


def contenders() -> dict[str, Callable[[csr_array, int], Iterator[np.ndarray]]]:
    """What takes turns, by name."""

    def run(make: Callable[[csr_array], tuple[nn.Module, Loss]], precision: str, fused: bool, rows: csr_array, count: int):
        return steps(*make(rows), PRECISIONS[precision], fused, count)

    engine = {f"vaehub, {p}": partial(run, ours, p, True) for p in PRECISIONS}
    loops = {f"dense loop, {p}": partial(run, dense, p, True) for p in PRECISIONS}
    return engine | loops | {f"dense loop, {p}, unfused Adam": partial(run, dense, p, False) for p in PRECISIONS}


def measure(shape: Shape, turns: int, count: int) -> dict[str, np.ndarray]:
    """Median milliseconds by contender, by the clock and of CPU time."""
    rows, times = histories(shape, POOL), {}
    for _ in range(turns):
        for name, run in contenders().items():
            times.setdefault(name, []).extend(run(rows, count))
    return {name: np.median(found, 0) for name, found in times.items()}


def main() -> None:
    """A row for every shape and contender."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--steps", type=int, default=10, help="of each turn")
    options = parser.parse_args()
    table("shape", "what", "ms per step", "CPU ms", "x vaehub of that precision", "x CPU")
    for name, shape in (("ML-1M", ML_1M), ("ML-20M", ML_20M)):
        found = measure(shape, options.turns, options.steps)
        for what, ms in found.items():
            row(name, what, *ms.tolist(), *(ms / found[f"vaehub, {what.split(', ')[1]}"]).tolist())


if __name__ == "__main__":
    main()

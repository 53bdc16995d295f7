"""Practical molecular optimisation: area under the curve of the ten best over 10,000 calls, with ZINC250k as the pool.

    python benchmarks/molecules/pmo.py [RUN] --pool zinc250k.smi.gz --jobs 2

"Sample Efficiency Matters" (Gao et al., 2022), arXiv:2206.12411; the published means of 5 runs stand beside ours. `--screening` adds what
random molecules of the same pool give. Other tasks than the six serve to choose options: --tasks celecoxib_rediscovery,median2,…
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from shared import molecules, table

import vaehub
from vaehub_molecules import LatentSpace, optimize
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.oracles import oracle
from vaehub_molecules.search import Result
from vaehub_molecules.search.buffer import auc
from vaehub_molecules.search.pool import Pool

PUBLISHED = {  # SMILES-VAE BO, screening, SELFIES-VAE BO, GP BO, Graph GA, REINVENT
    "albuterol_similarity": (0.489, 0.484, 0.495, 0.899, 0.839, 0.883),
    "median1": (0.203, 0.205, 0.201, 0.302, 0.295, 0.357),
    "osimertinib_mpo": (0.771, 0.764, 0.766, 0.787, 0.832, 0.837),
    "perindopril_mpo": (0.442, 0.446, 0.429, 0.494, 0.539, 0.537),
    "isomers_c7h8n2o2": (0.161, 0.169, 0.325, 0.680, 0.862, 0.852),
    "zaleplon_mpo": (0.040, 0.073, 0.207, 0.222, 0.347, 0.358),
}
PEERS = ("SMILES-VAE BO", "screening", "SELFIES-VAE BO", "GP BO", "Graph GA", "REINVENT")


def search(job: tuple[str | None, str, Path, int, str, int, int]) -> tuple[str, int, float, float, float, str]:
    """(task, seed, AUC top-10, best score, CPU seconds, calls and share of the ten best of each proposer) of one search."""
    run, task, pool, size, method, budget, seed = job
    torch.set_num_threads(1)
    space = space_of(run)
    chosen = Pool(molecules(pool, size, policy_of(space)))
    started = time.process_time()
    result = optimize(space, task, budget=budget, method=method, seed=seed, pool=chosen, workers=0)
    return task, seed, result.auc(), float(result.best.score.max()), time.process_time() - started, origins(result)


def space_of(run: str | None) -> LatentSpace | None:
    """The latent space of a run, where one is named."""
    return LatentSpace(vaehub.load(run)) if run else None


def policy_of(space: LatentSpace | None) -> Policy:
    """Which molecules are read."""
    return space.policy if space else Policy()


def origins(result: Result) -> str:
    """Calls of each proposer, its hits, and how many of the ten best are its."""
    best = result.best["by"].head(10)
    parts = result.trace.groupby("by", sort=False)
    return ", ".join(f"{by} {len(part)} ({part['hit'].sum()} hits, {(best == by).sum()} of the best)" for by, part in parts)


def screening(task: str, pool: list[str], budget: int, seed: int) -> float:
    """AUC of random molecules of the pool."""
    scorer = oracle(task)
    some = np.random.default_rng(seed).permutation(len(pool))[:budget]
    return auc(np.array([scorer.score(pool[i]) for i in some]), budget, 10)


def main() -> None:
    """Search, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", help="a trained model; without one the search has the pool and edits")
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--size", type=int, default=50_000, help="molecules of the pool that are read, drawn by their hash")
    parser.add_argument("--tasks", default=",".join(PUBLISHED))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", type=int, default=10_000)
    parser.add_argument("--method", default="hybrid")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--screening", action="store_true")
    given = parser.parse_args()
    tasks = given.tasks.split(",")
    jobs = [(given.run, t, given.pool, given.size, given.method, given.budget, s) for s in range(given.seeds) for t in tasks]
    found: dict[str, list[float]] = {task: [] for task in tasks}
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as processes:
        for task, seed, area, best, seconds, shares in processes.map(search, jobs):
            found[task].append(area)
            print(f"{task} seed {seed}: AUC top-10 {area:.4f}, best {best:.4f}, {seconds:.0f} CPU s; {shares}", flush=True)
    pool = molecules(given.pool, given.size, policy_of(space_of(given.run))) if given.screening else []
    rows = [[t, float(np.mean(a)), float(np.std(a)), *PUBLISHED.get(t, ("",) * len(PEERS))] for t, a in found.items()]
    if given.screening:
        rows = [[*row, screening(row[0], pool, given.budget, 0)] for row in rows]
    extra = ("screening, here",) if given.screening else ()
    numbers = [[cell for cell in column if isinstance(cell, float)] for column in zip(*rows, strict=True)]
    sums = ["sum", *(float(np.sum(column)) if column else "" for column in numbers[1:])]
    table(("task", "vaehub", "sd", *PEERS, *extra), [*rows, sums])


if __name__ == "__main__":
    main()

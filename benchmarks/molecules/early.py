"""The first hundreds of calls: mean of the ten best molecules on twelve objectives of our own, beside a random screen and a graph GA.

    python benchmarks/molecules/early.py --data zinc250k.smi.gz [--run RUN] --objectives held-out --budgets 250,500,1000 --seeds 0,1,2

All three draw on the same pool, and a call is a canonical molecule that was not called before. No method's course depends on its budget,
hence one search of the largest budget gives all. "ahead" is the gain on the better of screen and GA, in standard deviations of a single
search; "model" is the share of the ten best that the model wrote. Options were chosen on `--objectives development` alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from random import Random

import numpy as np
import torch
from early_objectives import DEVELOPMENT, HELD_OUT, Objective, objectives
from rdkit.Chem import MolFromSmiles, MolToSmiles
from shared import molecules, table

import vaehub
from vaehub_molecules import LatentSpace, optimize
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.graphs import cross, mutate
from vaehub_molecules.search.hybrid import PROPOSERS
from vaehub_molecules.search.latent_proposers import LatentProposer
from vaehub_molecules.search.pool import Pool

SETS = {"development": DEVELOPMENT, "held-out": HELD_OUT, "all": DEVELOPMENT + HELD_OUT}
LABELLED = 2_000  # molecules that forests are fitted to, not of the pool
OF_MODEL = {proposer.name for proposer in PROPOSERS if isinstance(proposer, LatentProposer)}
Trace = tuple[list[float], list[str]]  # scores and origins of the calls, in order
Search = Callable[[Objective, Pool, int, int], Trace]


def screen(objective: Objective, pool: Pool, budget: int, seed: int) -> Trace:
    """Random molecules of the pool."""
    places = np.random.default_rng([seed, 1]).permutation(len(pool))[:budget]
    return [objective(pool.smiles[place]) for place in places], []


def graph_ga(
    objective: Objective, pool: Pool, budget: int, seed: int, first: int = 60, kept: int = 50, children: int = 20
) -> Trace:
    """Jensen's graph GA: random molecules of the pool, then children of the best, each a crossover that is mutated in half of all cases."""
    rng = Random(seed)
    scores = {smiles: objective(smiles) for smiles in rng.sample(list(pool.smiles), min(first, budget))}
    while len(scores) < budget:
        best = sorted(scores, key=lambda smiles: -scores[smiles])[:kept]
        weights = [1 / (5 + rank) for rank in range(len(best))]
        made = (offspring(*rng.choices(best, weights, k=2), rng) for _ in range(100 * children))
        for smiles in fresh(made, scores, min(children, budget - len(scores))):
            scores[smiles] = objective(smiles)
    return list(scores.values()), []


def offspring(first: str, second: str, rng: Random) -> str:
    """A child of two molecules, "" where there is none."""
    child = cross(MolFromSmiles(first), MolFromSmiles(second), rng)
    child = mutate(child, rng) if child is not None and rng.random() < 0.5 else child
    return "" if child is None else MolToSmiles(child)


def fresh(made: Iterator[str], scores: dict[str, float], count: int) -> list[str]:
    """The first so many that are drug-sized, new and different."""
    found: dict[str, None] = {}
    for smiles in made:
        if smiles and smiles not in scores and MolFromSmiles(smiles).GetNumHeavyAtoms() <= 38:
            found[smiles] = None
        if len(found) == count:
            break
    return list(found)


def vaehub_search(space: LatentSpace | None, method: str) -> Search:
    """A search of ours."""

    def search(objective: Objective, pool: Pool, budget: int, seed: int) -> Trace:
        trace = optimize(space, objective, budget, method, seed=seed, pool=pool, workers=0).trace
        return trace["score"].tolist(), trace["by"].tolist()

    return search


def ten_best(trace: Trace, budget: int) -> float:
    """The mean of the ten best of the first calls."""
    return float(np.sort(trace[0][:budget])[-10:].mean())


def share_of_model(trace: Trace, budget: int) -> float:
    """The share of the ten best that the model wrote."""
    best = np.argsort(trace[0][:budget], kind="stable")[-10:]
    return float(np.mean([trace[1][i] in OF_MODEL for i in best]))


def origins(trace: Trace, budget: int) -> str:
    """Calls of each proposer, and how many of the ten best are its; "" where nobody is named."""
    if not trace[1]:
        return ""
    by, best = np.array(trace[1][:budget]), np.argsort(trace[0][:budget], kind="stable")[-10:]
    return ", ".join(f"{name} {(by == name).sum()}/{(by[best] == name).sum()}" for name in dict.fromkeys(by))


def main() -> None:
    """Search, and print a table for each budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a file of ZINC250k")
    parser.add_argument("--run", help="a trained model; without one the search has the pool and edits")
    parser.add_argument("--size", type=int, default=10_000, help="molecules of the pool, drawn by their hash")
    parser.add_argument("--objectives", default="all", help=f"{', '.join(SETS)}, or names with commas")
    parser.add_argument("--budgets", default="250,500,1000")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--method", default="hybrid")
    given = parser.parse_args()
    torch.set_num_threads(1)
    space = LatentSpace(vaehub.load(given.run)) if given.run else None
    everything = molecules(given.data, given.size + LABELLED, Policy())
    pool, scorers = Pool(everything[:-LABELLED]), objectives(everything[-LABELLED:])
    searches: dict[str, Search] = {given.method: vaehub_search(space, given.method), "screen": screen, "graph GA": graph_ga}
    budgets, names = (
        [int(budget) for budget in given.budgets.split(",")],
        SETS.get(given.objectives) or given.objectives.split(","),
    )
    pool.rows(range(len(pool)))  # fingerprints are of the pool, not of a search
    traces: dict[tuple[str, str], list[Trace]] = {}
    for seed, name, label in product(map(int, given.seeds.split(",")), names, searches):
        started = time.process_time()
        trace = searches[label](scorers[name], pool, max(budgets), seed)
        traces.setdefault((name, label), []).append(trace)
        means = ", ".join(f"{ten_best(trace, budget):.4f}" for budget in budgets)
        print(
            f"{name} | {label} | {seed} | {means} | {time.process_time() - started:.0f} CPU s | {origins(trace, max(budgets))}",
            flush=True,
        )
    for budget in budgets:
        print(f"\n{budget} calls")
        report(names, list(searches), traces, budget)


def report(
    names: tuple[str, ...] | list[str], labels: list[str], traces: dict[tuple[str, str], list[Trace]], budget: int
) -> None:
    """The table of one budget, and how often our search is ahead."""
    rows = []
    for name in names:
        ends = np.array([[ten_best(trace, budget) for trace in traces[name, label]] for label in labels])
        gain = ends[0].mean() - ends[1:].mean(1).max()
        spread = max(float(np.sqrt(np.mean(ends.var(1, ddof=1)))), 1e-6) if ends.shape[1] > 1 else float("nan")
        model = float(np.mean([share_of_model(trace, budget) for trace in traces[name, labels[0]]]))
        rows.append([name, *map(float, ends.mean(1)), float(gain), float(gain / spread), model])
    table(("objective", *labels, "gain", "ahead", "model"), rows)
    gains = np.array([row[-3:-1] for row in rows], dtype=float)
    print(
        f"ahead on {(gains[:, 0] > 0).sum()} of {len(rows)}, below by more than one sd on {(gains[:, 1] < -1).sum()}", flush=True
    )


if __name__ == "__main__":
    main()

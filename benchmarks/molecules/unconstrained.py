"""The best three by QED, and by penalised logP of at most 38 heavy atoms; and how often ascent truly improves a property.

    python benchmarks/molecules/unconstrained.py RUN --pool zinc250k.smi.gz

The run has heads for qed and penalised_logp. Published: QED .948 .947 .946 (GCPN), penalised logP 5.30 4.93 4.49 (JT-VAE), the latter with each
term in units of ZINC250k, "Junction Tree Variational Autoencoder" (Jin et al., 2018), arXiv:1802.04364.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from shared import molecules, table

import vaehub
from vaehub_molecules import Constraints, LatentSpace, optimize
from vaehub_molecules.oracles import oracle
from vaehub_molecules.search.ascent import Ascent
from vaehub_molecules.search.gradient import Gradient
from vaehub_molecules.search.heads import OwnHeads, head_columns
from vaehub_molecules.search.pool import Pool

SEARCHES = (  # objective, limits, what is published
    ("qed", Constraints(), ".948 .947 .946"),
    ("penalised_logp_normalised", Constraints(max_heavy=38), "5.30 4.93 4.49"),
)
CLIMBED = ("qed", "penalised_logp")


def main() -> None:
    """Search, climb, and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--budget", type=int, default=3_000)
    parser.add_argument("--starts", type=int, default=200)
    given = parser.parse_args()
    torch.set_num_threads(1)
    space = LatentSpace(vaehub.load(given.run))
    pool = Pool(molecules(given.pool, given.size, space.policy))
    rows = []
    for name, limits, published in SEARCHES:
        started = time.process_time()
        result = optimize(space, name, budget=given.budget, constraints=limits, pool=pool, workers=0)
        best = result.best.head(3)
        rows.append([name, " ".join(f"{score:.3f}" for score in best.score), published, time.process_time() - started])
        print(name, *best.smiles)
    table(("objective", "best three", "published", "CPU s"), rows)
    head = ("head", "starts", "truly improved", "mean gain", "random steps improve", "mean gain")
    table(head, [climbed(space, name, pool, given.starts) for name in CLIMBED])


def climbed(space: LatentSpace, name: str, pool: Pool, starts: int) -> list[object]:
    """Of ascents from random molecules of the pool, the share that ends, by its best molecule, above its start; and of random steps as long."""
    chosen = [pool.smiles[i] for i in pool.random_places(4 * starts, np.random.default_rng(0)) if space.can_read(pool.smiles[i])][
        :starts
    ]
    method = Gradient(starts=starts)
    result = optimize(space, name, budget=(1 + method.ascent.stops) * starts, method=method, start=chosen, pool=chosen, workers=0)
    scores = dict(zip(result.trace.smiles, result.trace.score, strict=True))
    children = result.trace[(result.trace.by == "gradient") & result.trace.parent.isin(chosen)]
    found = (children.score - children.parent.map(scores)).groupby(children.parent).max().reindex(chosen).fillna(0.0)
    by_chance = wandered(space, name, chosen, method.ascent)
    return [
        name,
        len(chosen),
        float((found > 0).mean()),
        float(found.mean()),
        float((by_chance > 0).mean()),
        float(by_chance.mean()),
    ]


def wandered(space: LatentSpace, name: str, starts: list[str], ascent: Ascent) -> np.ndarray:
    """The gain of the best of as many steps from each start, as long as those of the ascent but in random directions."""
    scorer, z = oracle(name), space.encode(starts)
    gains = []
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for path in ascent.paths(space, z, OwnHeads.of(space, head_columns(space, [name]), 0), 0):
            texts = space.molecules(z + F.normalize(torch.randn_like(z), dim=1) * (path - z).norm(dim=1, keepdim=True))
            gains.append(
                [scorer.score(text) - scorer.score(start) if text else -np.inf for text, start in zip(texts, starts, strict=True)]
            )
    return np.maximum(np.max(gains, 0), 0.0)


if __name__ == "__main__":
    main()

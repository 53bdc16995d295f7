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
from shared import molecules, table

import vaehub
from vaehub_molecules import Codec, Constraints, optimize
from vaehub_molecules.search.gradient import Gradient
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
    codec = Codec(vaehub.load(given.run))
    pool = Pool(molecules(given.pool, given.size, codec.policy))
    rows = []
    for name, limits, published in SEARCHES:
        started = time.process_time()
        result = optimize(codec, name, budget=given.budget, constraints=limits, pool=pool, workers=0)
        best = result.best.head(3)
        rows.append([name, " ".join(f"{score:.3f}" for score in best.score), published, time.process_time() - started])
        print(name, *best.smiles)
    table(("objective", "best three", "published", "CPU s"), rows)
    table(("head", "starts", "truly improved", "mean gain"), [climbed(codec, name, pool, given.starts) for name in CLIMBED])


def climbed(codec: Codec, name: str, pool: Pool, starts: int) -> list[object]:
    """Of ascents from random molecules of the pool, the share that ends, by its best molecule, above its start."""
    chosen = [pool.smiles[i] for i in pool.some(4 * starts, np.random.default_rng(0)) if codec.knows(pool.smiles[i])][:starts]
    method = Gradient(starts=starts)
    result = optimize(codec, name, budget=8 * starts, method=method, start=chosen, pool=chosen, workers=0)
    scores = dict(zip(result.trace.smiles, result.trace.score, strict=True))
    children = result.trace[(result.trace.by == "gradient") & result.trace.parent.isin(chosen)]
    gains = (children.score - children.parent.map(scores)).groupby(children.parent).max().reindex(chosen).fillna(0.0)
    return [name, len(chosen), float((gains > 0).mean()), float(gains.mean())]


if __name__ == "__main__":
    main()

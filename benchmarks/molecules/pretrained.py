"""What the model that ships is worth: draws, reconstruction and the smoothness of its latent space, in one table.

    python benchmarks/molecules/pretrained.py --moses moses

Draws are of temperature 1 and without any filter; what is unseen are test molecules of MOSES. Another model of molecules may be given.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from shared import molecules, table

import vaehub
from vaehub_molecules import LatentSpace
from vaehub_molecules.chem.fingerprints import fingerprints, tanimoto
from vaehub_molecules.metrics.fcd import frechet, moments
from vaehub_molecules.metrics.features import FeatureSet
from vaehub_molecules.metrics.reference import Reference
from vaehub_molecules.metrics.similarity import internal_diversity
from vaehub_molecules.use.evaluation import exact_share
from vaehub_molecules.use.interpolate import great_circle

NOISE = 0.1  # standard deviations of codes
MOVED, PAIRS, STEPS = 1_000, 100, 8
MIN_QED, MAX_SA = 0.6, 4.0  # of molecules of quality, as GenMol counts them (arXiv:2501.06158)
Figures = Iterator[tuple[str, float]]


def main() -> None:
    """Draw and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", default="molecules/drugs")
    parser.add_argument("--moses", type=Path, required=True, help="a folder with test.smi.gz and test_stats.npz of MOSES")
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--unseen", type=int, default=5_000, help="test molecules that are shown")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    started = time.process_time()
    space = LatentSpace(vaehub.load(given.run))
    unseen = [s for s in molecules(given.moses / "test.smi.gz", given.unseen, space.policy) if space.can_read(s)]
    unseen = [s for s, seen in zip(unseen, space.trained_on.holds(unseen), strict=True) if not seen]
    reference = Reference.official(given.moses / "test_stats.npz")
    rows = [
        *of_draws(space, reference, given.draws, given.seed),
        ("exact reconstruction", exact_share(space.run.vae, space.rows(unseen), len(unseen))),
        *of_space(space, unseen, given.seed),
        ("CPU seconds", time.process_time() - started),
    ]
    table(("figure", "value"), rows)


def of_draws(space: LatentSpace, reference: Reference, draws: int, seed: int) -> Figures:
    """Draws from the prior against the official statistics of the test set."""
    texts = space.strings(space.prior(draws, seed), temperature=1.0, seed=seed)
    found = FeatureSet.of(texts)
    yield "FCD", frechet(moments(found.smiles), reference.moments)
    yield "valid", len(found) / draws
    yield "unique", len(set(found.smiles)) / draws
    yield "new", 1 - float(space.trained_on.holds(found.smiles).mean())
    if space.codec.profile is not None:
        yield "known ring systems", space.codec.profile.likeness(found.smiles).known_rings
    for name, values in found.values.items():
        unseen = reference.values[name]
        yield f"W1 of {name}, sd", float(np.abs(quantiles(values) - quantiles(unseen)).mean() / unseen.std())
    yield "filters passed", float(found.passes.mean())
    good = (found.values["QED"] >= MIN_QED) & (found.values["SA"] <= MAX_SA)
    different = {smiles: row for row, smiles in enumerate(found.smiles)}.values()
    yield "de novo quality", sum(bool(good[row]) for row in different) / draws
    yield "diversity", internal_diversity(found.prints)[0]


def quantiles(values: np.ndarray) -> np.ndarray:
    """Values at 10,000 equal steps of probability, whose mean distance is that of Wasserstein."""
    return np.quantile(values, (np.arange(10_000) + 0.5) / 10_000)


def of_space(space: LatentSpace, unseen: list[str], seed: int) -> Figures:
    """How alike molecules are that lie near to each other, and on the way from one to another."""
    z = space.encode(unseen)
    noise = torch.randn(z[:MOVED].shape, generator=torch.Generator().manual_seed(seed))
    pairs = zip(space.molecules(z[:MOVED]), space.molecules(z[:MOVED] + NOISE * z.std(0) * noise), strict=True)
    yield f"likeness after {NOISE:g} sd of noise", float(np.mean([likeness(a, b) for a, b in pairs]))
    at, steps, orders = torch.linspace(0, 1, STEPS), [], []
    for first in range(PAIRS):
        ends = [unseen[first], unseen[first + PAIRS]]
        path = space.molecules(great_circle(z[first], z[first + PAIRS], at))
        steps += [likeness(a, b) for a, b in pairwise(path)]
        for end, sign in zip(ends, (-1, 1), strict=True):
            orders.append(sign * float(spearmanr(at, [likeness(end, other) for other in path]).statistic))
    yield f"likeness of neighbouring steps, {PAIRS} pairs in {STEPS} steps", float(np.mean(steps))
    yield "order of likeness to the ends, Spearman", float(np.mean(np.nan_to_num(orders)))


def likeness(a: str, b: str) -> float:
    """Count Tanimoto of ECFP4; 0 where one is no molecule."""
    return float(tanimoto(fingerprints([a]), fingerprints([b]))[0, 0]) if a and b else 0.0


if __name__ == "__main__":
    main()

"""The measures of MOSES beside molsets 0.3.1, on molecules of its test set, some of them spoilt.

    peers/bin/python benchmarks/molecules/metrics_parity.py --data moses

in an environment with requirements-peers.txt of this folder; `moses` is a folder with train.smi.gz, test.smi.gz and test_stats.npz. Prints
every measure of both, then the CPU time of both.
"""

from __future__ import annotations

import argparse
import gzip
import random
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from rdkit import RDLogger

from vaehub_molecules.metrics import evaluate

OURS = {
    "valid": "validity",
    "unique@1000": "uniqueness@1k",
    "FCD/Test": "FCD",
    "SNN/Test": "SNN",
    "Frag/Test": "Frag",
    "Scaf/Test": "Scaf",
    "IntDiv": "IntDiv",
    "IntDiv2": "IntDiv2",
    "Filters": "Filters",
    "logP": "logP W1",
    "SA": "SA W1",
    "QED": "QED W1",
    "weight": "weight W1",
    "Novelty": "novelty",
}


def patch() -> None:
    """Give molsets 0.3.1 what newer pandas, numpy and RDKit have dropped."""
    sys.modules["rdkit.six"] = SimpleNamespace(iteritems=dict.items)  # type: ignore[assignment]
    pd.DataFrame.append = lambda self, other, sort=False: pd.concat([self, other], sort=sort)  # type: ignore[attr-defined]
    np.row_stack = np.vstack
    warnings.filterwarnings("ignore")
    RDLogger.DisableLog("rdApp.*")


def molecules(path: Path) -> list[str]:
    """The SMILES of a file."""
    with gzip.open(path, "rt") as file:
        lines = [line.split()[0] for line in file]
    return [line for line in lines if line != "SMILES"]


def spoilt(smiles: list[str], number: int) -> list[str]:
    """A mixture like a model's samples: molecules, some doubled, some cut short."""
    chosen = random.Random(0).sample(smiles, number)
    return [text[:-3] if index % 20 == 0 else chosen[0] if index % 37 == 0 else text for index, text in enumerate(chosen)]


def timed(work: Callable[[], Mapping[str, float]]) -> tuple[Mapping[str, float], float]:
    """Figures, and seconds of CPU."""
    started = time.process_time()
    return work(), time.process_time() - started


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--number", type=int, default=2_000)
    options = parser.parse_args()
    patch()
    from moses.metrics import get_all_metrics

    train, test = molecules(options.data / "train.smi.gz"), molecules(options.data / "test.smi.gz")
    samples, statistics = spoilt(test + train[: len(test)], options.number), options.data / "test_stats.npz"
    mine, fast = timed(lambda: evaluate(samples, set(train), statistics=statistics, workers=1))
    official = np.load(statistics, allow_pickle=True)["stats"].item()  # molsets' own file, read as molsets reads it
    theirs, slow = timed(
        lambda: get_all_metrics(samples, k=[1000], test=test[:2], ptest=official, test_scaffolds=test[:2], train=train)
    )
    print("| measure | ours | molsets | difference |\n| --- | --- | --- | --- |")
    for name, key in OURS.items():
        print(f"| {key} | {mine[key]:.6f} | {theirs[name]:.6f} | {abs(mine[key] - theirs[name]):.1e} |")
    print(f"\nCPU: {fast:.0f} s, {slow:.0f} s")


if __name__ == "__main__":
    main()

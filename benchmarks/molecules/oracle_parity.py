"""The 20 oracles beside GuacaMol 0.5.5 on molecules of ZINC250k.

    peers/bin/python benchmarks/molecules/oracle_parity.py --data zinc250k.smi.gz

in an environment with requirements-peers.txt of this folder. Prints a table: the largest difference, how many molecules score more than 0,
microseconds per molecule of both.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy
from rdkit import RDLogger

from vaehub_molecules.oracles import oracle

scipy.histogram = np.histogram  # what GuacaMol imports from scipy has moved there
logging.disable(logging.WARNING)
RDLogger.DisableLog("rdApp.*")

from guacamol import benchmark_suites  # noqa: E402

NAMES = {
    "albuterol_similarity": "Albuterol similarity",
    "amlodipine_mpo": "Amlodipine MPO",
    "celecoxib_rediscovery": "Celecoxib rediscovery",
    "deco_hop": "Deco Hop",
    "fexofenadine_mpo": "Fexofenadine MPO",
    "isomers_c7h8n2o2": "C7H8N2O2",
    "isomers_c9h10n2o2pf2cl": "C9H10N2O2PF2Cl",
    "median1": "Median molecules 1",
    "median2": "Median molecules 2",
    "mestranol_similarity": "Mestranol similarity",
    "osimertinib_mpo": "Osimertinib MPO",
    "perindopril_mpo": "Perindopril MPO",
    "qed": "QED",
    "ranolazine_mpo": "Ranolazine MPO",
    "scaffold_hop": "Scaffold Hop",
    "sitagliptin_mpo": "Sitagliptin MPO",
    "thiothixene_rediscovery": "Thiothixene rediscovery",
    "troglitazone_rediscovery": "Troglitazone rediscovery",
    "valsartan_smarts": "Valsartan SMARTS",
    "zaleplon_mpo": "Zaleplon MPO",
}


def theirs() -> dict[str, Callable[[str], float]]:
    """GuacaMol's objectives by their titles."""
    suites = (benchmark_suites.goal_directed_suite_v2(), benchmark_suites.goal_directed_suite_trivial())
    return {benchmark.name: benchmark.objective.score for suite in suites for benchmark in suite}


def molecules(path: Path, number: int) -> list[str]:
    """Some molecules of a file, the same at every run."""
    with gzip.open(path, "rt") as file:
        return random.Random(0).sample([line.split()[0] for line in file], number)


def timed(score: Callable[[str], float], smiles: list[str]) -> tuple[np.ndarray, float]:
    """Scores, and microseconds of CPU per molecule."""
    score(smiles[0])
    started = time.process_time()
    scores = np.array([score(text) for text in smiles])
    return scores, (time.process_time() - started) / len(smiles) * 1e6


def reference(smiles: list[str]) -> dict[str, dict[str, float]]:
    """GuacaMol's score of every molecule by every oracle."""
    objectives = theirs()
    return {text: {name: float(objectives[title](text)) for name, title in NAMES.items()} for text in smiles}


def compare(smiles: list[str]) -> None:
    """Print the table."""
    objectives = theirs()
    print("| oracle | largest difference | scored > 0 | µs ours | µs GuacaMol |\n| --- | --- | --- | --- | --- |")
    for name, title in NAMES.items():
        (mine, fast), (other, slow) = timed(oracle(name).score, smiles), timed(objectives[title], smiles)
        print(f"| {name} | {np.abs(mine - other).max():.1e} | {(other > 0).sum()} | {fast:.0f} | {slow:.0f} |", flush=True)


def main() -> None:
    """Compare on molecules of a file, or write GuacaMol's scores of given ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="SMILES, gzipped, one a line")
    parser.add_argument("--number", type=int, default=1_000)
    parser.add_argument("--write", type=Path, help="write GuacaMol's scores of the molecules to this JSON file instead")
    options = parser.parse_args()
    smiles = molecules(options.data, options.number)
    if options.write:
        options.write.write_text(json.dumps(reference(smiles), indent=1))
    else:
        compare(smiles)


if __name__ == "__main__":
    main()

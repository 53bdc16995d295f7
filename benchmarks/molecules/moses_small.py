"""A small model on 100,000 molecules of MOSES within 30 CPU minutes: what it draws, what comes back, and whether z is used, in one table.

    python benchmarks/molecules/moses_small.py --data moses --out runs/moses_small

Trains configs/molecules_moses.yaml on one thread unless `--out` holds a run already. Figures are of the test set.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from shared import table

import vaehub
from vaehub.config.load import load_config
from vaehub.data.rows import Subset
from vaehub.evaluation.evaluate import figures_of
from vaehub.evaluation.importance import evidence
from vaehub_molecules.use.evaluation import molecule_metrics

CONFIG = Path(__file__).parents[2] / "configs" / "molecules_moses.yaml"


def main() -> None:
    """Train and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("changes", nargs="*", help="changes of the config, such as objective.beta=0.2")
    given = parser.parse_args()
    torch.set_num_threads(1)
    started = time.process_time()
    if (given.out / "model.safetensors").exists():
        run = vaehub.load(given.out)
    else:
        config = load_config(CONFIG, [f"domain.path={given.data}", "domain.rows=100000", *given.changes])
        run = vaehub.train(config, out=given.out)
    trained = time.process_time() - started
    test = run.domain.data("test")
    figures = molecule_metrics(run, test, run.domain.train["smiles"].tolist(), 10_000, 5_000)
    bound = figures_of(evidence(run.vae, Subset(test, torch.arange(min(5_000, len(test)))), 1))
    figures |= {name: bound[name] for name in ("log_px", "kl", "active_units")}
    table(("figure", "value"), [["CPU seconds", trained], *([name, float(value)] for name, value in figures.items())])


if __name__ == "__main__":
    main()

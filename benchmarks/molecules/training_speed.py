"""Molecules a second that configs/molecules_moses.yaml trains on, by the clock of the run, over all epochs but the first.

python benchmarks/molecules/training_speed.py --data moses --rows 200000
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch
from shared import table

import vaehub
from vaehub.config.build import build_domain
from vaehub.config.load import load_config

CONFIG = Path(__file__).parents[2] / "configs" / "molecules_moses.yaml"


def main() -> None:
    """Read, train, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of MOSES")
    parser.add_argument("--rows", type=int, default=200_000, help="molecules to train on")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--accelerator", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("changes", nargs="*", help="changes of the config, such as train.batch_size=1024")
    given = parser.parse_args()
    if given.accelerator == "gpu" and not torch.cuda.is_available():
        sys.exit("no GPU here: not measured; --accelerator cpu measures the CPU")
    options = [f"domain.path={given.data}", f"domain.rows={given.rows}", f"train.epochs={given.epochs}"]
    validation = [f"train.validate_every={given.epochs}", f"trainer.accelerator={given.accelerator}"]
    config = load_config(CONFIG, [*options, *validation, *given.changes])
    started = time.perf_counter()
    domain = build_domain(config)
    rows = len(domain.data("train"))
    table(("what", "value"), [["molecules", rows], ["reading them, s", time.perf_counter() - started]])
    history = vaehub.train(config, domain=domain, progress=False).history
    ends = history.seconds.tolist()[:-1]  # the last epoch has the validation in it
    figures = {
        "molecules a second": rows * (len(ends) - 1) / (ends[-1] - ends[0]),
        "val_exact": float(history.val_exact.iloc[-1]),
    }
    table(("what", "value"), [[f"{name}, {given.accelerator}", value] for name, value in figures.items()])


if __name__ == "__main__":
    main()

"""On a GPU: training users per second of Mult-VAE in the shape of ML-20M, 20,108 items, 600-200, batch 24,576; all epochs but the first and last.

NVIDIA's VAE-CF, which drops the last batch of an epoch, states 354,032 (TF32) and 365,474 (AMP) users per second on one A100.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from pathlib import Path

import torch
from measure import CONFIGS, row, table
from shapes import ML_20M, histories, write_pairs

import vaehub

NVIDIA = {"32-true": 354_032, "bf16-mixed": 365_474}
BATCH = 24_576


def users_per_second(config: Path, precision: str, epochs: int, folder: Path) -> float:
    """Of `vaehub.train`, by the times in its metrics.csv."""
    data = write_pairs(histories(ML_20M), folder / "pairs.parquet")
    training = [f"train.epochs={epochs}", f"train.validate_every={epochs}", f"train.batch_size={BATCH}"]
    device = [f"trainer.precision={precision}", "trainer.accelerator=gpu"]
    run = vaehub.train(config, [*data, *training, *device], out=folder / "run", progress=False)
    with (folder / "run" / "metrics.csv").open() as file:
        marks = [float(line["seconds"]) for line in csv.DictReader(file)]
    return (epochs - 2) * len(run.data("train")) / (marks[-2] - marks[0])  # the last epoch has the validation in it


def main() -> None:
    """A row for either precision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default="recommender_mult_vae", help="stem of one of configs/recommender*.yaml")
    parser.add_argument("--epochs", type=int, default=52)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("no GPU here: not measured")
    torch.set_float32_matmul_precision("high")
    table("GPU", "precision", "users/s", "x NVIDIA VAE-CF on one A100")
    for precision, reference in NVIDIA.items():
        with tempfile.TemporaryDirectory() as folder:
            speed = users_per_second(CONFIGS / f"{options.config}.yaml", precision, options.epochs, Path(folder))
        row(torch.cuda.get_device_name(), precision, speed, speed / reference)


if __name__ == "__main__":
    main()

"""Training users per second of Mult-VAE in the shape of ML-20M, 20,108 items, 600-200, batch 24,576; all epochs but the first and last.

NVIDIA's VAE-CF, which drops the last batch of an epoch, states 354,032 (TF32) and 365,474 (AMP) users per second on one A100.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import torch
from measure import CONFIGS, row, table
from shapes import ML_20M, histories, write_pairs

import vaehub
from vaehub.base import Codec, Domain
from vaehub.config.build import build_domain
from vaehub.config.load import load_config

NVIDIA = {"bf16-mixed": 365_474, "32-true": 354_032}
BATCH = 24_576


def users_per_second(config: Path, options: list[str], domain: Domain[Codec], epochs: int) -> float:
    """Of `vaehub.train`, by the clock of its epochs."""
    training = [f"train.epochs={epochs}", f"train.validate_every={epochs}", f"train.batch_size={BATCH}"]
    ends = vaehub.train(config, [*training, *options], domain=domain, progress=False).history.seconds.tolist()
    return (epochs - 2) * len(domain.data("train")) / (ends[-2] - ends[0])  # the last epoch has the validation in it


def main() -> None:
    """A row for either precision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default="recommender_mult_vae", help="stem of one of configs/recommender*.yaml")
    parser.add_argument("--epochs", type=int, default=52)
    parser.add_argument("--users", type=int, default=ML_20M.users)
    parser.add_argument("--accelerator", choices=("gpu", "cpu"), default="gpu")
    options = parser.parse_args()
    if options.accelerator == "gpu" and not torch.cuda.is_available():
        sys.exit("no GPU here: not measured; --accelerator cpu measures the CPU")
    torch.set_float32_matmul_precision("high")
    config = CONFIGS / f"{options.config}.yaml"
    table("precision", "users/s", "x NVIDIA VAE-CF on one A100")
    with tempfile.TemporaryDirectory() as folder:
        data = write_pairs(histories(ML_20M, options.users), Path(folder) / "pairs.parquet")
        domain = build_domain(load_config(config, data))
        for precision, reference in NVIDIA.items():
            device = [f"trainer.precision={precision}", f"trainer.accelerator={options.accelerator}"]
            speed = users_per_second(config, [*data, *device], domain, options.epochs)
            row(precision, speed, speed / reference)


if __name__ == "__main__":
    main()

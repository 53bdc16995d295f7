"""On a GPU: -log p(x) of configs/mnist_sota.yaml (1000 samples), and optimiser steps per second of the speed rows' MLP against pythae's."""

from __future__ import annotations

import argparse
import csv
import math
import sys
import tempfile
import time
from pathlib import Path

import torch
from common import CONFIGS, MLP, mnist, peer, row

import vaehub

BATCH = 128


def steps_per_second(epochs: int = 5) -> float:
    """Of vaehub, over all epochs but the first."""
    overrides = [f"train.epochs={epochs}", f"train.validate_every={epochs}", "trainer.accelerator=gpu"]
    with tempfile.TemporaryDirectory() as folder:
        run = vaehub.train(MLP, overrides, out=f"{folder}/run")
        with (Path(folder) / "run" / "metrics.csv").open() as file:
            marks = [float(line["seconds"]) for line in csv.DictReader(file)]
        return (epochs - 1) * math.ceil(len(run.data("train")) / BATCH) / (marks[-1] - marks[0])


def peer_steps_per_second(python: str, epochs: int = 3) -> float:
    """Of pythae, over all epochs but the first; its torch must see the GPU too."""
    arrays = mnist()
    result = peer(python, "pythae", arrays, epochs=epochs)
    return (epochs - 1) * math.ceil(len(arrays["train"]) / BATCH) / sum(result["epoch_seconds"][1:])


def main() -> None:
    """Measure the speed, then train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", help="interpreter of the peers' environment, with a CUDA build of torch")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--out", default="runs/mnist_sota")
    parser.add_argument("overrides", nargs="*", help="key=value changes to configs/mnist_sota.yaml")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("no GPU here: not measured")
    row("what", "value")
    row("---", "---")
    ours = steps_per_second()
    row(f"vaehub steps/s on {torch.cuda.get_device_name()}", ours)
    if options.peer_python:
        row("x pythae", ours / peer_steps_per_second(options.peer_python))
    started = time.perf_counter()
    run = vaehub.train(CONFIGS / "mnist_sota.yaml", options.overrides, out=options.out)
    row("training of configs/mnist_sota.yaml, s", time.perf_counter() - started)
    row(f"NLL, {options.samples} samples, nats", run.to("cuda").evaluate("test", samples=options.samples)["nll"])


if __name__ == "__main__":
    main()

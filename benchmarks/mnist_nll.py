"""Dynamically binarised MNIST: -log p(x) of configs/mnist_nll.yaml by importance sampling on the test images, and the time it took."""

from __future__ import annotations

import argparse
import tempfile
import time

import torch
from common import CONFIGS, row

import vaehub
from vaehub.evaluation.evaluate import evaluate
from vaehub.run import Run


def train(overrides: list[str], out: str) -> Run:
    """A run of the config."""
    return vaehub.train(CONFIGS / "mnist_nll.yaml", overrides, out=out)


def main() -> None:
    """Train, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--rows", type=int, default=None, help="of the test images; all by default")
    parser.add_argument("--out", help="keep the run here")
    parser.add_argument("--run", help="evaluate this finished run, training nothing")
    parser.add_argument("overrides", nargs="*", help="key=value changes to configs/mnist_nll.yaml")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        started, cpu = time.perf_counter(), time.process_time()
        run = vaehub.load(options.run) if options.run else train(options.overrides, options.out or f"{folder}/run")
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        started = time.perf_counter()
        figures = evaluate(run, "test", options.samples, rows=options.rows, precision=torch.bfloat16)
    row(
        "configs/mnist_nll.yaml",
        f"NLL ({options.samples} samples)",
        "standard error",
        "-ELBO",
        "training (or loading) s",
        "CPU s",
        "evaluation s",
    )
    row(*["---"] * 7)
    row("vaehub", figures["nll"], figures["nll_se"], -figures["elbo"], seconds, cpu, time.perf_counter() - started)


if __name__ == "__main__":
    main()

"""Optimiser steps per second of the MLP of the speed rows on MNIST: vaehub, and pythae where its environment has it."""

from __future__ import annotations

import argparse
import importlib.util
import math
import sys

import torch
from common import MLP, mnist, peer, row

import vaehub

BATCH = 128


def steps_per_second(overrides: list[str], epochs: int) -> float:
    """Of vaehub, over all epochs but the first."""
    history = vaehub.train(MLP, [f"train.epochs={epochs}", f"train.validate_every={epochs}", *overrides], progress=False).history
    return float((history.step.iloc[-1] - history.step.iloc[0]) / (history.seconds.iloc[-1] - history.seconds.iloc[0]))


def peer_steps_per_second(python: str, epochs: int, rows: int | None) -> float:
    """Of pythae, over all epochs but the first; it takes a GPU where its torch sees one."""
    arrays = {split: images[:rows] for split, images in mnist().items()}
    result = peer(python, "pythae", arrays, epochs=epochs)
    return (epochs - 1) * math.ceil(len(arrays["train"]) / BATCH) / sum(result["epoch_seconds"][1:])


def main() -> None:
    """A row for either."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accelerator", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("--peer-python", help="interpreter of the peers' environment; this one where it has pythae")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--peer-epochs", type=int, default=3)
    parser.add_argument("--peer-rows", type=int, help="images of either split for the peer; all by default")
    parser.add_argument("overrides", nargs="*", help="key=value changes to the config of vaehub")
    options = parser.parse_args()
    if options.accelerator == "gpu" and not torch.cuda.is_available():
        sys.exit("no GPU here: not measured; --accelerator cpu measures the CPU")
    row("what", "steps/s", "x pythae")
    row("---", "---", "---")
    ours = {}
    for precision in ("bf16-mixed", "32-true"):
        overrides = [f"trainer.accelerator={options.accelerator}", f"trainer.precision={precision}", *options.overrides]
        ours[precision] = steps_per_second(overrides, options.epochs)
        row(f"vaehub, {precision}", ours[precision], "")
    python = options.peer_python or (sys.executable if importlib.util.find_spec("pythae") else None)
    if python is None:
        row("pythae", "not installed", "")
        return
    theirs = peer_steps_per_second(python, options.peer_epochs, options.peer_rows)
    row("pythae", theirs, 1.0)
    for precision, speed in ours.items():
        row(f"vaehub, {precision}, beside it", speed, speed / theirs)


if __name__ == "__main__":
    main()

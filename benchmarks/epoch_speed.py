"""Seconds per epoch of the MLP 784-512-256-2 at batch 128 on 60,000 images: vaehub, Keras, pythae, and loops written by hand.

The contenders take turns `--repeats` times; a row is the fastest epoch of all turns (other load only ever adds), the first of a turn left out.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import TypeAlias

import numpy as np
import torch
from common import MLP, mnist, peer, row
from torch import Tensor, nn
from torch.nn import functional as F

import vaehub

Turn: TypeAlias = tuple[float, float]  # seconds of the fastest epoch, bound in nats per test image


def engine(epochs: int, precision: str) -> Turn:
    """vaehub.train, from the times of its metrics.csv."""
    overrides = [f"train.epochs={epochs}", f"trainer.precision={precision}", f"train.validate_every={epochs}"]
    with tempfile.TemporaryDirectory() as folder:
        run = vaehub.train(MLP, overrides, out=f"{folder}/run")
        with (Path(folder) / "run" / "metrics.csv").open() as file:
            marks = [float(line["seconds"]) for line in csv.DictReader(file)]
        return min(b - a for a, b in pairwise(marks)), -run.evaluate("test", samples=10)["elbo"]


class Bare(nn.Module):
    """The same network with nothing around it."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 4))
        self.decoder = nn.Sequential(nn.Linear(2, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 784))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, 784) and KL (B,)."""
        mean, log_var = self.encoder(x).float().chunk(2, -1)
        z = mean + (0.5 * log_var).exp() * torch.randn_like(mean)
        return self.decoder(z).float(), 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)

    def loss(self, x: Tensor) -> Tensor:
        """Cross-entropy + KL, mean over rows."""
        logits, kl = self(x)
        return (F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1) + kl).mean()


def bare(arrays: dict[str, np.ndarray], epochs: int, precision: torch.dtype) -> Turn:
    """The loop that one would write by hand."""
    torch.manual_seed(0)
    vae, x, times = Bare(), torch.from_numpy(arrays["train"]), []
    optimizer = torch.optim.Adam(vae.parameters(), 1e-3, fused=True)
    for _ in range(epochs):
        started = time.perf_counter()
        for index in torch.randperm(len(x)).split(128):
            with torch.autocast("cpu", precision, enabled=precision != torch.float32):
                loss = vae.loss(x[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        times.append(time.perf_counter() - started)
    with torch.no_grad():
        test = torch.from_numpy(arrays["test"])
        return min(times[1:]), mean(vae.loss(test).item() for _ in range(10))


def contenders(python: str | None, epochs: int) -> dict[str, Callable[[], Turn]]:
    """What takes turns, by name."""
    arrays = mnist()
    loops: dict[str, Callable[[], Turn]] = {
        "vaehub, bf16": lambda: engine(epochs, "bf16-mixed"),
        "bare loop, bf16": lambda: bare(arrays, epochs, torch.bfloat16),
        "vaehub, fp32": lambda: engine(epochs, "32-true"),
        "bare loop, fp32": lambda: bare(arrays, epochs, torch.float32),
    }

    def by_peer(task: str) -> Turn:
        result = peer(str(python), task, arrays, epochs=epochs)
        return min(result["epoch_seconds"][1:]), result["loss"]

    peers = {"Keras 3 on TensorFlow": lambda: by_peer("keras"), "pythae 0.1.2": lambda: by_peer("pythae")}
    return loops | (peers if python else {})


def main() -> None:
    """Let all take turns and print the fastest epoch of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", help="interpreter of the peers' environment; without it only vaehub and bare loops run")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    turns: dict[str, list[Turn]] = {}
    for _ in range(options.repeats):
        for name, run in contenders(options.peer_python, options.epochs).items():
            turns.setdefault(name, []).append(run())
    ours = min(seconds for seconds, _ in turns["vaehub, bf16"])
    row("what", "s per epoch", "x vaehub bf16", f"cross-entropy + KL after {options.epochs} epochs")
    row("---", "---", "---", "---")
    for name, results in turns.items():
        seconds = min(seconds for seconds, _ in results)
        row(name, seconds, seconds / ours, mean(loss for _, loss in results))


if __name__ == "__main__":
    main()

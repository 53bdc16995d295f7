"""Conditional samples of configs/mnist_cvae.yaml: the share that a classifier trained here on real digits takes for the class asked for."""

from __future__ import annotations

import argparse
import tempfile

import numpy as np
import torch
from common import CONFIGS, row
from torch import Tensor, nn
from torch.nn import functional as F

import vaehub
from vaehub.base import Data


def classifier(data: Data, epochs: int = 3) -> nn.Module:
    """A small convolutional network, trained on the images that the VAE saw."""
    assert data.labels is not None
    torch.manual_seed(0)
    net = nn.Sequential(
        *(nn.Conv2d(1, 16, 5, stride=2, padding=2), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(32 * 7 * 7, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10)),
    )
    optimizer = torch.optim.Adam(net.parameters(), 2e-3, fused=True)
    for _ in range(epochs):
        for index in torch.randperm(len(data)).split(128):
            optimizer.zero_grad()
            F.cross_entropy(net(data[index].x), data.labels[index]).backward()
            optimizer.step()
    return net.eval()


@torch.no_grad()
def recognised(net: nn.Module, x: Tensor, classes: Tensor) -> Tensor:
    """Whether each image (N, 1, 28, 28) is taken for its class: (N,) of 0 and 1."""
    return (net(x).argmax(-1) == classes).double()


def main() -> None:
    """Train both networks, sample, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1000, help="of every class")
    parser.add_argument("overrides", nargs="*", help="key=value changes to configs/mnist_cvae.yaml")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = vaehub.train(CONFIGS / "mnist_cvae.yaml", options.overrides, out=f"{folder}/run")
    net, test = classifier(run.data("train")), run.data("test")
    real = recognised(net, test[torch.arange(len(test))].x, test.labels).mean()
    drawn = [torch.from_numpy(run.sample(options.samples, cond=digit, seed=digit)) for digit in range(10)]
    shares = np.array([recognised(net, x, torch.tensor(digit)).mean() for digit, x in enumerate(drawn)])
    row("what", "recognised, %", "worst digit, %")
    row("---", "---", "---")
    row("real test images", 100 * float(real), "")
    row("vaehub configs/mnist_cvae.yaml", 100 * float(shares.mean()), 100 * float(shares.min()))


if __name__ == "__main__":
    main()

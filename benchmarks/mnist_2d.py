"""Two latent dimensions, grey pixels: held-out Bernoulli cross-entropy + KL of configs/mnist.yaml and of the Keras tutorial's model."""

from __future__ import annotations

import argparse
import tempfile
import time

from common import CONFIGS, mnist, peer, row

import vaehub


def ours(overrides: list[str]) -> tuple[float, float]:
    """(bound in nats per test image, seconds of `vaehub.train` from call to return)."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        run = vaehub.train(CONFIGS / "mnist.yaml", overrides, out=f"{folder}/run")
        seconds = time.perf_counter() - started
        return -run.evaluate("test", samples=10)["elbo"], seconds


def main() -> None:
    """Train both, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", help="interpreter of the peers' environment; without it only vaehub is measured")
    parser.add_argument("--epochs", type=int, default=30, help="of the Keras run")
    parser.add_argument("overrides", nargs="*", help="key=value changes to configs/mnist.yaml")
    options = parser.parse_args()
    row("model", "cross-entropy + KL, nats", "seconds")
    row("---", "---", "---")
    row("vaehub configs/mnist.yaml", *ours(options.overrides))
    if options.peer_python:
        keras = peer(options.peer_python, "keras", mnist(), epochs=options.epochs)
        row(f"Keras 784-512-256-2, {options.epochs} epochs", keras["loss"], keras["seconds"])


if __name__ == "__main__":
    main()

"""Importance-weighted likelihood: images x samples per second of vaehub and of pythae's get_nll, on the same weights; the two must agree."""

from __future__ import annotations

import argparse
import tempfile
import time

import numpy as np
import torch
from common import MLP, mnist, peer, row

import vaehub
from vaehub.data.rows import Subset
from vaehub.evaluation.importance import evidence
from vaehub.run import Run

LATENT = 50


def trained(folder: str) -> Run:
    """One epoch of a plain VAE: 784-512-256-50 and back."""
    overrides = [f"latent={LATENT}", "train.epochs=1", "domain.binarise=dynamic"]
    return vaehub.train(MLP, overrides, out=f"{folder}/run")


def weights(run: Run) -> dict[str, np.ndarray]:
    """The model's parameters as pythae's networks name them. pythae's encoder gives log sigma^2, twice our log sigma."""
    named = {n: p.detach().clone() for n, p in run.vae.named_parameters() if n.startswith(("encoder.net", "decoder.net"))}
    last = max((n for n in named if n.startswith("encoder")), key=lambda n: int(n.split(".")[2])).rsplit(".", 1)[0]
    for kind in ("weight", "bias"):
        named[f"{last}.{kind}"][LATENT:] *= 2
    return {name: tensor.numpy() for name, tensor in named.items()}


def main() -> None:
    """Train one model, evaluate it by both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", required=True, help="interpreter of the peers' environment")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=1000, help="test images for vaehub")
    parser.add_argument("--peer-rows", type=int, default=100, help="test images for pythae")
    options = parser.parse_args()
    row("what", "images", "samples", "images x samples / s", "x pythae", "NLL, nats")
    row(*["---"] * 6)
    with tempfile.TemporaryDirectory() as folder:
        run = trained(folder)
        arrays = {"test": mnist(binarise="dynamic")["test"], **weights(run)}
    size = {"samples": options.samples, "rows": options.peer_rows, "latent": LATENT}
    theirs = peer(options.peer_python, "pythae_nll", arrays, hidden="512,256", **size)
    base = options.peer_rows * options.samples / theirs["seconds"]
    row("pythae get_nll", options.peer_rows, options.samples, round(base), 1.0, theirs["nll"])
    for rows, precision in [(options.peer_rows, torch.float32), (options.rows, torch.float32), (options.rows, torch.bfloat16)]:
        data = Subset(run.data("test"), torch.arange(rows))
        started = time.perf_counter()
        nll = -float(evidence(run.vae, data, options.samples, precision=precision).log_evidence.mean())
        rate = rows * options.samples / (time.perf_counter() - started)
        row(f"vaehub, {str(precision).removeprefix('torch.')}", rows, options.samples, round(rate), rate / base, nll)


if __name__ == "__main__":
    main()

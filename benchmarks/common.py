"""What the benchmarks share: the images as the peers want them, the peers' processes, and the rows that are printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vaehub.base import Data
from vaehub.config.build import build_domain
from vaehub.config.load import load_config

HERE = Path(__file__).parent
CONFIGS = HERE.parent / "configs"
MLP = {  # the network of every speed row: 784-512-256-2 and back, rectified
    "domain": {"name": "mnist", "validation": 1},  # all 60,000 images but one are trained on, as the peers do
    "encoder": {"name": "mlp", "hidden": [512, 256], "activation": "relu"},
    "decoder": {"name": "mlp", "hidden": [256, 512], "activation": "relu"},
    "optimizer": {"schedule": "constant"},
    "trainer": {"precision": "bf16-mixed", "accelerator": "cpu"},
}


def pixels(data: Data) -> np.ndarray:
    """All rows (N, 784)."""
    return data[torch.arange(len(data))].x.flatten(1).numpy()


def mnist(**options: Any) -> dict[str, np.ndarray]:
    """Images (N, 784) in [0, 1] by split; `train` is all of the official 60,000."""
    domain = build_domain(load_config({"domain": {"name": "mnist", **options}}))
    rows = {split: pixels(domain.data(split)) for split in ("train", "val", "test")}
    return {"train": np.concatenate([rows["train"], rows["val"]]), "test": rows["test"]}


def peer(python: str, task: str, arrays: Mapping[str, np.ndarray], **options: int | str) -> dict[str, Any]:
    """The result of a task of peers.py, run by the interpreter of the peers' environment."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "arrays.npz"
        np.savez(file, **arrays)
        command = [python, str(HERE / "peers.py"), task, str(file), *(f"{key}={value}" for key, value in options.items())]
        apart = python != sys.executable  # then what PYTHONPATH names is not for it
        environment = {key: value for key, value in os.environ.items() if not apart or key != "PYTHONPATH"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{task} failed in {python}; install requirements-peers.txt there\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def row(*cells: object) -> None:
    """Print one row of a Markdown table."""
    print("| " + " | ".join(f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in cells) + " |", flush=True)

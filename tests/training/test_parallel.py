"""Two processes on one machine (gloo): the same model as one process with batches twice as large."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from vaehub.files.model_file import load_model
from vaehub.training.fit import train

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_two_processes_train_the_same_model_as_one(small, tmp_path):
    config = small(train={"epochs": 2, "batch_size": 40}, optimizer={"lr": 1e-2})
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    overrides = ["train.batch_size=20", "trainer.devices=2", "trainer.strategy=ddp", "trainer.accelerator=cpu"]
    command = [sys.executable, "-m", "vaehub", "train", str(tmp_path / "config.yaml"), *overrides]
    command += ["--plugin", str(ROOT / "tests/toy.py"), "--out", str(tmp_path / "two")]
    done = subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    train(config, out=tmp_path / "one")
    one, two = (load_model(tmp_path / name / "last.safetensors")[0] for name in ("one", "two"))
    distance = {name: (one[name] - two[name]).abs().max() for name in one}
    moved = max(one[name].abs().max() for name in one)
    assert all(torch.isfinite(t).all() for t in two.values())
    assert max(distance.values()) < 0.2 * moved, distance  # equal up to the noise, which is drawn by rank
    rows = (tmp_path / "two" / "metrics.csv").read_text().splitlines()
    assert len(rows) == 3

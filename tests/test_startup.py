"""What using a trained model imports: torch, but neither Lightning nor torch's compiler, each of which takes longer than torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vaehub

TOY = Path(__file__).with_name("toy.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run with an option of Lightning's Trainer that is not one of the usual ones, and rows."""
    path = tmp_path_factory.mktemp("startup")
    config = {"domain": {"name": "toy", "rows": 100}, "encoder": {"hidden": [4]}, "decoder": {"hidden": [4]}}
    settings = {"train": {"epochs": 1}, "trainer": {"gradient_clip_val": 1.0}}
    vaehub.train(config, settings, path / "run", progress=False)
    np.save(path / "rows.npy", np.zeros((3, 1, 8, 8), np.float32))
    np.save(path / "z.npy", np.zeros((3, 2), np.float32))
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["sample", "run", "-n", "1", "-o", "x.npy"],
        ["encode", "run", "rows.npy", "-o", "x.npy"],
        ["decode", "run", "z.npy", "-o", "x.npy"],
        ["reconstruct", "run", "rows.npy", "-o", "x.npy"],
        ["score", "run", "rows.npy", "-o", "x.csv"],
        ["evaluate", "run", "--samples", "2"],
    ],
    ids=lambda words: words[0],
)
def test_using_a_model_imports_neither_lightning_nor_the_compiler(words, folder):
    show = "print(*sorted({'torch', 'torch._dynamo', 'pytorch_lightning', 'lightning_fabric'} & set(sys.modules)))"
    call = f"code = main(['--plugin', {str(TOY)!r}, *{words!r}])"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; from vaehub.cli.app import main; {call}; {show}; sys.exit(code)"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "torch"

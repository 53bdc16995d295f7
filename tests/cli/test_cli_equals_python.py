"""One conversion for files and arrays: every command that reads rows gives bit for bit what Python gives for the same rows in memory."""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import vaehub
from vaehub.cli.app import main

NETWORKS = {"encoder": {"name": "mlp", "hidden": [16]}, "decoder": {"name": "mlp", "hidden": [16]}, "latent": 3}
RANDOM = np.random.default_rng(0)


@dataclass(frozen=True)
class Given:
    """The same rows twice: in a file, and in memory as a whole and one by one."""

    file: Path
    memory: Any
    rows: Sequence[Any]


@dataclass(frozen=True)
class Example:
    """A model to train in a second, and rows for it."""

    domain: Callable[[Path], dict[str, Any]]
    given: Callable[[Path], Given]
    suffix: str  # of rows that are written
    parts: dict[str, Any] = field(default_factory=dict)


def digits(**options: Any) -> Callable[[Path], dict[str, Any]]:
    return lambda folder: {"name": "digits"} | options


def array(x: np.ndarray, suffix: str = ".npy") -> Callable[[Path], Given]:
    def given(folder: Path) -> Given:
        save = {".npy": lambda path: np.save(path, x), ".npz": lambda path: np.savez_compressed(path, x=x)}
        save[suffix](folder / f"x{suffix}")
        return Given(folder / f"x{suffix}", x, x)

    return given


def tensor(x: np.ndarray) -> Callable[[Path], Given]:
    def given(folder: Path) -> Given:
        np.save(folder / "x.npy", x)
        return Given(folder / "x.npy", torch.from_numpy(x), torch.from_numpy(x))

    return given


def pictures(x: np.ndarray) -> Callable[[Path], Given]:
    def given(folder: Path) -> Given:
        (folder / "x").mkdir()
        for number, image in enumerate(x):
            Image.fromarray(image).save(folder / "x" / f"{number:03d}.png")
        return Given(folder / "x", x, x)

    return given


def weather(folder: Path) -> dict[str, Any]:
    frame = pd.read_csv(str(files("vaehub_timeseries") / "data" / "nyc_weather.csv.gz"))
    frame.head(400).to_csv(folder / "weather.csv", index=False)
    return {"name": "timeseries", "path": str(folder / "weather.csv"), "window": 12, "stride": 4}


def weather_of_two_days(folder: Path) -> Given:
    frame = pd.read_csv(folder / "weather.csv").iloc[100:148]
    frame.to_csv(folder / "days.csv", index=False)
    return Given(folder / "days.csv", frame, [frame.iloc[i * 12 : (i + 1) * 12] for i in range(4)])


def likes(folder: Path, **options: Any) -> dict[str, Any]:
    items = [RANDOM.choice(12, 8, replace=False) + 6 * (user % 3) for user in range(60)]
    frame = pd.DataFrame({"user": np.repeat(np.arange(60), 8), "item": np.concatenate(items)})
    frame.to_csv(folder / "likes.csv", index=False)
    return {"name": "recommender", "path": str(folder / "likes.csv"), "held_out": 10} | options


def likes_of_some(folder: Path) -> Given:
    frame = pd.read_csv(folder / "likes.csv").head(80)
    frame.to_csv(folder / "some.csv", index=False)
    return Given(folder / "some.csv", frame, [part for _, part in frame.groupby("user")])


def molecules(folder: Path, **options: Any) -> dict[str, Any]:
    lines = gzip.decompress((files("vaehub_molecules") / "data" / "sample.smi.gz").read_bytes()).decode().split()[:120]
    (folder / "train.smi").write_text("\n".join(lines))
    return {"name": "smiles", "path": str(folder / "train.smi")} | options


def some_molecules(folder: Path) -> Given:
    smiles = (folder / "train.smi").read_text().split()[:10]
    (folder / "some.smi").write_text("\n".join(smiles))
    return Given(folder / "some.smi", smiles, smiles)


BYTES = RANDOM.integers(0, 256, (9, 8, 8), np.uint8)
REAL = RANDOM.random((9, 1, 8, 8), np.float32)
GRU = {"encoder": {"name": "gru", "width": 16}, "decoder": {"name": "gru", "width": 16}, "likelihood": "categorical"}
LEVELS = {"likelihood": "discretized_logistic"}
EXAMPLES = {
    "toy": Example(lambda folder: {"name": "toy"}, array(REAL.round()), ".npy"),
    "images real npz": Example(digits(), array(REAL, ".npz"), ".npy"),
    "images real flat": Example(digits(), array(REAL.reshape(9, 64).astype(np.float64)), ".npy"),
    "images bytes": Example(digits(), array(BYTES), ".npy"),
    "images bytes with channel": Example(digits(), tensor(BYTES[:, None]), ".npy"),
    "images pictures": Example(digits(), pictures(BYTES), ".npy"),
    "images black and white": Example(digits(binarise="dynamic"), array(REAL), ".npy"),
    "images levels of bytes": Example(digits(levels=16), array(BYTES), ".npy", LEVELS),
    "images levels of real": Example(digits(levels=16), array(REAL), ".npy", LEVELS),
    "images levels": Example(digits(levels=16), array(RANDOM.integers(0, 16, (9, 1, 8, 8))), ".npy", LEVELS),
    "timeseries": Example(weather, weather_of_two_days, ".csv", {"likelihood": "normal"}),
    "recommender": Example(likes, likes_of_some, ".parquet", {"likelihood": "multinomial"}),
    "recommender history": Example(lambda f: likes(f, history=True), likes_of_some, ".parquet", {"likelihood": "multinomial"}),
    "molecules": Example(molecules, some_molecules, ".smi", GRU),
    "molecules condition": Example(lambda f: molecules(f, condition=["logp"]), some_molecules, ".smi", GRU),
}


@pytest.fixture(scope="module", params=EXAMPLES)
def trained(request, tmp_path_factory):
    """A run of one example, and its rows."""
    example, folder = EXAMPLES[request.param], tmp_path_factory.mktemp("run")
    training = {"epochs": 1, "batch_size": 64, "score_rows": 100}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        config = NETWORKS | example.parts | {"domain": example.domain(folder), "train": training}
        vaehub.train(config, out=folder / "run", progress=False)
    run = vaehub.load(folder / "run").to("cuda" if torch.cuda.is_available() else "cpu")
    return run, example, example.given(folder)


def of_command(run: vaehub.Run, command: str, given: Given, output: Path, *options: str) -> Path:
    assert main([command, str(run.path), str(given.file), "-o", str(output), *options]) == 0
    return output


def written(run: vaehub.Run, x: np.ndarray, path: Path) -> bytes:
    run.codec.write(torch.from_numpy(x), path)
    return path.read_bytes()


def test_encode(trained, tmp_path):
    run, _, given = trained
    assert np.array_equal(np.load(of_command(run, "encode", given, tmp_path / "z.npy")), run.encode(given.memory))


def test_score(trained, tmp_path):
    run, _, given = trained
    scores = pd.read_parquet(of_command(run, "score", given, tmp_path / "scores.parquet"))
    pd.testing.assert_frame_equal(scores, run.score(given.memory), check_exact=True)


def test_reconstruct(trained, tmp_path):
    run, example, given = trained
    output = of_command(run, "reconstruct", given, tmp_path / f"cli{example.suffix}")
    assert output.read_bytes() == written(run, run.reconstruct(given.memory), tmp_path / f"python{example.suffix}")


def test_interpolate(trained, tmp_path):
    run, example, given = trained
    output = of_command(run, "interpolate", given, tmp_path / f"cli{example.suffix}", "--from", "1", "--to", "3", "--steps", "5")
    x = run.interpolate(given.rows[1], given.rows[3], 5)
    assert output.read_bytes() == written(run, x, tmp_path / f"python{example.suffix}")

"""What the benchmarks here share: the frames that the Imputer gets, the scores, the options and the rows that are printed."""

from __future__ import annotations

import argparse
import copy
import dataclasses
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import pandas as pd

LEVELS = tuple(np.round(np.arange(0.05, 1.0, 0.05), 2))  # the 19 of CSDI
FINE = tuple(np.round(np.arange(0.01, 1.0, 0.02), 2))  # mid-points, so that the mean pinball loss is the integral; has 0.05, 0.95
ENTITY = "series"
Arrays = tuple[np.ndarray, np.ndarray]  # what a peer trains on and what it imputes


class Imputed(NamedTuple):
    """What came out for windows (N, T, D): values, quantiles (Q, N, T, D) at `levels`; seconds and CPU are of fit plus impute.

    closed_form: values of the same fit without its network, where that was asked for; network: what the network is said to bring.
    """

    value: np.ndarray
    quantiles: np.ndarray
    levels: tuple[float, ...]
    seconds: float
    cpu: float
    quantile_seconds: float
    closed_form: np.ndarray | None = None
    network: str = ""


def as_frame(windows: np.ndarray, prefix: str) -> pd.DataFrame:
    """Windows (N, T, D) as one frame: N*T rows in their order, an entity column, a column a variable."""
    n, steps, channels = windows.shape
    frame = pd.DataFrame(windows.reshape(n * steps, channels), columns=columns(channels))
    frame.insert(0, ENTITY, np.repeat([f"{prefix}{i}" for i in range(n)], steps))
    return frame


def columns(channels: int) -> list[str]:
    """The names of the variables."""
    return [f"x{i}" for i in range(channels)]


def impute(train: np.ndarray, test: np.ndarray, levels: Sequence[float], both: bool = False, **options: Any) -> Imputed:
    """Fit an Imputer on the series `train` (N, T, D), each an entity, and impute the windows `test`, each an entity.

    `both`: once more without the network.
    """
    from vaehub_timeseries import Imputer  # here, so that protocols and peers need no vaehub

    seen, given, names = as_frame(train, "train"), as_frame(test, "test"), columns(test.shape[2])
    started, cpu = time.perf_counter(), time.process_time()
    imputer = Imputer(entity=ENTITY, **options).fit(seen)
    value = imputer.transform(given)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    started = time.perf_counter()
    spread = imputer.quantiles(given, list(levels))
    quantile_seconds = time.perf_counter() - started
    quantiles = np.stack([spread[[(name, level) for name in names]].to_numpy(float).reshape(test.shape) for level in levels])
    alone = without_network(imputer).transform(given)[names].to_numpy(float).reshape(test.shape) if both else None
    value = value[names].to_numpy(float).reshape(test.shape)
    return Imputed(value, quantiles, tuple(levels), seconds, cpu, quantile_seconds, alone, str(imputer.network_))


def without_network(imputer: Any) -> Any:
    """The same fit, whose gate has the closed form and linear interpolation alone."""
    fitted, other = imputer.fitted_, copy.copy(imputer)
    model = dataclasses.replace(fitted.model, run=None)
    count, held_out = 1 + len(model.experts), fitted.held_out
    held_out = held_out._replace(means=held_out.means[:count], sds=held_out.sds[:count])
    other.fitted_ = dataclasses.replace(fitted, model=model, held_out=held_out, cache={})
    return other


def closed_form_only() -> None:
    """From now on an Imputer trains no network."""
    from vaehub_timeseries.model import experts

    mock.patch.object(experts, "fit_correction", return_value=(None, experts.UNTRIED)).start()


def run_peer(
    python: str, name: str, folder: Path, arrays: Arrays, epochs: int, patience: int
) -> subprocess.CompletedProcess[str]:
    """peers.py on (train, test), run in `folder` by the interpreter of the peers' environment."""
    train, test = arrays
    np.savez(folder / "arrays.npz", train=train.astype(np.float32), test=test.astype(np.float32))
    script = Path(__file__).with_name("peers.py")
    command = [python, str(script), name, str(folder), f"epochs={epochs}", f"patience={patience}"]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def errors(value: np.ndarray, truth: np.ndarray, hidden: np.ndarray) -> dict[str, float]:
    """MAE, RMSE and MRE = sum |error| / sum |truth| on the hidden cells."""
    error, size = np.abs(value - truth)[hidden], np.abs(truth)[hidden]
    return {"mae": float(error.mean()), "rmse": float(np.sqrt((error**2).mean())), "mre": float(error.sum() / size.sum())}


def intervals(got: Imputed, truth: np.ndarray, hidden: np.ndarray) -> dict[str, float]:
    """Normalised CRPS = mean over q of 2 * pinball_q / sum |truth|, as CSDI's calc_quantile_CRPS, and the coverage of the 90 % interval."""
    y, q = truth[hidden], got.quantiles[:, hidden]
    loss = sum(2 * np.abs((row - y) * ((y <= row) - level)).sum() for row, level in zip(q, got.levels, strict=True))
    low, high = (q[got.levels.index(level)] for level in (0.05, 0.95))
    return {"ncrps": float(loss / len(got.levels) / np.abs(y).sum()), "cov90": float(((low <= y) & (y <= high)).mean())}


def linear(harness: Any, windows: np.ndarray) -> np.ndarray:
    """Linear interpolation of every window (N, T, D) by itself."""
    return np.stack([harness.linear(window) for window in windows])


def options_of(about: str | None) -> argparse.ArgumentParser:
    """The options that every script has."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--data", required=True, help="folder of data sets")
    parser.add_argument("--tools", help="folder with tsi_cells.py, the reference imputers")
    parser.add_argument("--config", help="config of the Imputer; its default otherwise")
    parser.add_argument("--closed-form", action="store_true", help="leave the network out")
    return parser


def table(*heads: str) -> None:
    """Print the head of a Markdown table."""
    row(*heads)
    row(*["---"] * len(heads))


def row(*cells: object) -> None:
    """Print one row of a Markdown table."""
    print("| " + " | ".join(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells) + " |", flush=True)


def mean_of(results: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of every figure over repeats."""
    return {key: float(np.mean([result[key] for result in results])) for key in results[0]}

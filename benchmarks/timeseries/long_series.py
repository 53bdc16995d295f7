"""One series of 25,000, 50,000 and 100,000 steps x 8 with a gap of 500 steps in every column: seconds and peak memory.

Each length is imputed in a process of its own. A tenth of the other cells is hidden too.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from measure import columns, row, run_peer, table

GAP, CHANNELS = 500, 8


def series(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Truth (steps, 8), two seasons, a slow walk and noise mixed into the columns, and what is hidden of it."""
    rng = np.random.default_rng(0)
    t = np.arange(steps)[:, None]
    seasons = np.concatenate([np.sin(2 * np.pi * (t / period + phase)) for period in (24, 168) for phase in (0, 0.25)], 1)
    walk = np.cumsum(rng.normal(scale=0.02, size=(steps, 2)), 0)
    truth = np.concatenate([seasons, walk], 1) @ rng.normal(size=(6, CHANNELS)) + rng.normal(scale=0.2, size=(steps, CHANNELS))
    hidden = rng.random(truth.shape) < 0.1
    hidden[steps // 2 : steps // 2 + GAP] = True
    return truth, hidden


def measure(steps: int, config: str | None) -> dict[str, float]:
    """Impute one series in this process."""
    truth, hidden = series(steps)
    stamps = pd.date_range("2020-01-01", periods=steps, freq="h")
    frame = pd.DataFrame(np.where(hidden, np.nan, truth), columns=columns(CHANNELS), index=stamps)
    from vaehub_timeseries import Imputer

    loaded, started, cpu = peak(), time.perf_counter(), time.process_time()
    filled = Imputer(config).fit_transform(frame)
    took = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu, "gigabytes": peak(), "loaded": loaded}
    lines = frame.interpolate(limit_direction="both").to_numpy()
    gap = slice(steps // 2, steps // 2 + GAP)
    error, base = np.abs(filled.to_numpy() - truth), np.abs(lines - truth)
    ours = {"mae": error[hidden].mean(), "gap": error[gap].mean()}
    return {**took, **ours, "linear": base[hidden].mean(), "gap_linear": base[gap].mean()}


def peak() -> float:
    """Peak resident memory of this process so far, in gigabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def child(steps: int, config: str | None) -> dict[str, float]:
    """`measure` in a process of its own."""
    command = [sys.executable, __file__, "--measure", str(steps), *(["--config", config] if config else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def peer_cost(python: str, name: str, steps: int) -> str:
    """What a peer's single epoch on the whole series as one window takes, or why it fails."""
    truth, hidden = series(steps)
    window = np.where(hidden, np.nan, truth)[None]
    with tempfile.TemporaryDirectory() as folder:
        done = run_peer(python, name, Path(folder), (window, window), epochs=1, patience=0)
    if not done.returncode:
        return f"{json.loads(done.stdout.strip().splitlines()[-1])['seconds']:.0f} s"
    wanted = re.search(r"tried to allocate (\d+) bytes", done.stdout + done.stderr)
    return f"out of memory: asked for {int(wanted[1]) / 1e9:.0f} GB at once" if wanted else f"failed with code {done.returncode}"


def main() -> None:
    """A row for every length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", nargs="*", type=int, default=[25_000, 50_000, 100_000])
    parser.add_argument("--config", help="config of the Imputer; its default otherwise")
    parser.add_argument("--peer-python", help="interpreter of the peers' environment: PyPOTS on the longest series too")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.config)))
        return
    table("steps", "fit + impute s", "CPU s", "peak GB", "of which imports and data", "MAE", "linear", "MAE in the gap", "linear")
    for steps in options.steps:
        r = child(steps, options.config)
        row(steps, r["seconds"], r["cpu"], r["gigabytes"], r["loaded"], r["mae"], r["linear"], r["gap"], r["gap_linear"])
    if options.peer_python:
        table("peer", "steps", "one epoch and one imputation")
        for name in ("gpvae", "saits"):
            row(name, options.steps[-1], peer_cost(options.peer_python, name, options.steps[-1]))


if __name__ == "__main__":
    main()

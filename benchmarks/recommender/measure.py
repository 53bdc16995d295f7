"""What the benchmarks here share: results that outlive a killed run, processes that are watched, and the rows that are printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

CONFIGS = Path(__file__).parents[2] / "configs"
POLL = 0.05  # seconds between two looks at the memory of a process


class Cache:
    """A JSON file of results by name: what is there is not computed again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def of(self, name: str, compute: Callable[[], Any]) -> Any:
        """The result of that name, computed and written down at once where it is missing."""
        if name not in self.results:
            self.results[name] = compute()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            part = self.path.with_suffix(".part")
            part.write_text(json.dumps(self.results))
            part.replace(self.path)
        return self.results[name]


class Watched(NamedTuple):
    """What a process took: seconds of the clock and of CPU time, and the peak of its resident memory in gigabytes."""

    seconds: float
    cpu: float
    gigabytes: float


def watched(command: Sequence[str]) -> Watched:
    """Run a command to its end; VmHWM of /proc/PID/status is its own peak, whatever this process holds."""
    started, before, peak = time.perf_counter(), children(), 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        peak = max(peak, high_water(process.pid))
        time.sleep(POLL)
    if process.returncode:
        sys.exit(f"failed with code {process.returncode}: {' '.join(command)}")
    return Watched(time.perf_counter() - started, children() - before, peak / 1e9)


def children() -> float:
    """CPU seconds of all processes that this one has waited for."""
    spent = os.times()
    return spent.children_user + spent.children_system


def high_water(pid: int) -> int:
    """Bytes of VmHWM; 0 for a process that is no more."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return 0
    kilobytes = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(kilobytes[0]) * 1024 if kilobytes else 0


def clocks() -> np.ndarray:
    """Wall and CPU seconds of this process."""
    return np.array([time.perf_counter(), time.process_time()])


def by_peer(python: str, folder: Path, **options: int) -> dict[str, Any]:
    """peer_cornac.py on the matrices in `folder`, run by the interpreter of the peers' environment."""
    script = Path(__file__).with_name("peer_cornac.py")
    command = [python, str(script), str(folder), *(f"{key}={value}" for key, value in options.items())]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"cornac failed in {python}; install requirements-peers.txt there\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def table(*heads: str) -> None:
    """Print the head of a Markdown table."""
    row(*heads)
    row(*["---"] * len(heads))


def row(*cells: object) -> None:
    """Print one row of a Markdown table."""
    print("| " + " | ".join(f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in cells) + " |", flush=True)

"""Runs the parts one after the other, each in a process group of its own with a time limit; a part that fails does not stop the next.

OUT/NAME.json is written as a part ends: its command, how it ended, the seconds it took, the rows of its tables and the end of what it said.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rehearsal import write_data

BENCHMARKS = Path(__file__).resolve().parents[1]
ROOT = BENCHMARKS.parent
TOTAL = 530.0  # seconds for all parts together
GRACE = 5.0  # seconds between SIGTERM and SIGKILL
SAID = 4000  # characters of a part's output that are kept


@dataclass(frozen=True)
class Part:
    """A command with its limit in seconds; DATA in it is the folder of --data, of which it needs the folder `needs`."""

    name: str
    limit: float
    command: Sequence[str]
    rehearsal: Sequence[str]  # the same on a CPU, tiny
    needs: str = ""


CPU = ("--accelerator", "cpu")
PYTEST = (
    "-m",
    "pytest",
    "-q",
    "-p",
    "no:cacheprovider",
    "-W",
    "default",
)  # another machine's versions may have warnings of their own
PARTS = (
    Part(
        "tests",
        120,
        (*PYTEST, "--continue-on-collection-errors", "-m", "gpu", "tests", "plugins"),
        (*PYTEST, "-k", "cpu", "tests/gpu/test_training.py"),
    ),
    Part(
        "mnist_steps",
        70,
        ("mnist_steps.py", "--peer-rows=20000"),
        ("mnist_steps.py", *CPU, "--epochs=2", "--peer-epochs=2", "--peer-rows=1000", "trainer.limit_train_batches=8"),
    ),
    Part(
        "mnist_sota",
        140,
        ("mnist_sota.py", "--seconds=90", "--rows=2000", "--samples=500"),
        (
            *("mnist_sota.py", *CPU, "--seconds=2", "--rows=4", "--samples=4", "trainer.limit_train_batches=1"),
            *("trainer.limit_val_batches=1", "train.batch_size=8", "train.eval_batch_size=8"),
        ),
    ),
    Part("recommender", 90, ("recommender/gpu.py", "--epochs=22"), ("recommender/gpu.py", *CPU, "--users=2000", "--epochs=3")),
    Part(
        "moses",
        90,
        ("molecules/training_speed.py", "--data=DATA/moses"),
        (
            "molecules/training_speed.py",
            *CPU,
            "--data=DATA/moses",
            "--rows=256",
            "--epochs=3",
            "encoder.width=32",
            "decoder.width=32",
        ),
        needs="moses",
    ),
    Part(
        "physionet",
        90,
        ("timeseries/physionet.py", "--data=DATA", "--protocol", "csdi"),
        ("timeseries/physionet.py", "--data=DATA", "--protocol", "csdi"),
        needs="physionet2012",
    ),
)


def run(part: Part, arguments: Sequence[str], data: Path | None, limit: float) -> dict[str, Any]:
    """What is to be said of a part that was run."""
    if part.needs and (data is None or not (data / part.needs).is_dir()):
        return {"part": part.name, "ended": "skipped", "seconds": 0.0, "rows": [], "said": f"no folder {part.needs} in --data"}
    script, *options = (argument.replace("DATA", str(data)) for argument in arguments)
    command = [sys.executable, script if script.startswith("-") else str(BENCHMARKS / script), *options]
    started = time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, start_new_session=True
    )
    try:
        said, ended = (
            process.communicate(timeout=limit)[0],
            "well" if process.returncode == 0 else f"failed ({process.returncode})",
        )
    except subprocess.TimeoutExpired:
        said, ended = cut(process), f"cut after {limit:.0f} s"
    seconds = round(time.monotonic() - started, 1)
    return {
        "part": part.name,
        "ended": ended,
        "seconds": seconds,
        "limit": limit,
        "command": " ".join(["python", script, *options]),
        "rows": list(rows(said)),
        "said": said[-SAID:],
    }


def cut(process: subprocess.Popen[str]) -> str:
    """End a process with all its children, and give what it has said."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        return process.communicate(timeout=GRACE)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.communicate()[0]


def rows(said: str) -> Iterator[list[str]]:
    """The cells of every row of a table in Markdown, its rules left out."""
    for line in said.splitlines():
        if line.startswith("|") and not set(line) <= set("|- "):
            yield [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def machine() -> dict[str, Any]:
    """What it was measured on."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    return {"gpu": gpu, "cores": os.cpu_count(), "python": platform.python_version(), "torch": torch.__version__}


def summary(results: Sequence[dict[str, Any]]) -> str:
    """All parts and their rows, to read."""
    lines = []
    for result in results:
        lines.append(f"\n## {result['part']}: {result['ended']}, {result['seconds']} s")
        lines += ["| " + " | ".join(cells) + " |" for cells in result["rows"]]
        lines += [] if result["ended"] == "well" else ["", result["said"][-1500:]]
        lines += [result["said"].strip().splitlines()[-1]] if not result["rows"] and result["ended"] == "well" else []
    return "\n".join(lines)


def main() -> int:
    """Run the parts; 1 where one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with moses/ (train and test) and physionet2012/ (set-a.parquet)")
    parser.add_argument("--out", type=Path, default=Path("runs/gpu"), help="folder of the results")
    parser.add_argument("--parts", nargs="*", choices=[part.name for part in PARTS], help="only these")
    parser.add_argument("--rehearse", action="store_true", help="everything at tiny size on the CPU, with generated data")
    options = parser.parse_args()
    if not options.rehearse and not torch.cuda.is_available():
        sys.exit("no GPU here; --rehearse runs everything at tiny size on the CPU")
    options.out.mkdir(parents=True, exist_ok=True)
    data = write_data(options.out / "data") if options.rehearse else options.data and options.data.resolve()
    end, results = time.monotonic() + TOTAL, []
    for part in PARTS:
        if options.parts is None or part.name in options.parts:
            limit = min(part.limit, end - time.monotonic())
            result = run(part, part.rehearsal if options.rehearse else part.command, data, limit) | {"machine": machine()}
            (options.out / f"{part.name}.json").write_text(json.dumps(result, indent=1) + "\n")
            print(f"{part.name}: {result['ended']}, {result['seconds']} s", flush=True)
            results.append(result)
    text = summary(results)
    (options.out / "summary.md").write_text(text + "\n")
    print(text)
    return int(any(result["ended"].startswith("failed") for result in results))


if __name__ == "__main__":
    sys.exit(main())

"""CPU seconds of commands that only use a model: what a user waits for before anything happens."""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CONFIG = Path(__file__).parents[1] / "configs" / "mnist.yaml"
COMMANDS = {  # words -> the exit code they must end with
    ("--help",): 0,
    ("sample", "RUN", "-n", "64", "-o", "s.npz"): 0,
    ("sample", "nosuch", "-o", "s.npz"): 2,
    ("encode", "RUN", "s.npz", "-o", "codes.csv"): 0,
}


def cpu_seconds(words: list[str], folder: Path, code: int) -> float:
    """User and system time of one command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-m", "vaehub", *words], cwd=folder, capture_output=True, text=True)
    if done.returncode != code:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}, not {code}: {done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Train for an epoch, then time every command some times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    print("| command | CPU s, median | least | most |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cpu_seconds(["train", str(CONFIG), "train.epochs=1", "train.score_rows=0", "--out", "RUN"], folder, 0)
        for words, code in COMMANDS.items():
            seconds = [cpu_seconds([*words], folder, code) for _ in range(repeats)]
            print(
                f"| vaehub {' '.join(words)} | {statistics.median(seconds):.2f} | {min(seconds):.2f} | {max(seconds):.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()

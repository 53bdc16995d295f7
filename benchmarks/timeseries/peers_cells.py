"""PyPOTS' GP-VAE and SAITS on the ten cells, the very arrays of cells.py: MAE, wall and CPU seconds of fit plus impute."""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from measure import Arrays, errors, options_of, row, run_peer, table
from protocols import load_harness

PEERS = ("gpvae", "saits")


def peer(python: str, name: str, arrays: Arrays, epochs: int, patience: int) -> tuple[np.ndarray, dict[str, Any]]:
    """What a peer imputed, and what it cost."""
    with tempfile.TemporaryDirectory() as folder:
        done = run_peer(python, name, Path(folder), arrays, epochs, patience)
        if done.returncode:
            sys.exit(f"{name} failed in {python}; install requirements-peers.txt there\n{done.stderr[-2000:]}")
        result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        result["epochs"] = len(re.findall(r"Epoch \d+ -", done.stdout + done.stderr))
        return np.load(Path(folder) / "imputed.npy"), result


def main() -> None:
    """A row for every cell, seed and peer."""
    parser = options_of(__doc__)
    parser.add_argument("--peer-python", required=True, help="interpreter of the peers' environment")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=PEERS)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--match", default="", help="only cells whose name has this in it")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--patience", type=int, default=10, help="0: none")
    options = parser.parse_args()
    harness = load_harness(options.tools)
    table("cell", "seed", "peer", "MAE", "wall s", "CPU s", "epochs", "parameters", "versions")
    for cell in harness.cells(options.data, tuple(options.seeds)):
        for name in options.peers if options.match in cell.name else ():
            given = np.where(cell.mask, np.nan, cell.test)
            imputed, cost = peer(options.peer_python, name, (cell.train, given), options.epochs, options.patience)
            versions = ", ".join(f"{package} {number}" for package, number in cost["versions"].items())
            mae = errors(imputed, cell.test, cell.mask)["mae"]
            row(cell.name, cell.seed, name, mae, cost["seconds"], cost["cpu"], cost["epochs"], cost["parameters"], versions)


if __name__ == "__main__":
    main()

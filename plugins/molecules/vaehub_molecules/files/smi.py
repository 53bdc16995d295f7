"""Lines of SMILES, each with a name or without."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from vaehub import UsageError, files
from vaehub_molecules.files.columns import is_smiles_name
from vaehub_molecules.files.records import MAX_BYTES, Records


def smi_records(path: Path, column: str | None) -> Records:
    """SMILES, then a name if there is one; a first line that says "smiles" is a header."""
    if column is not None:
        raise UsageError(f"column={column!r}: the file has no named columns; its SMILES come first in each line")
    rows = [(number, line) for number, line in enumerate(files.read_lines(path, MAX_BYTES), 1) if line.strip()]
    if rows and is_smiles_name(rows[0][1].split()[0]):
        rows = rows[1:]
    parts = [(*line.split(None, 1), "")[:2] for _, line in rows]
    names = pd.DataFrame({"name": [name.strip() for _, name in parts]}, dtype=object)
    return Records([smiles for smiles, _ in parts], [number for number, _ in rows], names if any(names["name"]) else names[[]])

"""Lines of SMILES, each with a name or without."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from vaehub import UsageError, files
from vaehub_molecules.files.columns import is_smiles_name
from vaehub_molecules.files.records import MAX_BYTES, Records

LINE = re.compile(r"(\S+(?:\s+\|[^|]*\|(?!\S))?)(?:\s+(.*))?", re.DOTALL)


def smi_records(path: Path, column: str | None) -> Records:
    """SMILES, then an extension between bars (CXSMILES) and a name, if there are any; a first line that says "smiles" is a header."""
    if column is not None:
        raise UsageError(f"column={column!r}: the file has no named columns; its SMILES come first in each line")
    rows = [(number, line) for number, line in enumerate(files.read_lines(path, MAX_BYTES), 1) if line.strip()]
    if rows and is_smiles_name(rows[0][1].split()[0]):
        rows = rows[1:]
    parts = [text_and_name(line) for _, line in rows]
    names = pd.DataFrame({"name": [name for _, name in parts]}, dtype=object)
    return Records([text for text, _ in parts], [number for number, _ in rows], names if any(names["name"]) else names[[]])


def text_and_name(line: str) -> tuple[str, str]:
    """SMILES or CXSMILES, and the name behind it.

    >>> text_and_name("C[C@H](N)C(=O)O |&1:1| rac-alanine")
    ('C[C@H](N)C(=O)O |&1:1|', 'rac-alanine')
    """
    text, name = LINE.fullmatch(line.strip()).groups()  # type: ignore[union-attr]  # no line is blank
    return text, name or ""

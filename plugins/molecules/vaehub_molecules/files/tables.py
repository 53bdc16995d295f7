"""Tables with a column of SMILES."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from vaehub.files.guard import guarded
from vaehub.files.tables import Table, open_table
from vaehub_molecules.chem.reasons import Reason, Rejected
from vaehub_molecules.files.columns import others, smiles_column, typed
from vaehub_molecules.files.records import MAX_BYTES, Line, Records


def table(path: Path, column: str | None) -> Records:
    """A table whose columns have names, one of them that of the SMILES."""
    opened = open_table(path, limit=MAX_BYTES)
    if not opened.names:
        return Records([], [], pd.DataFrame())
    with guarded(path):
        smiles = smiles_column(opened.names, column)
    return of_types(opened, smiles) if opened.typed else of_text(opened, smiles)


def of_text(opened: Table, smiles: str) -> Records:
    """Rows of text; those that do not fit under the names are broken."""
    width = len(opened.names)
    rows = [(number, cells) for number, cells in opened.rows() if any(cells)]
    whole = [(number, cells) for number, cells in rows if len(cells) == width]
    broken = [torn(number, cells, width) for number, cells in rows if len(cells) != width]
    frame = pd.DataFrame([cells for _, cells in whole], columns=opened.names, dtype=object)
    texts = list(frame.iloc[:, opened.names.index(smiles)])
    return Records(texts, [number for number, _ in whole], others(frame, smiles).apply(typed, values=opened.values), broken)


def of_types(opened: Table, smiles: str) -> Records:
    """Rows of columns that have types."""
    frame = opened.frame()
    texts = ["" if pd.isna(cell) else str(cell) for cell in frame[smiles]]
    return Records(texts, list(range(1, len(texts) + 1)), others(frame, smiles))


def torn(number: int, cells: list[Any], width: int) -> Line:
    """A row that does not fit under the names."""
    return Line(number, ",".join(cells), Rejected(Reason.CELLS, f"{len(cells)}, the header has {width}"))

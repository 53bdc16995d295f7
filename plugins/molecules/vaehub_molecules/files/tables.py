"""Tables with a column of SMILES."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from vaehub import files
from vaehub_molecules.chem.reasons import Reason, Rejected
from vaehub_molecules.files.columns import convert_types, other_columns, smiles_column
from vaehub_molecules.files.records import MAX_BYTES, Records, RejectedLine


def table_records(path: Path, column: str | None) -> Records:
    """A table whose columns have names, one of them that of the SMILES."""
    opened = files.open_table(path, limit=MAX_BYTES)
    if not opened.names:
        return Records([], [], pd.DataFrame())
    with files.guarded(path):
        smiles = smiles_column(opened.names, column)
    return typed_records(opened, smiles) if opened.typed else text_records(opened, smiles)


def text_records(opened: files.Table, smiles: str) -> Records:
    """Rows of text; those that do not fit under the names are broken."""
    width = len(opened.names)
    rows = [(number, cells) for number, cells in opened.rows() if any(cells)]
    whole = [(number, cells) for number, cells in rows if len(cells) == width]
    broken = [wrong_width(number, cells, width) for number, cells in rows if len(cells) != width]
    frame = pd.DataFrame([cells for _, cells in whole], columns=opened.names, dtype=object)
    texts = list(frame.iloc[:, opened.names.index(smiles)])
    return Records(
        texts, [number for number, _ in whole], other_columns(frame, smiles).apply(convert_types, values=opened.values), broken
    )


def typed_records(opened: files.Table, smiles: str) -> Records:
    """Rows of columns that have types."""
    frame = opened.frame()
    texts = ["" if pd.isna(cell) else str(cell) for cell in frame[smiles]]
    return Records(texts, list(range(1, len(texts) + 1)), other_columns(frame, smiles))


def wrong_width(number: int, cells: list[Any], width: int) -> RejectedLine:
    """A row that does not fit under the names."""
    return RejectedLine(number, ",".join(cells), Rejected(Reason.CELLS, f"{len(cells)}, the header has {width}"))

"""Tables with a column of SMILES."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from vaehub_molecules.chem.reasons import Reason, Rejected
from vaehub_molecules.files.columns import others, smiles_column
from vaehub_molecules.files.content import content, text
from vaehub_molecules.files.records import Line, Records

Row = tuple[int, list[str]]


def separated(path: Path, column: str | None) -> Records:
    """A text file whose first line names the columns, parted by commas, semicolons or tabs."""
    written = text(path)
    header = written.split("\n", 1)[0]
    reader = csv.reader(StringIO(written, newline=""), delimiter=max(",;\t", key=header.count))
    rows = [(reader.line_num, cells) for cells in reader if any(cells)]
    if not rows:
        return Records([], [], pd.DataFrame())
    (_, names), *rows = rows
    smiles = smiles_column(names, column)
    whole = [row for row in rows if len(row[1]) == len(names)]
    table = pd.DataFrame([cells for _, cells in whole], columns=names, dtype=object)
    ragged = [torn(row, len(names)) for row in rows if len(row[1]) != len(names)]
    return Records(list(table[smiles]), [number for number, _ in whole], others(table, smiles), ragged)


def torn(row: Row, width: int) -> Line:
    """A row that does not fit under the header."""
    number, cells = row
    return Line(number, ",".join(cells), Rejected(Reason.CELLS, f"{len(cells)}, the header has {width}"))


def parquet(path: Path, column: str | None) -> Records:
    """A Parquet file."""
    table = pq.read_table(pa.BufferReader(content(path)))
    smiles = smiles_column(table.column_names, column)
    frame = table.drop_columns(sorted({smiles, "smiles"} & set(table.column_names))).to_pandas(ignore_metadata=True)
    texts = ["" if cell is None else str(cell) for cell in table[smiles].to_pylist()]
    return Records(texts, list(range(1, len(texts) + 1)), frame)

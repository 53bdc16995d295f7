"""The first sheet of an Excel file, through openpyxl, which is imported on use."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from vaehub import UsageError, files
from vaehub.files import as_values
from vaehub_timeseries.files.dialect import Overrides
from vaehub_timeseries.files.head import SAMPLE, find_head

EXCEL = ".xlsx"
LARGEST = 1 << 30  # bytes of a file, unpacked


@contextmanager
def openpyxl_for(path: Path) -> Iterator[Any]:
    """openpyxl. Raises UsageError that says how to install it."""
    try:
        import openpyxl
    except ImportError as error:
        raise UsageError(
            f"{path}: .xlsx needs openpyxl; pip install 'vaehub-timeseries[excel]', or save the sheet as .csv"
        ) from error
    yield openpyxl


def read_excel(path: Path, overrides: Overrides, missing_values: Sequence[float | str]) -> pd.DataFrame:
    """The first sheet that holds anything, from the line of names on; cells keep their types.

    Raises: UsageError: openpyxl is absent, the file is too large or damaged, no sheet holds anything.
    """
    files.regular_file(path, LARGEST)
    with openpyxl_for(path) as openpyxl, files.guarded(path, "save it anew"):
        with zipfile.ZipFile(path) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > LARGEST:
                raise UsageError(f"{path}: unpacks to more than {LARGEST:,} bytes; save the sheet as .csv")
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheets = ([list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets)
        rows = next((rows for rows in sheets if any(cell is not None for row in rows for cell in row)), None)
        if rows is None:
            raise UsageError(f"{path}: no sheet holds anything")
    return frame_of(rows, overrides, missing_values)


def frame_of(rows: list[list[Any]], overrides: Overrides, missing_values: Sequence[float | str]) -> pd.DataFrame:
    """Rows of cells as a frame, whose head is found as that of a text is."""
    lines = ["\t".join(shown(cell) for cell in row) + "\n" for row in rows[:SAMPLE]]
    head = find_head(lines, "\t", overrides.header)
    body = rows[head.above.count("\n") :]
    missing = {*files.MISSING_WORDS, "", *missing_values}
    columns = {
        name: as_column([None if row[at] in missing else row[at] for row in body])
        for at, name in enumerate(head.names)
        if not (name.startswith("Unnamed: ") and all(row[at] is None for row in body))
    }
    frame = pd.DataFrame(columns)
    while len(frame) and frame.iloc[-1].isna().all():
        frame = frame.iloc[:-1]
    first = frame.columns[0]
    return frame.set_index(first).rename_axis(None) if first == "Unnamed: 0" and frame.shape[1] > 1 else frame


def shown(cell: Any) -> str:
    """A cell as the text of a sample."""
    text = "" if cell is None else cell.isoformat() if isinstance(cell, date | time) else str(cell)
    return " ".join(text.split())


def as_column(cells: list[Any]) -> pd.Series:
    """Cells of one column in the dtype that a text would give."""
    seen = [cell for cell in cells if cell is not None]
    if seen and all(isinstance(cell, datetime) for cell in seen):
        return pd.Series(pd.to_datetime(cells))
    if all(isinstance(cell, int | float) for cell in seen):
        kinds = {type(cell) for cell in seen}
        dtype = {frozenset({bool}): "boolean", frozenset({int}): "Int64"}.get(frozenset(kinds), "float64")
        return pd.Series(cells, dtype=dtype)
    texts = [None if cell is None else cell if isinstance(cell, str) else shown(cell) for cell in cells]
    return as_values(pa.array(texts, pa.string()))


def write_excel(frame: pd.DataFrame, path: Path) -> None:
    """A frame as the only sheet of a file, with its index unless that counts the rows."""
    with openpyxl_for(path) as openpyxl:
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet()
        table = frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()
        sheet.append([str(name) for name in table.columns])
        for row in table.astype(object).itertuples(index=False):
            sheet.append([as_cell(value) for value in row])
        content = io.BytesIO()
        book.save(content)
    files.atomic_write(path, content.getvalue())


def as_cell(value: Any) -> Any:
    """A value as Excel holds it: no zone of time, no NaN."""
    if pd.isna(value):
        return None
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.isoformat()
    return value if isinstance(value, int | float | str | bool | datetime | date | time) else str(value)

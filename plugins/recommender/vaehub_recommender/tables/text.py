"""CSV files, read as the text that stands there and only then as numbers: an id 007 stays one."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

BLOCK = 1 << 22  # bytes that are read at once
LONGEST_HEADER = 1 << 20  # bytes
WHOLE = r"^(0|-?[1-9][0-9]{0,17})$"  # numbers that are written in the one way in which they are printed
PADDED = r"^-?0[0-9]"  # a zip code, not a number
FLAG = r"^(?i:true|false)$"
GAPS = ["", "nan", "NaN"]


class Header(NamedTuple):
    """The first line of a CSV file."""

    names: list[str]
    separator: str


def header_of(path: Path) -> Header:
    """Names of the columns, and what stands between them: a comma, a semicolon or a tab."""
    with stream(path) as file:
        line = file.read(LONGEST_HEADER).decode("utf-8-sig", "replace").split("\n")[0].rstrip("\r")
    separator = max(",;\t", key=line.count)
    return Header(next(csv.reader([line], delimiter=separator), []), separator)


def stream(path: Path) -> Any:
    """The bytes of the file, unpacked."""
    return pa.input_stream(str(path), compression="gzip" if path.name.lower().endswith(".gz") else None)


def text_batches(path: Path, columns: Sequence[str], separator: str) -> Iterator[pa.RecordBatch]:
    """These columns as text, a few thousand rows at a time."""
    with stream(path) as file:
        yield from pacsv.open_csv(
            file,
            pacsv.ReadOptions(block_size=BLOCK),
            pacsv.ParseOptions(delimiter=separator, newlines_in_values=True),
            pacsv.ConvertOptions(
                include_columns=list(columns),
                column_types=dict.fromkeys(columns, pa.string()),
                strings_can_be_null=True,
                null_values=GAPS,
            ),
        )


def whole_numbers(column: Any) -> bool:
    """Whether all cells are whole numbers as they are printed, so that nothing is lost where they are read as such."""
    return bool(pc.all(pc.match_substring_regex(column, WHOLE), min_count=0).as_py())


def id_column(column: Any) -> pd.Series[Any]:
    """Ids from text: whole numbers where all of them are, else text."""
    return series(column.cast(pa.int64()) if whole_numbers(column) and not column.null_count else column)


def series(column: Any) -> pd.Series[Any]:
    """An Arrow column as one of pandas."""
    return pd.Series(column.to_pandas())


def value_column(column: Any) -> pd.Series[Any]:
    """Ratings or times from text: numbers or flags where all of them are, and none is padded with zeros, else text."""
    if pc.all(pc.match_substring_regex(column, FLAG), min_count=0).as_py():
        return series(pc.utf8_lower(column).cast(pa.bool_()))
    padded = pc.any(pc.match_substring_regex(column, PADDED), min_count=0).as_py()
    for number in () if padded else (pa.int64(), pa.float64()):
        try:
            return series(column.cast(number))
        except pa.ArrowInvalid:
            continue
    return series(column)

"""Tables from files of any kind and dialect, as they stand there."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api import types

from vaehub import UsageError, files
from vaehub_timeseries.files.dialect import Dialect, Header, Overrides
from vaehub_timeseries.files.excel import EXCEL, read_excel
from vaehub_timeseries.files.spelling import grouped_numbers, spelling_of
from vaehub_timeseries.frames.labels import find_label

TEXT = (".csv", ".tsv", ".txt")
SUFFIXES = (*files.SUFFIXES, EXCEL)


def read_table(
    path: Path | str,
    time: str | None = None,
    missing_values: Sequence[float | str] = (),
    *,
    sep: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    header: Header = None,
) -> pd.DataFrame:
    r"""A frame from a file, as it stands there: dates stay text, identifiers keep their zeros, whole numbers with gaps stay whole (Int64).

    Blank rows of a text that have no stamp, and its unnamed empty columns, are left out; an unnamed first column is the index.

    Arguments:
        path: A .csv, .tsv, .txt, .parquet, .feather or .arrow file (each also .gz), an .xlsx, or a folder of .parquet files.
        time: Column of stamps, which must be there.
        missing_values: Text among them is read as missing.
        sep: Between cells: ",", ";", "tab", "|" or "space" (any run of spaces); found out from some hundred rows, as all of these.
        decimal: The decimal mark: "." or ",".
        encoding: Such as "utf-8", "utf-16", "cp1252", "latin-1".
        header: The line of names, counted from 1, or "none" where there are none.

    Raises:
        UsageError: no such file, too large, damaged, no such column.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "x.csv").write_text("# Hof\nZeit;Temp\n;°C\n1.2.2024;1.000,5\n2.2.2024;-3\n")
    ...     read_table(f"{folder}/x.csv").to_dict("list")
    {'Zeit': ['1.2.2024', '2.2.2024'], 'Temp': [1000.5, -3.0]}
    """
    overrides, path = Overrides(sep, decimal, encoding, header), Path(path)
    if files.matched_suffix(path, SUFFIXES) == EXCEL:
        frame = read_excel(path, overrides, missing_values)
    elif not is_text(path):
        frame = files.open_table(path).frame(index=True)
    else:
        frame = read_text(path, Dialect.find(path, overrides), missing_values, overrides)
    if time is not None:
        find_label(time, [*frame.columns, *frame.index.names], "time")
    return frame


def is_text(path: Path) -> bool:
    """Whether a table is text. Raises UsageError where the suffix is unknown."""
    return not path.is_dir() and files.suffix_of(path, SUFFIXES).startswith(TEXT)


def read_text(path: Path, dialect: Dialect, missing_values: Sequence[float | str], overrides: Overrides) -> pd.DataFrame:
    """A table of text."""
    warn_of_guesses(path, dialect, overrides)
    frame = text_table(path, dialect, missing_values).frame(index=True)
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        if types.is_string_dtype(column.dtype) and column.notna().any():
            text = pa.array(column, pa.string(), from_pandas=True)
            tries = (grouped_numbers(text, mark) for mark in marks_of(dialect))
            numbers = next((found for found in tries if found is not None), None)
            if numbers is not None:
                frame[name] = numbers.set_axis(frame.index)
    return trimmed(frame)


def marks_of(dialect: Dialect) -> str:
    """The decimal marks that numbers may have, the likelier first."""
    return dialect.decimal + ("," if dialect.decimal == "." else ".")


def text_table(path: Path, dialect: Dialect, missing_values: Sequence[float | str]) -> files.Table:
    """The rows of a table of text. Raises UsageError where it is empty."""
    if not dialect.names:
        raise UsageError(f"{path}: is empty; give a table with a line of names")
    missing = (*files.MISSING_WORDS, *(value for value in missing_values if isinstance(value, str)))
    return files.open_table(path, missing, dialect=dialect.as_text)


def find_dialect(
    path: Path | str, overrides: Overrides | None = None, missing_values: Sequence[float | str] = ()
) -> Dialect | None:
    """The dialect of a table of text, with the spelling of its numbers; None for other files.

    Arguments:
        path: of a table.
        overrides: what is known of it.
        missing_values: text among them is no number.

    Raises:
        UsageError: the file cannot be read.
    """
    path = Path(path)
    if not is_text(path):
        return None
    dialect = Dialect.find(path, overrides)
    table = text_table(path, dialect, missing_values)
    parts = [batch for batch in table.batches() if batch.num_rows]
    if not parts:
        return dialect
    whole: Any = pa.Table.from_batches(parts)
    spellings = {}
    for name, column in zip(whole.column_names, whole.columns, strict=True):
        tries = (spelling_of(column.combine_chunks(), mark) for mark in marks_of(dialect))
        if (spelling := next((found for found in tries if found is not None), None)) is not None:
            spellings[name] = spelling
    return dataclasses.replace(dialect, spellings=spellings)


def warn_of_guesses(path: Path, dialect: Dialect, overrides: Overrides) -> None:
    """Say of what is doubtful how it is read, and how to say otherwise."""
    if dialect.encoding == "cp1252" and overrides.encoding is None:
        warn(f"{path}: is not UTF-8, so it is read as Windows-1252 (Latin-1); if it is not, give encoding= (--encoding)")
    if dialect.doubtful:
        found = next(mark for mark in marks_of(dialect) if mark in dialect.doubtful)
        meaning = "the decimal mark" if found == dialect.decimal else "a mark of thousands"
        warn(f"{path}: in {dialect.doubtful} {found} is read as {meaning}; if it is not, give decimal= (--decimal)")
    if not dialect.named and overrides.header is None and dialect.names:
        first, last = dialect.names[0], dialect.names[-1]
        warn(
            f"{path}: its first line holds numbers and no names, so it is read as data, and the columns are called {first} to {last}; "
            "if it is the names, give header=1 (--header=1)"
        )


def warn(message: str) -> None:
    """A warning at the line that called `read_table`."""
    warnings.warn(message, UserWarning, stacklevel=5)


def trimmed(frame: pd.DataFrame) -> pd.DataFrame:
    """Without blank rows: those at the end, and all where the index or a column of text names every other row."""
    counts = isinstance(frame.index, pd.RangeIndex)
    blank = frame.isna().all(axis=1).to_numpy(bool) & (np.full(len(frame), counts) | frame.index.isna())
    texts = [column for _, column in frame.items() if types.is_string_dtype(column.dtype)]
    if any((column.isna().to_numpy(bool) == blank).all() for column in texts):
        kept: pd.DataFrame = frame[~blank]
    else:
        kept = frame.iloc[: len(frame) - int(np.cumprod(blank[::-1]).sum())]
    return kept.reset_index(drop=True) if counts else kept

"""Tables to files, text in the dialect of the table that they were made from."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api import types

from vaehub import UsageError, files
from vaehub_timeseries.files.dialect import Dialect
from vaehub_timeseries.files.excel import EXCEL, write_excel
from vaehub_timeseries.files.read import SUFFIXES, TEXT
from vaehub_timeseries.files.spelling import Spelling

OWN_SEPARATOR = {".tsv": "\t"}  # of a suffix that says it


def write_table(frame: pd.DataFrame, path: Path | str, like: Dialect | None = None) -> None:
    r"""A frame to a file by its suffix, with its index unless that counts the rows; whole or not at all.

    Arguments:
        frame: the rows.
        path: .csv, .tsv, .txt, .parquet, .feather or .arrow, each also .gz, or .xlsx.
        like: the dialect of a text: separator, decimal mark, encoding, digits of the columns that it knows; where it knows all columns, the
            lines above the data, too. None: UTF-8 with commas (.csv) or tabs, and all digits.

    Raises:
        UsageError: an unknown suffix, a place that cannot be written to, text that the encoding has no characters for.

    >>> import tempfile
    >>> like = Dialect.find("a;b\n1,5;2\n".encode())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_table(pd.DataFrame({"a": [1.5, 2.25], "b": [2, 3]}), f"{folder}/x.csv", like)
    ...     Path(folder, "x.csv").read_text()
    'a;b\n1,5;2\n2,25;3\n'
    """
    path = Path(path)
    suffix = files.suffix_of(path, SUFFIXES)
    if suffix == EXCEL:
        write_excel(frame, path)
    elif like is None or not suffix.startswith(TEXT):
        files.write_table(frame, path, index=True)
    else:
        text = as_text(frame, like, OWN_SEPARATOR.get(suffix.removesuffix(".gz"), like.separator))
        try:
            content = text.encode(like.encoding)
        except UnicodeEncodeError as error:
            raise UsageError(
                f"{path}: {like.encoding} has no character {text[error.start]!r}; give encoding= (--encoding)"
            ) from error
        files.atomic_write(path, gzip.compress(content, 6, mtime=0) if suffix.endswith(".gz") else content)


def as_text(frame: pd.DataFrame, dialect: Dialect, separator: str) -> str:
    """The rows as text, below the lines of the dialect where the columns are its own."""
    kept = not isinstance(frame.index, pd.RangeIndex)
    levels = [frame.index.get_level_values(level) for level in range(frame.index.nlevels)] if kept else []
    labels = [*("" if name is None else str(name) for name in (frame.index.names if kept else [])), *map(str, frame.columns)]
    columns = [pd.Series(level) for level in levels] + [frame.iloc[:, at] for at in range(frame.shape[1])]
    own = [name or "Unnamed: 0" for name in labels] == list(dialect.names)
    cells = [written(column, spelling_for(name, dialect), dialect.decimal) for name, column in zip(labels, columns, strict=True)]
    cells = [[cell or "NaN" for cell in column] for column in cells] if separator == " " else cells
    out = io.StringIO(newline="")
    verbatim = own and separator == dialect.separator
    out.write(dialect.above if verbatim else "")
    broken = any("\r" in cell for column in cells for cell in column)
    writer = csv.writer(
        out, delimiter=separator, lineterminator=dialect.newline, quoting=csv.QUOTE_ALL if broken else csv.QUOTE_MINIMAL
    )
    if not verbatim:
        writer.writerow(labels)
    writer.writerows(zip(*cells, strict=True))
    return out.getvalue()


def spelling_for(name: str, dialect: Dialect) -> Spelling | None:
    """The spelling of a column; a finer one for what is computed from it, whose name goes on behind its own."""
    if name in dialect.spellings:
        return dialect.spellings[name]
    of = max((known for known in dialect.spellings if name.startswith(f"{known} ")), key=len, default=None)
    return None if of is None else dialect.spellings[of].finer


def written(column: pd.Series, spelling: Spelling | None, decimal: str) -> Sequence[str]:
    """The cells of a column as text, blank where there is nothing."""
    text: Callable[[Any], str] = str
    if types.is_float_dtype(column.dtype) or (types.is_integer_dtype(column.dtype) and spelling is not None):
        text = (
            (lambda value: repr(float(value)).replace(".", decimal)) if spelling is None else (lambda value: spelling.text(value))
        )
    missing = column.isna().to_numpy(bool)
    cells = column.astype(object).to_numpy()
    return ["" if gap else text(cell) for cell, gap in zip(cells, missing, strict=True)]

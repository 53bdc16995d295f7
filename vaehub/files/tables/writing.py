"""Tables to files, whole or not at all."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Literal

import pandas as pd
import pyarrow as pa

from vaehub.errors import UsageError
from vaehub.files.atomic import atomic_file
from vaehub.files.tables.dialect import SEPARATORS
from vaehub.files.tables.names import is_packed, suffix_of
from vaehub.hints import reason


def write_table(frame: pd.DataFrame, path: Path | str, index: bool = False) -> None:
    r"""A frame to a file by its suffix, whole or not at all; the same frame gives the same bytes.

    Numbers in text have as many digits as it takes to read them back.

    Arguments:
        frame: the rows.
        path: .csv, .tsv, .txt (tabs), .parquet, .feather or .arrow, each also .gz.
        index: write the index too, unless it only counts the rows.

    Raises:
        UsageError: an unknown suffix, a frame that this kind of file cannot hold, a place that cannot be written to.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_table(pd.DataFrame({"id": ["007"], "x": [0.1]}), f"{folder}/x.csv")
    ...     Path(folder, "x.csv").read_text()
    'id,x\n007,0.1\n'
    """
    path = Path(path)
    suffix = suffix_of(path).removesuffix(".gz")
    write = WRITERS[suffix]
    kept = index and not isinstance(frame.index, pd.RangeIndex)
    try:
        with ExitStack() as stack:
            file: BinaryIO = stack.enter_context(atomic_file(path))
            if is_packed(path):
                file = stack.enter_context(gzip.GzipFile("", "wb", 6, file, mtime=0))  # type: ignore[assignment]
            write(frame, file, kept)
    except (ValueError, TypeError, NotImplementedError, pa.ArrowException) as error:
        raise UsageError(f"{path}: this table cannot be written as {suffix} ({reason(error)}); write a .csv") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; choose a place that can be written to") from error


def write_text(frame: pd.DataFrame, file: BinaryIO, index: bool, separator: str) -> None:
    """Rows of text; all text in quotes where some of it would break a line, or a name would be taken for two."""
    texts = frame.select_dtypes(["object", "string", "category"])
    cells = (
        cell for column in (frame.columns, frame.index, *(texts.iloc[:, at] for at in range(texts.shape[1]))) for cell in column
    )
    broken = any("\r" in cell for cell in cells if isinstance(cell, str))
    misleading = any(mark in str(name) for name in frame.columns for mark in SEPARATORS)
    quoting: Literal[0, 2] = csv.QUOTE_NONNUMERIC if broken or misleading else csv.QUOTE_MINIMAL  # csv quotes \n, and \r not
    rows = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
    frame.to_csv(rows, index=index, sep=separator, lineterminator="\n", quoting=quoting)
    rows.detach()


def write_csv(frame: pd.DataFrame, file: BinaryIO, index: bool) -> None:
    """Commas between the cells."""
    write_text(frame, file, index, ",")


def write_tsv(frame: pd.DataFrame, file: BinaryIO, index: bool) -> None:
    """Tabs between the cells."""
    write_text(frame, file, index, "\t")


def write_parquet(frame: pd.DataFrame, file: BinaryIO, index: bool) -> None:
    """Parquet."""
    import pyarrow.parquet as pq

    pq.write_table(arrow(frame, index), file)


def write_feather(frame: pd.DataFrame, file: BinaryIO, index: bool) -> None:
    """Arrow's own file, which Feather is."""
    table = arrow(frame, index)
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def arrow(frame: pd.DataFrame, index: bool) -> pa.Table:
    """A frame as Arrow's table; an index that is not written leaves no trace."""
    return pa.Table.from_pandas(frame, preserve_index=None if index else False)


WRITERS: dict[str, Callable[[pd.DataFrame, BinaryIO, bool], None]] = {
    ".csv": write_csv,
    ".tsv": write_tsv,
    ".txt": write_tsv,
    ".parquet": write_parquet,
    ".feather": write_feather,
    ".arrow": write_feather,
}

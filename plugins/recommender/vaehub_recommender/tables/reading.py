"""Tables of interactions from files: only the columns that are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from vaehub.errors import UsageError
from vaehub_recommender.tables.arrays import matrix_of
from vaehub_recommender.tables.columns import Columns
from vaehub_recommender.tables.files import MAX_BYTES, reading, suffix_of
from vaehub_recommender.tables.parquet import dataset_of, parquet_batches
from vaehub_recommender.tables.text import header_of, id_column, text_batches, value_column

ROWS = 1 << 17  # that are read at once


class Wanted(NamedTuple):
    """The columns to read, and which of them are ids, whose text is never taken for a number unless it is printed so."""

    names: list[str]
    ids: Sequence[str | None] = ()


Choose: TypeAlias = Callable[[list[str]], Wanted]  # among the columns that are there


def read_table(path: Path | str, columns: Columns | None = None) -> pd.DataFrame:
    """Users, items and, where they are asked for or found, weights and times from .csv, .csv.gz, .npz, .parquet or a folder of .parquet files.

    An .npz file holds a matrix of users x items, whose ids are the numbers of its rows and columns.
    Raises UsageError that names the file: there is none, it is too large or damaged, a column is absent or in doubt.
    """
    path, columns = Path(path), Columns() if columns is None else columns
    if suffix_of(path) == ".npz":
        with reading(path):
            return matrix_frame(path, columns)

    def choose(names: list[str]) -> Wanted:
        known = columns.among(names)
        return Wanted(known.needed, (known.user, known.item))

    return read_columns(path, choose)


def read_frame(path: Path | str) -> pd.DataFrame:
    """All columns of a table of what else is known of users or items, .csv, .csv.gz or Parquet. Raises UsageError that names the file."""
    return read_columns(Path(path), Wanted)


def read_columns(path: Path, choose: Choose) -> pd.DataFrame:
    """The chosen columns of a table."""
    suffix = suffix_of(path)
    if suffix not in READERS:
        raise UsageError(f"{path}: its columns have no names; give one of {', '.join(READERS)}")
    with reading(path):
        return READERS[suffix](path, choose)


def text_frame(path: Path, choose: Choose) -> pd.DataFrame:
    """From a CSV file."""
    header = header_of(path)
    names, ids = choose(header.names)
    table = gathered(text_batches(path, names, header.separator), names)
    return pd.DataFrame({name: (id_column if name in ids else value_column)(table[name]) for name in names})


def parquet_frame(path: Path, choose: Choose) -> pd.DataFrame:
    """From Parquet files."""
    dataset = dataset_of(path)
    names, _ = choose(dataset.schema.names)
    table = gathered(parquet_batches(dataset, names, ROWS), names)
    return pd.DataFrame(table.to_pandas(ignore_metadata=True, split_blocks=True))


def gathered(batches: Iterable[pa.RecordBatch], names: list[str]) -> pa.Table:
    """All batches as a table, no larger than a table may be."""
    parts, size = [], 0
    for batch in batches:
        parts.append(batch)
        size += batch.nbytes
        if size > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES:,} bytes")
    return pa.Table.from_batches(parts) if parts else pa.table({name: pa.array([], pa.string()) for name in names})


def matrix_frame(path: Path, columns: Columns) -> pd.DataFrame:
    """From a sparse matrix; its columns are called as they are asked for."""
    matrix = matrix_of(path).tocoo()
    names = (columns.user or "user", columns.item or "item", columns.weight or "weight")
    cells = (matrix.row.astype(np.int64), matrix.col.astype(np.int64), matrix.data)
    return pd.DataFrame(dict(zip(names, cells, strict=True)))


READERS = {".csv": text_frame, ".csv.gz": text_frame, ".parquet": parquet_frame}

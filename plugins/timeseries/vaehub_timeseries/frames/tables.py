"""Frames from and to files, by suffix."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from pandas.api import types

from vaehub.errors import UsageError
from vaehub.hints import reason
from vaehub_timeseries.frames.labels import find

MAX_BYTES = 2 << 30  # of a file, unpacked
MAX_CELLS = 500_000_000  # of a parquet file, whose bytes say little

# every digit counts: pandas 3.1 reads so by itself and warns where it is told to
EXACT: dict[str, Any] = {} if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1) else {"float_precision": "round_trip"}

Reader: TypeAlias = Callable[[Path, list[str]], pd.DataFrame]
Writer: TypeAlias = Callable[[pd.DataFrame], bytes]


def read_table(path: Path | str, time: str | None = None, missing_values: Sequence[float | str] = ()) -> pd.DataFrame:
    """A frame from .csv, .csv.gz or .parquet, as it stands there: dates stay text, whole numbers with gaps stay whole (Int64).

    Blank rows that have no stamp and unnamed empty columns of a CSV are left out; an unnamed first column is the index.
    `time` must be among the columns; text among `missing_values` is read as missing.
    Raises UsageError: no such file, too large, damaged, no such column.
    """
    path = Path(path)
    read = READERS[suffix_of(path)]
    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    try:
        frame = read(path, [value for value in missing_values if isinstance(value, str)])
    except (ValueError, OSError, EOFError, NotImplementedError, zlib.error) as error:  # pandas' and Arrow's own are ValueErrors
        raise UsageError(f"{path}: cannot be read as {suffix_of(path)} ({reason(error)}); mend it or write it anew") from error
    if time is not None:
        find(time, [*frame.columns, *frame.index.names], "time")
    return frame


def write_table(frame: pd.DataFrame, path: Path | str) -> None:
    """A frame to .csv, .csv.gz or .parquet, whole or not at all. An index that only counts the rows is left out of a CSV. Raises UsageError."""
    from vaehub.files.atomic import atomic_write

    path = Path(path)
    write = WRITERS[suffix_of(path)]
    try:
        content = write(frame)
    except (ValueError, TypeError, NotImplementedError) as error:
        raise UsageError(f"{path}: this frame cannot be written as {suffix_of(path)} ({reason(error)}); write a .csv") from error
    try:
        atomic_write(path, content)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; choose a place that can be written to") from error


def suffix_of(path: Path) -> str:
    """The suffix, with that before .gz. Raises UsageError for one that no table has."""
    for suffix in READERS:
        if path.name.lower().endswith(suffix):
            return suffix
    raise UsageError(f"{path}: tables are {', '.join(READERS)} files; give one of these suffixes")


def read_csv(path: Path, missing: list[str]) -> pd.DataFrame:
    """A CSV file."""
    with path.open("rb") as file:
        return parse_csv(file.read(MAX_BYTES + 1), missing)


def read_gz(path: Path, missing: list[str]) -> pd.DataFrame:
    """A packed CSV file, unpacked no further than its size may be."""
    with gzip.open(path) as file:
        return parse_csv(file.read(MAX_BYTES + 1), missing)


def parse_csv(content: bytes, missing: list[str]) -> pd.DataFrame:
    """A frame from the text of a CSV file with commas, semicolons or tabs; the decimal comma goes with semicolons."""
    if len(content) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes")
    header, _, body = content[: 1 << 20].decode("utf-8-sig", "replace").partition("\n")
    separator = max(",;\t", key=header.count)
    frame = pd.read_csv(
        BytesIO(content),
        sep=separator,
        decimal="," if separator == ";" and "," in body.partition("\n")[0] else ".",
        na_values=missing,
        dtype_backend="numpy_nullable",
        **EXACT,
        skip_blank_lines=separator in header,
        encoding="utf-8-sig",
    )
    return indexed(trimmed(frame).apply(narrowed))


def trimmed(frame: pd.DataFrame) -> pd.DataFrame:
    """Without unnamed empty columns, and without blank rows: those at the end, and all where a column of text names every other row."""
    blank = frame.isna().all(axis=1)
    frame = frame.loc[:, [not (str(name).startswith("Unnamed: ") and frame[name].isna().all()) for name in frame.columns]]
    if any(types.is_string_dtype(frame[name].dtype) and (frame[name].isna() == blank).all() for name in frame.columns):
        return frame[~blank].reset_index(drop=True)
    return frame.iloc[: len(frame) - int(blank[::-1].cummin().sum())]


def narrowed(column: pd.Series) -> pd.Series:
    """A column in numpy's dtype where that can hold it: whole numbers and booleans with gaps stay as they are."""
    if types.is_float_dtype(column.dtype) or column.isna().all():
        return pd.Series(column.to_numpy(float, na_value=np.nan), column.index)
    if types.is_string_dtype(column.dtype):
        return column.astype(object).where(column.notna(), None).infer_objects()
    return column if column.isna().any() else column.astype(column.dtype.numpy_dtype)  # type: ignore[union-attr]


def indexed(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with an unnamed first column as its index, which is where pandas writes it."""
    if frame.shape[1] > 1 and frame.columns[0] == "Unnamed: 0":
        return frame.set_index(frame.columns[0]).rename_axis(None)
    return frame


def read_parquet(path: Path, missing: list[str]) -> pd.DataFrame:
    """A parquet file, its index where it was."""
    meta = pq.ParquetFile(path).metadata
    if meta.num_rows * meta.num_columns > MAX_CELLS:
        raise ValueError(f"{meta.num_rows:,} rows x {meta.num_columns:,} columns, more than {MAX_CELLS:,} cells")
    return pd.read_parquet(path)


def write_csv(frame: pd.DataFrame) -> bytes:
    """The text of a CSV file, numbers in as many digits as it takes to read them back."""
    return frame.to_csv(index=not isinstance(frame.index, pd.RangeIndex)).encode()


def write_gz(frame: pd.DataFrame) -> bytes:
    """The same, packed; no time of writing, so that the same frame gives the same bytes."""
    return gzip.compress(write_csv(frame), mtime=0)


def write_parquet(frame: pd.DataFrame) -> bytes:
    """A parquet file."""
    buffer = BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


READERS: dict[str, Reader] = {".csv": read_csv, ".csv.gz": read_gz, ".parquet": read_parquet}
WRITERS: dict[str, Writer] = {".csv": write_csv, ".csv.gz": write_gz, ".parquet": write_parquet}

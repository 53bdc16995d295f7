"""Files and folders of tables: what they are by their names, how large they may be, how they fail."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile

import pyarrow as pa

from vaehub.errors import UsageError
from vaehub.hints import reason

SUFFIXES = (".csv", ".csv.gz", ".parquet", ".npz")
MAX_BYTES = 32 << 30  # of a file, unpacked


def suffix_of(path: Path) -> str:
    """The suffix, with that before .gz; a folder is one of parquet files. Raises UsageError for no such file, or one that is no table."""
    if path.is_dir():
        return ".parquet"
    found = [suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)]
    if not found:
        raise UsageError(f"{path}: tables are {', '.join(SUFFIXES)} files or folders of .parquet files; give one of these")
    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    return found[0]


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Whatever goes wrong while a file is read, as one line that names it."""
    try:
        yield
    except UsageError as error:
        raise error if str(error).startswith(str(path)) else UsageError(f"{path}: {error}") from error
    except (
        pa.ArrowException,
        ValueError,
        OSError,
        EOFError,
        KeyError,
        IndexError,
        NotImplementedError,
        zlib.error,
        BadZipFile,
    ) as error:
        raise UsageError(f"{path}: cannot be read as {suffix_of(path)} ({reason(error)}); mend it or write it anew") from error

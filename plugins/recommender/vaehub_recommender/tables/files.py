"""Which files hold interactions: tables of every kind, and sparse matrices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vaehub import UsageError, files
from vaehub_recommender.tables.layout import Layout

MATRIX = ".npz"
TABLES = (*files.SUFFIXES, ".dat", ".data", ".inter", ".item", ".user", ".jsonl")
TYPED = (".parquet", ".feather", ".arrow", ".jsonl")
SUFFIXES = (*TABLES, MATRIX)
MISSING = ("nan", "NaN")  # of an id as of a rating, beside blank cells


def is_matrix(path: Path) -> bool:
    """Whether a file holds a sparse matrix. Raises UsageError for a name that no table has."""
    return not path.is_dir() and files.suffix_of(path, SUFFIXES) == MATRIX


def open_table(path: Path, layout: Layout | None = None) -> files.Table:
    """A table of any kind, a text as it is laid out. Raises UsageError as the engine's `open_table` does."""
    text = not path.is_dir() and not files.suffix_of(path, TABLES).startswith(TYPED)
    dialect = (layout or Layout()).dialect(path) if text else None
    return files.open_table(path, MISSING, dialect=dialect, known=TABLES)


def open_named(path: Path, known: Sequence[str] = TABLES) -> files.Table:
    """A table whose columns have names. Raises UsageError for a matrix, and as `open_table` does."""
    if is_matrix(path):
        raise UsageError(f"{path}: its columns have no names; give one of {', '.join(known)}")
    return open_table(path)

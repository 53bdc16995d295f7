"""Which files hold interactions: tables of every kind, and sparse matrices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vaehub import UsageError, files

MATRIX = ".npz"
SUFFIXES = (*files.SUFFIXES, MATRIX)
MISSING = ("nan", "NaN")  # of an id as of a rating, beside blank cells


def is_matrix(path: Path) -> bool:
    """Whether a file holds a sparse matrix. Raises UsageError for a name that no table has."""
    return not path.is_dir() and files.suffix_of(path, SUFFIXES) == MATRIX


def open_named(path: Path, known: Sequence[str] = files.SUFFIXES) -> files.Table:
    """A table whose columns have names. Raises UsageError for a matrix, and as `open_table` does."""
    if is_matrix(path):
        raise UsageError(f"{path}: its columns have no names; give one of {', '.join(known)}")
    return files.open_table(path, MISSING)

"""Sparse matrices from scipy's .npz files; what a damaged one says of itself is not believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scipy.sparse import coo_array, csr_array, load_npz

from vaehub import files

MAX_BYTES = 32 << 30  # of a matrix, unpacked

CHECKED = ("csr", "csc", "bsr")  # formats whose indices scipy checks only when asked to


def matrix_of(path: Path) -> csr_array:
    """The matrix in a file, users x items, its stored zeros left out. Raises UsageError that names the file: none, damaged or too large."""
    files.regular_file(path, MAX_BYTES)
    with files.guarded(path, "write it anew"):
        files.judge_npz(path, MAX_BYTES)
        return matrix_within(path)


def matrix_within(path: Path) -> csr_array:
    """The matrix in a file that may be damaged."""
    loaded: Any = load_npz(path)
    if loaded.ndim != 2 or loaded.dtype.kind not in "biuf":
        raise ValueError(f"a {loaded.ndim}-dimensional array of {loaded.dtype}; a matrix of numbers is expected")
    if 8 * sum(loaded.shape) > MAX_BYTES:
        raise ValueError(f"{loaded.shape[0]:,} users x {loaded.shape[1]:,} items, more than {MAX_BYTES:,} bytes hold")
    if loaded.format in CHECKED:
        loaded.check_format(full_check=True)
    matrix = csr_array(coo_array(loaded))
    matrix.eliminate_zeros()
    return matrix

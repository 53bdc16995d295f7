"""Arrays and tables in files: .npy and .npz, and whatever `vaehub.files.tables` knows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vaehub.errors import UsageError
from vaehub.files.arrays import opened_npz, read_npy, write_array
from vaehub.files.guard import guarded

if TYPE_CHECKING:
    from vaehub.convert import Array

ARRAYS = (".npy", ".npz")


def read_file(path: Path) -> Any:
    """An array, a mapping of arrays, or a DataFrame, by the suffix; a text without a line of names, as numpy.savetxt writes it, is an array.

    Raises:
        UsageError: the file is missing, damaged, too large or of another kind.
    """
    if path.suffix.lower() == ".npy":
        return read_npy(path)
    if path.suffix.lower() == ".npz":
        with opened_npz(path) as arrays:
            return {name: arrays[name] for name in arrays.files}
    require_known(path)
    from vaehub.files.tables import MISSING_WORDS, open_table

    table = open_table(path, MISSING_WORDS, nameless=True)
    with guarded(path):
        frame = table.frame(index=True)
        return frame if table.named else frame.to_numpy(np.float64, na_value=np.nan)


def write_file(x: Array, path: Path, columns: tuple[str, ...]) -> None:
    """Rows x (N, *shape) by the suffix; tables with the names of their columns. Raises UsageError for a suffix that cannot hold them."""
    if path.suffix.lower() in ARRAYS:
        return write_array(x, path)
    require_known(path)
    if x.ndim != 2:
        raise UsageError(f"{path.name}: rows of shape {x.shape[1:]} fit into no table; write them to .npy or .npz")
    import pandas as pd

    from vaehub.files.tables import write_table

    write_table(pd.DataFrame(x, columns=list(columns or (f"x{i}" for i in range(x.shape[1])))), path)


def require_known(path: Path) -> None:
    """Raise UsageError where the suffix is that of neither an array nor a table."""
    from vaehub.files.tables import SUFFIXES, suffix_of

    suffix_of(path, (*ARRAYS, *SUFFIXES))

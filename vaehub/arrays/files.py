"""Arrays and tables in files: .npy, .npz, .csv and .parquet."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vaehub.errors import UsageError
from vaehub.files.arrays import opened_npz, read_npy
from vaehub.files.guard import guarded, read_bytes, read_gzip, regular_file
from vaehub.hints import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

    from vaehub.convert import Array


def read_file(path: Path) -> Any:
    """An array, a mapping of arrays, or a DataFrame, by the suffix. Raises UsageError where the file is missing, damaged or of another kind."""
    read = READERS.get(suffix(path))
    if read is None:
        raise UsageError(f"{path}: no format has the suffix '{suffix(path)}'; {did_you_mean(suffix(path), READERS)}")
    with guarded(regular_file(path)):
        return read(path)


def suffix(path: Path) -> str:
    """The suffix in small letters; of a packed table both."""
    name = path.name.lower()
    return ".csv.gz" if name.endswith(".csv.gz") else Path(name).suffix


def read_npz(path: Path) -> dict[str, Array]:
    """All arrays of an .npz file."""
    with opened_npz(path) as arrays:
        return {name: arrays[name] for name in arrays.files}


def read_csv(content: bytes) -> pd.DataFrame | Array:
    """A table; without a line of names, as numpy.savetxt writes it, an array."""
    import pandas as pd

    names = list(pd.read_csv(BytesIO(content), nrows=0, index_col=False).columns)
    if names and all(map(is_number, names)):
        return np.asarray(pd.read_csv(BytesIO(content), header=None, index_col=False))
    return pd.read_csv(BytesIO(content), index_col=False)


def is_number(word: str) -> bool:
    """Whether a column's name is a number: then the first line holds values."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def read_parquet(path: Path) -> pd.DataFrame:
    """A table."""
    import pandas as pd

    return pd.read_parquet(regular_file(path))


def write_file(x: Array, path: Path, columns: tuple[str, ...]) -> None:
    """Rows x (N, *shape) by the suffix; tables with the names of their columns. Raises UsageError for a suffix that cannot hold them."""
    kind = suffix(path)
    if kind not in READERS:
        raise UsageError(f"{path.name}: no format has the suffix '{kind}'; {did_you_mean(kind, READERS)}")
    if kind in (".npy", ".npz"):
        return np.save(path, x) if kind == ".npy" else np.savez_compressed(path, x=x)
    if x.ndim != 2:
        raise UsageError(f"{path.name}: rows of shape {x.shape[1:]} fit into no table; write them to .npy or .npz")
    import pandas as pd

    frame = pd.DataFrame(x, columns=list(columns or (f"x{i}" for i in range(x.shape[1]))))
    frame.to_parquet(path, index=False) if kind == ".parquet" else frame.to_csv(path, index=False)


READERS: dict[str, Callable[[Path], Any]] = {
    ".npy": read_npy,
    ".npz": read_npz,
    ".csv": lambda path: read_csv(read_bytes(path)),
    ".csv.gz": lambda path: read_csv(read_gzip(path)),
    ".parquet": read_parquet,
}

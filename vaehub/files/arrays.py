"""Arrays from .npy and .npz files: nothing is unpickled, and a header's shape is judged before memory is taken for it."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from vaehub.errors import UsageError
from vaehub.files.guard import MAX_BYTES, guarded, most_unpacked, regular_file, too_large_unpacked

Array: TypeAlias = NDArray[Any]
Header: TypeAlias = tuple[tuple[int, ...], bool, np.dtype[Any]]
HEADERS: dict[tuple[int, int], Callable[[IO[bytes]], Header]] = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
}


def read_npy(path: Path | str, limit: int = MAX_BYTES) -> Array:
    """The array of an .npy file.

    Arguments:
        path: of the file.
        limit: most bytes of the file.

    Raises:
        UsageError: no such file, damaged, too large, or Python objects in it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/x.npy", np.arange(3))
    ...     read_npy(f"{folder}/x.npy").tolist()
    [0, 1, 2]
    """
    path = regular_file(path, limit)
    with guarded(path), path.open("rb") as file:
        require_whole(file, path.stat().st_size)
        file.seek(0)
        array: Array = npy.read_array(file, allow_pickle=False)
        return array


def write_array(x: Array, path: Path | str) -> None:
    """An array to a .npy file, or as `x` to a .npz file, in any case of the suffix, to which numpy would add its own.

    Arguments:
        x: any array.
        path: of the file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_array(np.arange(3), f"{folder}/X.NPY")
    ...     read_npy(f"{folder}/X.NPY").tolist()
    [0, 1, 2]
    """
    with Path(path).open("wb") as file:
        if Path(path).suffix.lower() == ".npy":
            np.save(file, x)
        else:
            np.savez_compressed(file, x=x)


@contextmanager
def opened_npz(path: Path | str, limit: int = MAX_BYTES) -> Iterator[np.lib.npyio.NpzFile]:
    """An .npz file as a mapping of arrays, each read when it is asked for; what fails inside names the file.

    Arguments:
        path: of the file.
        limit: most bytes, unpacked; of a small file no more are unpacked than `most_unpacked` allows.

    Raises:
        UsageError: no such file, damaged, Python objects in it, or it unpacks to more.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/x.npz", a=np.arange(3))
    ...     with opened_npz(f"{folder}/x.npz") as arrays:
    ...         arrays["a"].tolist()
    [0, 1, 2]
    """
    path = regular_file(path, limit)
    with guarded(path):
        judge_npz(path, limit)
        with np.load(path, allow_pickle=False) as arrays:
            yield arrays


def judge_npz(path: Path, limit: int = MAX_BYTES) -> None:
    """Refuse an .npz that promises more than it may hold, judged by its directory and its arrays' headers before memory is taken.

    Arguments:
        path: of the file.
        limit: most bytes, unpacked.

    Raises:
        UsageError: it unpacks to more, or holds Python objects.
        ValueError: a header promises what does not lie behind it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/x.npz", a=np.array([None]))
    ...     judge_npz(Path(f"{folder}/x.npz"))
    Traceback (most recent call last):
    vaehub.errors.UsageError: holds Python objects, which are not read; store numbers
    """
    most = most_unpacked(path, limit)
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > most:
            raise too_large_unpacked(path, most)
        for member in archive.infolist():
            with archive.open(member) as file:
                require_whole(file, member.file_size)


def require_whole(file: IO[bytes], size: int) -> None:
    """Raise ValueError where the header of an .npy of `size` bytes promises what does not lie behind it, UsageError for objects."""
    version = npy.read_magic(file)
    if version not in HEADERS:
        raise ValueError(f"version {version} of the npy format")
    shape, _, dtype = HEADERS[version](file)
    if dtype.hasobject:
        raise UsageError("holds Python objects, which are not read; store numbers")
    promised, there = math.prod(shape) * dtype.itemsize, size - file.tell()
    if min(shape, default=0) < 0 or promised > there:
        raise ValueError(f"its header promises {promised:,} bytes, {there:,} are there")

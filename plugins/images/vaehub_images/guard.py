"""What every reader of this package checks before it takes memory or opens a file that never ends."""

from __future__ import annotations

import stat
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vaehub.errors import UsageError

MAX_BYTES = 8 << 30  # of one unpacked file
MAX_RATIO, FREE_BYTES = 250, 256 << 20  # unpacked to packed, for arrays above FREE_BYTES
BROKEN = (
    *(ValueError, EOFError, KeyError, NotImplementedError, SyntaxError, TypeError),
    *(zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError),  # numpy tokenises the header of an .npy
)


def regular_file(path: Path) -> int:
    """The size in bytes of a regular file, which is not opened: a FIFO would block. Raises UsageError for anything else."""
    try:
        found = path.stat()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; check the path and its permissions") from error
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{path}: not a regular file; give a file on disk")
    return found.st_size


def check_unpacked(path: Path, packed: int, unpacked: int) -> None:
    """Raise UsageError where `packed` bytes promise to become unreasonably many."""
    if unpacked > MAX_BYTES:
        raise UsageError(f"{path}: unpacks to {unpacked:,} bytes, more than {MAX_BYTES:,}; split it")
    if unpacked > max(FREE_BYTES, MAX_RATIO * packed):
        raise UsageError(f"{path}: {packed:,} bytes that unpack to {unpacked:,}: refused as a bomb; store the array as .npy")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """What may go wrong while a file is read, as a UsageError that names it."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; check the path and its permissions") from error
    except MemoryError as error:
        raise UsageError(f"{path}: does not fit into memory; split it") from error
    except BROKEN as error:
        raise UsageError(f"{path}: damaged or not what its suffix says ({error})") from error

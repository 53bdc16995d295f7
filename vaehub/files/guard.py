"""One guard for every reader: which files are read, how much of them, and one line for whatever is wrong with one."""

from __future__ import annotations

import gzip
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vaehub.errors import UsageError
from vaehub.hints import reason

MAX_BYTES = 8 << 30  # of one file, unpacked, where its reader sets no limit of its own
MAX_RATIO, FREE_BYTES = 250, 256 << 20  # unpacked to packed, for files that unpack to more than FREE_BYTES
LONGEST_REASON = 200  # characters of another library's message that are repeated

KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def regular_file(path: Path | str, limit: int = MAX_BYTES) -> Path:
    """The path of an ordinary file that is not too large; a link to one is one.

    Opening a pipe would block and a device never ends, so this is asked before a file is opened.

    Arguments:
        path: of the file.
        limit: most bytes.

    Raises:
        UsageError: there is no such file, it is a folder, a pipe or a device, or it is too large.

    >>> regular_file("/dev/null")
    Traceback (most recent call last):
    vaehub.errors.UsageError: /dev/null: is a device, not a file; copy what it holds to a file and give that
    """
    path = Path(path)
    with guarded(path):
        found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise UsageError(f"{path}: is a folder; give a file")
    if not stat.S_ISREG(found.st_mode):
        kind = KINDS.get(stat.S_IFMT(found.st_mode), "special")
        raise UsageError(f"{path}: is {kind}, not a file; copy what it holds to a file and give that")
    if found.st_size > limit:
        raise UsageError(f"{path}: {found.st_size:,} bytes, more than the {limit:,} that are read; split it")
    return path


def read_bytes(path: Path | str, limit: int = MAX_BYTES) -> bytes:
    """All bytes of an ordinary file.

    Arguments:
        path: of the file.
        limit: most bytes.

    Raises:
        UsageError: as `regular_file` does, or it cannot be read.

    >>> read_bytes(__file__)[3:10]
    b'One gua'
    """
    path = regular_file(path, limit)
    with guarded(path):
        return path.read_bytes()


def read_gzip(path: Path | str, limit: int = MAX_BYTES) -> bytes:
    """The unpacked bytes of a .gz file.

    Arguments:
        path: of the file.
        limit: most bytes, unpacked; of a small file no more are unpacked than `most_unpacked` allows.

    Raises:
        UsageError: there is no such file, it is damaged, or it unpacks to more.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with gzip.open(f"{folder}/x.gz", "wb") as file:
    ...         _ = file.write(b"abc")
    ...     read_gzip(f"{folder}/x.gz")
    b'abc'
    """
    path = regular_file(path, limit)
    most = most_unpacked(path, limit)
    with guarded(path), gzip.open(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise too_large_unpacked(path, most)
    return content


def most_in_memory(limit: int = MAX_BYTES) -> int:
    """How many bytes a table or an array may take once it is read: `limit`, and no more than half of what is free.

    Half, since turning a table into numbers takes it twice for a moment. Where the system does not say what is free, `limit`.
    """
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        free = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return limit
    return min(limit, free // 2)


def most_unpacked(path: Path, limit: int = MAX_BYTES) -> int:
    """How many bytes a packed file may unpack to: `limit`, and beyond FREE_BYTES no more than MAX_RATIO times its size.

    Arguments:
        path: of the packed file.
        limit: most bytes in any case.
    """
    return min(limit, max(FREE_BYTES, MAX_RATIO * path.stat().st_size))


def too_large_unpacked(path: Path, most: int) -> UsageError:
    """The error for a packed file that unpacks to too much.

    Arguments:
        path: of the packed file.
        most: bytes that it may unpack to.
    """
    return UsageError(f"{path}: {path.stat().st_size:,} bytes that unpack to more than {most:,}; unpack or split it yourself")


@contextmanager
def guarded(path: Path | str, remedy: str = "use another copy") -> Iterator[None]:
    """Whatever fails inside, while a file is read or what it holds is taken up, becomes one UsageError that names the file.

    No reader lists the exceptions of the libraries behind it, so none misses one.

    Arguments:
        path: of the file.
        remedy: what to do about a damaged file, for the message.

    Raises:
        UsageError: something inside the block failed.

    >>> with guarded("model.bin", "train again"):
    ...     int("x")
    Traceback (most recent call last):
    vaehub.errors.UsageError: model.bin: damaged (ValueError: invalid literal for int() with base 10: 'x'); train again
    """
    try:
        yield
    except UsageError as error:
        raise error if str(error).startswith(str(path)) else UsageError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file; check the path") from error
    except MemoryError as error:
        raise UsageError(f"{path}: does not fit into the memory of this machine; give a smaller file") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise UsageError(f"{path}: {error.strerror or error}; check the path and its permissions") from error
        raise UsageError(f"{path}: damaged ({shortened(reason(error))}); {remedy}") from error


def shortened(text: str) -> str:
    """A message of another library, cut to a length that a line holds.

    Arguments:
        text: the message.

    >>> shortened("out of range")
    'out of range'
    """
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}…"

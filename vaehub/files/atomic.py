"""Files and folders that survive a crash: written whole or not at all.

What is being written stands beside its target as `.NAME.xxxxxxxx.part` and is locked; the next write of the same target removes
what a killed process left behind, which is what nobody holds the lock of.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
import secrets
import shutil
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from vaehub.errors import UsageError

RENAME_EXCHANGE = 2  # of Linux's renameat2
AT_FDCWD = -100
TEMPORARY = re.compile(r"(^|/)\.[^/]+\.[0-9a-f]{8}\.part(/|$)")


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that becomes `path` when all went well; else what stood there before is kept.

    A temporary file in the same folder, fsync, rename, fsync of the folder.

    Arguments:
        path: of the file.

    Raises:
        OSError: it cannot be written; it names the file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_file(Path(folder, "x")) as file:
    ...         _ = file.write(b"abc")
    ...         os.listdir(folder) == ["x"], len(os.listdir(folder))
    ...     os.listdir(folder)
    (False, 1)
    ['x']
    """
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_parts(path)
        handle, temp = new_part(path)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
                os.replace(temp, path)
        except BaseException:
            temp.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def atomic_write(path: Path, content: bytes) -> None:
    """Write all of the content or nothing.

    Arguments:
        path: of the file; its folder is made.
        content: its bytes.

    Raises:
        OSError: it cannot be written; it names the file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     atomic_write(Path(folder, "new", "x"), b"abc")
    ...     Path(folder, "new", "x").read_bytes()
    b'abc'
    """
    with atomic_file(path) as file:
        file.write(content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path of the same name, for writers that want one, that becomes `path` when all is written. Errors speak of `path`.

    Arguments:
        path: of the file.

    Raises:
        OSError: it cannot be written; it names the file.
        UsageError: as the writer raised it.
    """
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with part_folder(path) as part:
            temporary = part / path.name
            try:
                yield temporary
            except UsageError as error:
                raise UsageError(str(error).replace(str(temporary), str(path))) from error
            sync_tree(temporary)
            os.replace(temporary, path)
        sync_folder(path.parent)


@contextmanager
def atomic_folder(path: Path, names: Collection[str]) -> Iterator[Path]:
    """A folder to write in that becomes `path` as a whole, in place of an earlier one of its kind.

    Arguments:
        path: of the folder.
        names: patterns of the files that such a folder holds.

    Raises:
        UsageError: `path` holds anything else, and nothing was deleted.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_folder(Path(folder, "model"), ["*.json"]) as part:
    ...         _ = (part / "a.json").write_text("{}")
    ...     os.listdir(f"{folder}/model")
    ['a.json']
    """
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        restore_folder(path)
        require_only(path, names)
        with part_folder(path) as part:
            yield part
            sync_tree(part)
            require_only(path, names)
            swap(part, path)
        sync_folder(path.parent)


def require_only(path: Path, names: Collection[str]) -> None:
    """Raise UsageError unless `path` is free, or a folder of nothing but files of these names."""
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise UsageError(f"{path}: is no folder; choose another path")
    others = sorted(
        entry.name
        for entry in (os.scandir(path) if path.exists() else ())
        if not entry.is_file(follow_symlinks=False) or not any(fnmatchcase(entry.name, name) for name in names)
    )
    if others:
        raise UsageError(f"{path}: holds {others[0]}, which would be deleted and is not vaehub's; choose another path")


def swap(part: Path, path: Path) -> None:
    """Put the folder `part` at `path`; what was at `path` is at `part` afterwards, or gone."""
    if not path.exists():
        os.rename(part, path)
    elif not exchange(part, path):
        old = path.with_name(f".{path.name}.{secrets.token_hex(4)}.old")
        os.rename(path, old)
        os.rename(part, path)
        shutil.rmtree(old)


def exchange(a: Path, b: Path) -> bool:
    """Swap two names in one step; False where the system cannot."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    failed: int = renameat2(AT_FDCWD, os.fsencode(a), AT_FDCWD, os.fsencode(b), RENAME_EXCHANGE)
    return not failed


def restore_folder(path: Path) -> None:
    """Undo a swap in two steps that a killed process left between them. Readers of such folders call it first.

    Arguments:
        path: of a folder that `atomic_folder` writes.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.mkdir(f"{folder}/.model.0123abcd.old")
    ...     restore_folder(Path(folder, "model"))
    ...     os.listdir(folder)
    ['model']
    """
    pattern = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.old")
    if path.parent.is_dir() and not path.exists():
        for name in os.listdir(path.parent):
            if pattern.fullmatch(name):
                os.rename(path.parent / name, path)
                return


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """An OSError inside the block names `path`, also where the writer knew only of a temporary file, or gave no error number."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno is None:  # numpy's, for a short write
            raise OSError(errno.EIO, f"could not be written ({error})", str(path)) from error
        if error.filename is None or TEMPORARY.search(str(error.filename)):
            error.filename, error.filename2 = str(path), None
        raise


def new_part(path: Path) -> tuple[int, Path]:
    """A new locked file beside `path`: (handle, path). Its mode follows the umask."""
    while True:
        part = part_of(path)
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with suppress(OSError):  # where the file system knows no locks, left-overs stay
            lock(handle)
        if os.fstat(handle).st_nlink:  # else another process took it for a left-over before it was locked
            return handle, part
        os.close(handle)


@contextmanager
def part_folder(path: Path) -> Iterator[Path]:
    """A new locked folder beside `path` that is deleted with all that is still in it."""
    remove_parts(path)
    part = part_of(path)
    part.mkdir()
    try:
        handle = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with suppress(OSError):
                lock(handle)
            yield part
        finally:
            os.close(handle)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def part_of(path: Path) -> Path:
    """A free name beside `path`."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


def lock(handle: int) -> bool:
    """Lock an open file; False where another process has. The lock ends with the process, however it ends.

    Raises OSError where the file system knows no locks.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def remove_parts(path: Path) -> None:
    """Delete what a killed process left of a write to `path`: `.NAME.????????.part` beside it that no process holds."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-z_]{{8}}\.part")
    with suppress(FileNotFoundError, NotADirectoryError):
        for name in os.listdir(path.parent):
            if pattern.fullmatch(name):
                remove_abandoned(path.with_name(name))


def remove_abandoned(part: Path) -> None:
    """Delete a file or folder unless a process holds its lock, or it is of another sort."""
    try:
        handle = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    try:
        mode = os.fstat(handle).st_mode
        with suppress(OSError):
            if stat.S_ISDIR(mode) and lock(handle):
                shutil.rmtree(part)
            elif stat.S_ISREG(mode) and lock(handle):
                part.unlink()
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder durable.

    Arguments:
        folder: its path.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(path: Path) -> None:
    """Make a file, or a folder with all that is in it, durable."""
    for folder, _, names in os.walk(path):
        for name in names:
            sync_folder(Path(folder, name))
        sync_folder(Path(folder))
    if path.is_file():
        sync_folder(path)

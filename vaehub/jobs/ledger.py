"""A job on disk, line by line, so that one that was stopped or killed goes on and repeats nothing."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import warnings
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import final

from vaehub.base import Json
from vaehub.errors import UsageError
from vaehub.files.atomic import sync_folder

MAX_BYTES = 2**31
REMEDY = "go on with the same options, or give another output folder"
BEGINNING = b'{"format": '  # of a line that says what the job is
DAMAGE = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)


@final
class Ledger(AbstractContextManager["Ledger"]):
    """Lines of JSON: first what the job is, then an entry for each thing done. Without a path nothing is kept.

    A line is written whole or not at all, also where the disk is full. On opening, a half last line is cut off; a damaged line in the
    middle is left out with a warning, so it costs what it said and nothing else.

    Arguments:
        path: of the file; None keeps nothing.
        form: name and version of the format.
        identity: the options that decide the result, by name: a job that goes on must have the same.
        take: is given every earlier entry in order. What it raises marks the line as damaged.
        growing: names of options that may be larger than before.

    Raises:
        UsageError: the file is of another job, has no first line, or another process writes to it.
        OSError: it cannot be written; it names the file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path, before = Path(folder, "job.jsonl"), []
    ...     with Ledger(path, "example/1", {"seed": 0}, before.append) as ledger:
    ...         ledger.add({"n": 1})
    ...     with Ledger(path, "example/1", {"seed": 0}, before.append):
    ...         before
    [{'n': 1}]
    """

    def __init__(
        self, path: Path | None, form: str, identity: Json, take: Callable[[Json], None], growing: Collection[str] = ()
    ) -> None:
        self.path, self.form, self.growing = path, form, growing
        self.identity: Json = json.loads(json.dumps(identity))
        self._handle, self._size = -1, 0
        if path is not None:
            if path.exists() and not path.is_file():
                raise UsageError(f"{path}: is no file; give another output folder")
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
            try:
                self._open(path, take)
            except BaseException:
                os.close(self._handle)
                raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.path is not None:
            os.close(self._handle)
            self.path = None

    def add(self, entry: Json) -> None:
        """Write one entry. Raises OSError that names the file; what was written before stays readable."""
        if self.path is None:
            return
        line = json.dumps(entry).encode() + b"\n"
        try:
            left = line
            while left:
                left = left[os.write(self._handle, left) :]
        except OSError as error:
            raise OSError(error.errno, os.strerror(error.errno or errno.EIO), str(self.path)) from error
        finally:
            if os.fstat(self._handle).st_size == self._size + len(line):
                self._size += len(line)
            else:
                os.ftruncate(self._handle, self._size)

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        if self.path is not None:
            os.fsync(self._handle)

    def _open(self, path: Path, take: Callable[[Json], None]) -> None:
        """Read what is there, and append from then on."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"{path}: another process is at this job; wait for its end, or give another output folder") from None
        if (size := os.fstat(self._handle).st_size) > MAX_BYTES:
            raise UsageError(f"{path}: {size:,} bytes are more than a job may have ({MAX_BYTES:,}); {REMEDY}")
        content = path.read_bytes()
        self._size = content.rfind(b"\n") + 1
        lines = content[: self._size].splitlines()
        if lines:
            before = self._read(lines, take)
            os.ftruncate(self._handle, self._size)
            if before == self.identity:
                return
        elif not BEGINNING.startswith(content[: len(BEGINNING)]):
            raise UsageError(f"{path}:1: damaged, or no job of vaehub; give another output folder")
        else:
            os.ftruncate(self._handle, 0)
        self.add({"format": self.form, "identity": self.identity})
        self.sync()
        sync_folder(path.parent)

    def _read(self, lines: list[bytes], take: Callable[[Json], None]) -> Json:
        """What the job was, checked, after all entries were taken."""
        before = self._identity_in(lines)
        require_same(f"{self.path}", before, self.identity, REMEDY, self.growing)
        damaged = []
        for number, line in enumerate(lines[1:], start=2):
            try:
                entry = json.loads(line)
                if "identity" not in entry:
                    take(entry)
            except DAMAGE as error:
                damaged.append(f"line {number} ({error!r})")
        if damaged:
            text = f"{self.path}: left out {len(damaged)} damaged lines: {', '.join(damaged[:3])}{', …' if damaged[3:] else ''}"
            warnings.warn(text, UserWarning, stacklevel=2)
        return before

    def _identity_in(self, lines: list[bytes]) -> Json:
        """The latest of the file: a job that grew has several."""
        found = []
        for line in lines:
            if line.startswith(BEGINNING):
                with suppress(*DAMAGE):
                    header = json.loads(line)
                    found.append((header["format"], dict(header["identity"])))
        if not found or not lines[0].startswith(BEGINNING):
            raise UsageError(f"{self.path}:1: damaged, or no job of vaehub; give another output folder")
        form, identity = found[-1]
        if form != self.form:
            raise UsageError(f"{self.path}: is no job of this version ({self.form}); {REMEDY}")
        return identity


def require_same(where: str, before: Json, now: Json, remedy: str, growing: Collection[str] = ()) -> None:
    """Raise UsageError that names the first option in which two jobs differ; those in `growing` may be larger than before."""
    for name in sorted(before | now):
        was, wanted = before.get(name), now.get(name)
        if was != wanted and not (name in growing and was is not None and wanted is not None and wanted > was):
            rule = f" ({name} may be larger than before, not smaller)" if name in growing else ""
            raise UsageError(f"{where}: was made with {name}={was!r}, now {wanted!r}{rule}; {remedy}")

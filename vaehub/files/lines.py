"""Files that grow line by line and survive a kill and a full disk: journals."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

from vaehub.errors import UsageError
from vaehub.files.atomic import lock, naming, sync_folder

T = TypeVar("T")


class LineWriter(AbstractContextManager["LineWriter"]):
    """Appends whole lines to a file: a line stands there whole or, where that fails, not at all.

    One process at a time. A last line that was never finished is cut off at the start. Raises UsageError where another process
    writes to the file, and OSError that names it.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "log"
    >>> with LineWriter(path) as log:
    ...     log.append("one")
    >>> path.read_text()
    'one\\n'
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            new = not path.exists()
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            if not lock(self._file):
                os.close(self._file)
                raise UsageError(f"{path}: another process writes to it; wait for its end, or choose another file")
            self._size = whole_lines(path)
            os.ftruncate(self._file, self._size)
            if new:
                sync_folder(path.parent)

    def append(self, line: str) -> None:
        """Write one line, which must hold no line break."""
        content = memoryview(line.encode() + b"\n")
        with naming(self.path):
            try:
                done = 0
                while done < len(content):
                    done += os.pwrite(self._file, content[done:], self._size + done)
            except BaseException:
                os.ftruncate(self._file, self._size)
                raise
        self._size += len(content)

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        with naming(self.path):
            os.fsync(self._file)

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


def whole_lines(path: Path) -> int:
    """Number of bytes up to the end of the last whole line."""
    block, end = 1 << 16, path.stat().st_size
    with path.open("rb") as file:
        while end > 0:
            start = max(0, end - block)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0


def read_lines(path: Path, parse: Callable[[str], T]) -> Iterator[tuple[int, T]]:
    """(number counted from 1, value) of every whole line; a last line that was never finished is left out.

    `parse` turns a line into a value. A line that it refuses by ValueError, TypeError, LookupError, AttributeError or RecursionError
    is damaged: it is left out with a warning, and costs no other line.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                value = parse(line.decode().rstrip("\n"))
            except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
                warnings.warn(f"{path}:{number}: damaged; this line is left out", stacklevel=2)
                continue
            yield number, value

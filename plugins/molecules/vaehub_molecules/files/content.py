"""The bytes of a file, unpacked and no more than fits; whatever goes wrong is told in one line that names it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from vaehub.errors import UsageError
from vaehub.hints import reason

MAX_BYTES = 1 << 30  # of a file, unpacked: some twenty million SMILES


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """What fails inside, as a UsageError that names the file."""
    try:
        yield
    except (pa.ArrowException, csv.Error, OSError, EOFError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({reason(error)}); mend it or write it anew") from error


def content(path: Path) -> bytes:
    """All bytes of a file, unpacked where it is a .gz. Raises ValueError where there are too many."""
    with pa.input_stream(str(path), compression="gzip" if path.name.lower().endswith(".gz") else None) as file:
        found: bytes = file.read(MAX_BYTES + 1)
    if len(found) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes; split the file")
    return found


def text(path: Path) -> str:
    """The text of a file; what is no UTF-8 becomes the mark that stands for it."""
    return content(path).decode("utf-8-sig", "replace")


def lines(path: Path) -> list[str]:
    """The lines of a file, however they end."""
    return [line.removesuffix("\r") for line in text(path).split("\n")]

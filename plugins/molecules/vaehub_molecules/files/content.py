"""The bytes of a file, unpacked and no more than fits."""

from __future__ import annotations

from pathlib import Path

from vaehub.files.guard import read_bytes, read_gzip

MAX_BYTES = 1 << 30  # of a file, unpacked: some twenty million SMILES


def content(path: Path) -> bytes:
    """All bytes of a file, unpacked where it is a .gz. Raises UsageError where there are too many."""
    return read_gzip(path, MAX_BYTES) if path.name.lower().endswith(".gz") else read_bytes(path, MAX_BYTES)


def text(path: Path) -> str:
    """The text of a file; what is no UTF-8 becomes the mark that stands for it."""
    return content(path).decode("utf-8-sig", "replace")


def lines(path: Path) -> list[str]:
    """The lines of a file, however they end."""
    return [line.removesuffix("\r") for line in text(path).split("\n")]

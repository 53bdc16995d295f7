"""Which encoding a text file is in."""

from __future__ import annotations

import codecs
import gzip
from collections.abc import Iterator
from pathlib import Path

from vaehub import UsageError, files

CHUNK = 1 << 20
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
HEAD = 1000  # bytes in which every other one is 0 where the text is UTF-16


def find_encoding(source: Path | bytes) -> str:
    r"""The encoding by the byte order mark; else UTF-16 where every other byte is 0, UTF-8 where all is, or Windows-1252.

    >>> find_encoding("a;ä".encode("cp1252")), find_encoding("a;b".encode("utf-16-le")), find_encoding("a;ä".encode())
    ('cp1252', 'utf-16-le', 'utf-8')
    """
    pieces = chunks(source)
    start = next(pieces, b"")
    marked = next((name for mark, name in MARKS if start.startswith(mark)), None)
    if marked is not None:
        return marked
    even, odd = start[0:HEAD:2].count(0), start[1:HEAD:2].count(0)
    half = len(start[:HEAD]) // 2
    if half and max(even, odd) > 0.4 * half and min(even, odd) < 0.1 * half:
        return "utf-16-le" if odd > even else "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(start)
        for piece in pieces:
            decoder.decode(piece)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def with_mark(encoding: str, source: Path | bytes) -> str:
    """An encoding that the user names, as that with a byte order mark where the text has one."""
    start, name = next(chunks(source), b""), codecs.lookup(encoding).name
    return next(
        (marked for mark, marked in MARKS if start.startswith(mark) and name.split("-")[:2] == marked.split("-")[:2]), encoding
    )


def chunks(source: Path | bytes) -> Iterator[bytes]:
    """The bytes of a text, unpacked where the name of the file ends in .gz."""
    if isinstance(source, bytes):
        yield source
        return
    files.regular_file(source)
    with files.guarded(source), gzip.open(source) if source.name.lower().endswith(".gz") else source.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece


def checked_encoding(name: str) -> str:
    """The name of an encoding of text. Raises UsageError for what is none."""
    try:
        holds_text = "é;1".encode(name).decode(name) == "é;1"
    except (LookupError, UnicodeError):
        holds_text = False
    if not holds_text:
        raise UsageError(f"encoding={name!r} (--encoding): no such encoding; give one such as utf-8, utf-16, cp1252 or latin-1")
    return codecs.lookup(name).name

"""Text files as UTF-8, whatever they are written in and however large they are."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, final

from vaehub.files.guard import guarded, most_unpacked, regular_file, too_large_unpacked
from vaehub.files.tables.names import is_packed

CHUNK = 1 << 20  # bytes that are decoded at once
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
SPACES = re.compile(rb'("[^"\n]*")|[ \t]+')
EDGES = re.compile(rb"^[ \t]+|[ \t]+(?=\r?$)", re.MULTILINE)
FALLBACK = "cp1252"  # Latin-1 with the quotes and the euro sign that Windows puts where Latin-1 has control characters


def open_text(path: Path, limit: int, encoding: str | None = None) -> io.BufferedReader:
    """The text of a file as UTF-8 bytes without a byte order mark, its last line ended.

    Arguments: path: a text file, unpacked if its name ends in .gz; limit: most bytes, unpacked; encoding: found out, if not given.
    Raises, also while it is read: UsageError for a file that is none or too large, ValueError for bytes that are no text.
    """
    regular_file(path, limit)
    return io.BufferedReader(Chunks(utf8(path, limit, encoding)), CHUNK)


def read_lines(path: Path, limit: int) -> Iterator[str]:
    r"""The lines of a text file, whatever it is written in and however they end.

    Arguments:
        path: of the file, which is unpacked if its name ends in .gz.
        limit: most bytes, unpacked.

    Raises:
        UsageError: no such file, too large, damaged, or no text.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "x.txt").write_bytes("é\r\nb".encode("utf-16"))
    ...     list(read_lines(Path(folder, "x.txt"), 100))
    ['é', 'b']
    """
    with guarded(path, "save it as UTF-8 text"), open_text(path, limit) as file:
        for line in io.TextIOWrapper(file, "utf-8"):
            yield line.removesuffix("\n")


def utf8(path: Path, limit: int, encoding: str | None = None) -> Iterator[bytes]:
    """The pieces of a text file in UTF-8."""
    most = most_unpacked(path, limit) if is_packed(path) else limit
    size, end = 0, b"\n"
    with gzip.open(path) if is_packed(path) else path.open("rb") as file:
        chunk = file.read(CHUNK)
        decoder = Decoder(path, chunk, encoding)
        while chunk:
            size += len(chunk)
            if size > most:
                raise too_large_unpacked(path, most)
            following = file.read(CHUNK)
            text = decoder.to_utf8(chunk, last=not following)
            if b"\0" in text:
                raise ValueError("holds NUL bytes, so it is no text; save it as UTF-8")
            yield text
            chunk, end = following, text[-1:] or end
    if end not in b"\r\n":
        yield b"\n"


@final
class Decoder:
    """Pieces of a file to UTF-8: by its byte order mark, else UTF-8, and where its first character beyond ASCII is none, Windows-1252."""

    def __init__(self, path: Path, start: bytes, encoding: str | None = None) -> None:
        encoding = encoding or next((name for mark, name in MARKS if start.startswith(mark)), None)
        self._path = path
        self._certain = encoding is not None  # a mark or a character beyond ASCII has shown the encoding
        self._decoder = codecs.getincrementaldecoder(encoding or "utf-8")()

    def to_utf8(self, chunk: bytes, last: bool) -> bytes:
        """One piece; of a character that it cuts in two the first half is kept for the next."""
        if not self._certain and chunk.isascii() and not self._decoder.getstate()[0]:
            return chunk
        try:
            text = self._decoder.decode(chunk, last)
        except UnicodeDecodeError as error:
            before = bytes(error.object[: error.start])
            if self._certain or not before.isascii():
                raise
            self._decoder = codecs.getincrementaldecoder(FALLBACK)()
            try:
                text = self._decoder.decode(bytes(error.object), last)
            except UnicodeDecodeError as other:
                raise ValueError("holds bytes that are neither UTF-8 nor Windows-1252, so it is no text") from other
            if "\0" not in text:
                warnings.warn(f"{self._path}: is not UTF-8, so it is read as Windows-1252 (Latin-1)", UserWarning, stacklevel=2)
        self._certain = self._certain or not text.isascii()
        return text.encode()


def tabbed(lines: bytes) -> bytes:
    """Lines whose cells are parted by runs of spaces, with one tab for each; spaces within quotes stay."""
    return SPACES.sub(lambda found: found[1] or b"\t", EDGES.sub(b"", lines))


def by_lines(file: BinaryIO, change: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """The text with a change made to whole lines, many at a time."""
    left = b""
    while chunk := file.read(CHUNK):
        lines, end, left = (left + chunk).rpartition(b"\n")
        yield change(lines + end)
    yield left


@final
class Chunks(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._left = chunks, b""

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer with what comes next."""
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = chunk
        count = min(len(buffer), len(self._left))
        buffer[:count], self._left = self._left[:count], self._left[count:]
        return count

"""How a text table is written, found from its first rows, so that it is read as it is meant and written back alike."""

from __future__ import annotations

import codecs
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from vaehub import UsageError, files
from vaehub_timeseries.files.cells import decimal_marks, decimal_of
from vaehub_timeseries.files.encodings import checked_encoding, chunks, find_encoding, with_mark
from vaehub_timeseries.files.head import find_head
from vaehub_timeseries.files.spelling import Spelling

HEAD_CHARACTERS = 1 << 20  # of a text that its dialect is found from
SEPARATORS = {",": ",", ";": ";", "|": "|", "\t": "\t", "tab": "\t", "\\t": "\t", " ": " ", "space": " ", "spaces": " "}
SCORE_PLACES = 3
Header = int | Literal["none"] | None


@dataclass(frozen=True)
class Overrides:
    """What the user says of a text table; None: found out.

    Arguments:
        sep: Between cells: ",", ";", "tab", "|" or "space" (any run of spaces).
        decimal: The decimal mark: "." or ",".
        encoding: Such as "utf-8", "utf-16", "cp1252", "latin-1".
        header: The line of names, counted from 1, or "none" where there are none.

    Raises:
        UsageError: one of them is none of these.

    >>> Overrides(sep="tab", header=3).separator
    '\\t'
    """

    sep: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    header: Header = None

    def __post_init__(self) -> None:
        if self.sep is not None and self.sep not in SEPARATORS:
            raise UsageError(f"sep={self.sep!r} (--sep): give one of , ; | tab space")
        if self.decimal not in (None, ".", ","):
            raise UsageError(f"decimal={self.decimal!r} (--decimal): give . or ,")
        if self.encoding is not None:
            checked_encoding(self.encoding)
        if self.header not in (None, "none") and not (isinstance(self.header, int) and self.header >= 1):
            raise UsageError(f"header={self.header!r} (--header): give the number of the line of names, from 1, or none")

    @property
    def separator(self) -> str | None:
        """The character between cells."""
        return None if self.sep is None else SEPARATORS[self.sep]


@dataclass(frozen=True)
class Dialect:
    r"""How a text table is written.

    Arguments:
        encoding: Of the text.
        separator: Between cells; " " is any run of spaces.
        decimal: The decimal mark.
        names: Of the columns.
        above: All text above the first row of data, as it stands: preamble, names, units.
        newline: At the end of lines.
        spellings: How the numbers of a column are written, by its name.
        doubtful: A number with three digits behind its only mark, where nothing shows what the mark is.
        named: Whether there is a line of names; else they count on from 0.

    >>> Dialect.find("Zeit;°C\n1;2,5\n2;3\n".encode("cp1252")).decimal
    ','
    """

    encoding: str = "utf-8"
    separator: str = ","
    decimal: str = "."
    names: tuple[str, ...] = ()
    above: str = ""
    newline: str = "\n"
    spellings: Mapping[str, Spelling] = field(default_factory=dict)
    doubtful: str = ""
    named: bool = True

    @classmethod
    def find(cls, source: bytes | Path | str, overrides: Overrides | None = None) -> Dialect:
        """The dialect of a text table, from its first rows.

        Arguments:
            source: The bytes of the file, or its path (.gz is unpacked).
            overrides: What is known of it.

        Raises:
            UsageError: there is no such file, it is no text, or has no such line.
        """
        given = overrides or Overrides()
        source = Path(source) if isinstance(source, str) else source
        encoding = find_encoding(source) if given.encoding is None else with_mark(given.encoding, source)
        text = head_of(source, encoding)
        head = find_head(lines_of(text), given.separator, given.header)
        marks = decimal_marks(head.number_cells)
        decimal = given.decimal or decimal_of(marks, head.separator)
        shown = marks.points != marks.commas or given.decimal is not None or ("." in marks.doubtful and head.separator != ";")
        newline = "\r\n" if "\r\n" in text else "\n"
        doubtful = "" if shown else marks.doubtful
        return cls(encoding, head.separator, decimal, head.names, head.above, newline, {}, doubtful, head.named)

    @property
    def of_scores(self) -> Dialect:
        """For a table whose columns are called as the readings are, but hold scores."""
        return replace(
            self, spellings=dict.fromkeys(self.spellings, Spelling(SCORE_PLACES, mark=self.decimal)), above="", names=()
        )

    @property
    def as_text(self) -> files.Dialect:
        """As the engine reads tables: from the first row of data on."""
        marks = self.decimal + ("," if self.decimal == "." else ".") * (self.separator != ",")
        lines = len(lines_of(self.above))
        return files.Dialect(list(self.names), self.separator, marks, len(self.above.encode()), lines, False, self.encoding)


def head_of(source: Path | bytes, encoding: str) -> str:
    """The first whole lines of a text, without its byte order mark. Raises UsageError where it is not in this encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    text, whole = "", True
    remedy = f"it is not {encoding}: give its encoding= (--encoding), such as utf-8, cp1252 or latin-1"
    with files.guarded("the text" if isinstance(source, bytes) else source, remedy):
        for piece in chunks(source):
            if len(text) >= HEAD_CHARACTERS:
                whole = False
                break
            text += decoder.decode(piece)
        text += decoder.decode(b"", True) if whole else ""
        if not whole and "\n" not in text:
            raise UsageError(
                f"its first line does not end within {HEAD_CHARACTERS:,} characters; give a table with fewer columns"
            )
    return text if whole else text[: text.rfind("\n") + 1]


def lines_of(text: str) -> list[str]:
    """Lines with their ends, which may be those of any system."""
    return io.StringIO(text, newline="").readlines()

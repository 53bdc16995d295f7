"""How a text table is written: what parts its cells, what its columns are called, which mark its decimals have."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import BinaryIO, NamedTuple, TypeAlias

from vaehub.errors import UsageError

SEPARATORS = ",;\t|"  # the likeliest first
UNIT = "\x1f"  # stands in a text for a separator of several characters
HEAD = 1 << 20  # bytes that a dialect is judged by; the line of names is shorter
SAMPLE = 300  # rows that a dialect is judged by
MAX_COLUMNS = 50_000
DECLARED = re.compile(r"(?:[ \t]*\r?\n|\r)*(?:sep=(.)(?:\r\n|\r|\n))?(?:\r?\n|\r)*")  # blank lines, and the sep=; of Excel
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
POINT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")
COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")  # 12,500 is 12.5 or 12500: no evidence

IsRow: TypeAlias = Callable[[Sequence[Sequence[str]]], bool]
Row = tuple[int, list[str]]  # the number of its line in the file, from 1, and its cells


class Dialect(NamedTuple):
    """How a text table is written.

    Arguments:
        names: of the columns.
        separator: between cells, one character or several; " " is any run of spaces.
        decimals: the marks that numbers may have, the likelier first.
        skip: bytes before the names, which are `lines` lines.
        lines: before the names.
        named: whether the first line after those holds the names, else it is a row.
        encoding: of the text; found out, if None.

    >>> Dialect(["a", "b"], ";", ",.", 0, 0).separator
    ';'
    """

    names: list[str]
    separator: str
    decimals: str
    skip: int
    lines: int
    named: bool = True
    encoding: str | None = None


def dialect_of(
    file: BinaryIO, nameless: bool = False, separators: Sequence[str] = SEPARATORS, is_row: IsRow | None = None
) -> Dialect:
    """The dialect of a text table, judged by its first rows; no names where the file is empty.

    `nameless`: it may have no line of names; `separators`: those to choose from; `is_row`: whether the first of some rows holds no names, by
    default where all in it are numbers.
    Raises: UsageError for a first line that holds numbers instead of names; ValueError for one that does not end.

    >>> dialect_of(io.BytesIO(b"when;degrees\\n1;2,5\\n2;3\\n"))
    Dialect(names=['when', 'degrees'], separator=';', decimals=',.', skip=0, lines=0, named=True, encoding=None)
    """
    head = file.read(HEAD)
    cut = len(head) == HEAD
    text = head.decode("utf-8", "ignore" if cut else "strict")
    start = DECLARED.match(text)
    before = start[0] if start else ""
    body = text[len(before) :]
    declared = start[1] if start else None
    separator, rows = sniffed(body, declared or separators, cut)
    names = [name if name.strip() else f"Unnamed: {at}" for at, name in enumerate(rows[0])] if rows else []
    require_width(names)
    named = not (are_numbers(names) if is_row is None else is_row(rows))
    if not named and not nameless:
        raise UsageError(
            f"its first line holds numbers ({', '.join(map(str.strip, names[:3]))}{', …' if len(names) > 3 else ''}) and no names; "
            "put a line with a name for each column before it"
        )
    lines = len(io.StringIO(before, newline="").readlines())
    marks = decimals(rows[1:] if named else rows, separator)
    return Dialect(
        names if named else [str(at) for at in range(len(names))], separator, marks, len(before.encode()), lines, named
    )


def sniffed(text: str, separators: Sequence[str], cut: bool) -> tuple[str, list[list[str]]]:
    """The separator with which most rows are as wide as the first, and the rows that it makes."""
    tried = {separator: sample(text, separator, cut) for separator in separators}

    def fit(separator: str) -> tuple[float, int]:
        rows = tried[separator]
        width = len(rows[0]) if rows else 0
        return (sum(len(row) == width for row in rows) / len(rows) if width > 1 else 0.0, width)

    best = max(tried, key=fit)
    return best, tried[best]


def sample(text: str, separator: str, cut: bool) -> list[list[str]]:
    """The first rows of a text that may be cut off in its last one. Raises ValueError where the first does not end."""
    rows: list[list[str]] = []
    torn = cut
    try:
        text, mark = with_one_mark(text, separator)
        rows += (cells for _, cells in islice(rows_of(io.StringIO(text, newline=""), mark), SAMPLE + 1))
    except csv.Error:  # a cell is too long, perhaps only with this separator
        torn = False
    if torn and len(rows) <= SAMPLE:
        rows.pop()
    if cut and not rows:
        raise ValueError(f"its first line does not end within {HEAD:,} bytes; give a table with fewer columns")
    return rows[:SAMPLE]


def with_one_mark(text: str, separator: str) -> tuple[str, str]:
    """The text with a single character between its cells, and that character."""
    if separator == " ":
        return "\n".join(UNIT.join(line.split()) for line in text.splitlines()), UNIT
    return (text.replace(separator, UNIT), UNIT) if len(separator) > 1 else (text, separator)


def rows_of(file: Iterator[str], separator: str, strict: bool = False) -> Iterator[Row]:
    """Every row that is not blank, with the number of the line on which it ends, counted from 1."""
    reader = csv.reader(file, delimiter=separator, strict=strict)
    return ((reader.line_num, cells) for cells in reader if cells)


def decimals(rows: Sequence[Sequence[str]], separator: str) -> str:
    """The decimal marks, the likelier first, by all numbers of a sample; the comma only where it does not part cells."""
    if separator == ",":
        return "."
    cells = [cell.strip() for row in rows for cell in row]
    points = sum(POINT.fullmatch(cell) is not None for cell in cells)
    commas = sum(COMMA.fullmatch(cell) is not None and not THOUSANDS.fullmatch(cell) for cell in cells)
    return ",." if commas > points or (commas == points and separator == ";") else ".,"


def require_width(names: Sequence[str]) -> None:
    """Raise UsageError where there are more columns than a table may have."""
    if len(names) > MAX_COLUMNS:
        raise UsageError(f"{len(names):,} columns, more than {MAX_COLUMNS:,}; split the table")


def are_numbers(names: Sequence[str]) -> bool:
    """Whether the first line holds a row of numbers instead of names."""
    numbers = [name for name in names if name.strip().lower() != "nan"]
    return bool(numbers) and all(NUMBER.fullmatch(name.strip()) for name in numbers) and not counted(names)


def starts_with_row(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first of the rows is one like the others: all numbers, or a number in a column in which the others have numbers."""
    if not rows or (len(rows[0]) > 1 and counted(rows[0])):
        return False
    if len(rows) == 1:
        return are_numbers(rows[0])
    columns = zip(*(row for row in rows if len(row) == len(rows[0])), strict=True)
    return any(all(NUMBER.fullmatch(cell.strip()) for cell in column) for column in columns)


def counted(names: Sequence[str]) -> bool:
    """Whether names count on by one, as those of an array do (0, 1, 2), or of years (2001, 2002, 2003)."""
    if not all(name.isdecimal() for name in names):
        return False
    first = int(names[0])
    return (first == 0 or len(names) > 2) and [int(name) for name in names] == list(range(first, first + len(names)))

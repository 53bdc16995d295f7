"""Where the rows of data begin in a text table, what parts its cells and what its columns are called."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from vaehub import UsageError
from vaehub_timeseries.files.cells import BLANK, FIRST_YEAR, LAST_YEAR, counts_on, is_date, is_number, is_unit

SAMPLE = 400  # rows that a table is judged by
ENOUGH = (40, 20_000)  # rows and cells, for wide tables
HARD = ",;\t|"  # separators, the likeliest first; runs of spaces only where none of these parts the cells
SAME_WIDTH = 0.9  # share of the rows from the first of data on that are as wide as it
TYPED = 0.5  # share of a column's cells that are numbers or dates, so that it is a column of such
DECLARED = re.compile(r"sep=(.)\s*$")  # a line that Excel understands
WORDS = re.compile(r'"[^"]*"|[^ \t\r\n]+')


class Row(NamedTuple):
    """A row of cells: the lines [first, last) of the text."""

    first: int
    last: int
    cells: list[str]

    @property
    def blank(self) -> bool:
        """Whether there is nothing in it."""
        return not any(cell.strip() for cell in self.cells)


@dataclass(frozen=True)
class Head:
    """separator; names of the columns; named: whether the text says them; above: the text before the first row of data;
    number_cells: of columns of numbers, in the sample."""

    separator: str
    names: tuple[str, ...]
    named: bool
    above: str
    number_cells: list[str]


def find_head(lines: Sequence[str], separator: str | None = None, header: int | Literal["none"] | None = None) -> Head:
    r"""The head of a text table from its first lines.

    >>> find_head(["# 2024\n", "time;temp\n", ";°C\n", "1;2,5\n", "2;3\n"]).names
    ('time', 'temp')
    """
    start = comments = leading_comments(lines)
    if declared := next((DECLARED.match(line) for line in lines[:start] if DECLARED.match(line)), None):
        separator = separator or declared[1]
    if isinstance(header, int):
        if header > len(lines):
            raise UsageError(f"header={header} (--header): the file has no such line among its first {len(lines):,}")
        start = header - 1
    separator = separator or find_separator(lines[start:])
    rows = rows_of(lines, start, separator)
    if not rows:
        return Head(separator, (), True, "", [])
    at = 0 if isinstance(header, int) else first_wide(rows)
    rows = rows[at:]
    rows = rows[next((place for place, row in enumerate(rows) if not row.blank), 0) :]
    kinds = column_kinds(rows[1:] or rows)
    names, first = (None, 0) if header == "none" else names_and_body(rows, kinds, header is None, preceded=at > 0)
    if names is None and header is None and comments and at == 0 and lines[comments - 1].lstrip().startswith("#"):
        names = commented_names(lines[comments - 1], separator, len(rows[0].cells))
    width = len(rows[0].cells)
    above = "".join(lines[: rows[first].first if first < len(rows) else len(lines)])
    cells = [row.cells[at] for row in rows[first:] for at in range(min(width, len(row.cells))) if kinds[at] == "number"]
    found = [str(place) for place in range(width)] if names is None else names
    filled = tuple(name.strip() if name.strip() else f"Unnamed: {place}" for place, name in enumerate(found))
    return Head(separator, filled, names is not None, above, [cell for cell in cells if is_number(cell)])


def leading_comments(lines: Sequence[str]) -> int:
    """How many lines at the beginning are blank, comments or Excel's sep=."""
    count = 0
    for line in lines:
        if line.strip() and not line.lstrip().startswith("#") and DECLARED.match(line) is None:
            break
        count += 1
    return count if count < len(lines) else 0


def commented_names(line: str, separator: str, width: int) -> list[str] | None:
    """The names in the last comment, where it has as many cells as the rows."""
    (row,) = rows_of([line.lstrip().lstrip("#").lstrip(" ")], 0, separator) or [Row(0, 1, [])]
    return row.cells if len(row.cells) == width and width > 1 else None


def rows_of(lines: Sequence[str], start: int, separator: str) -> list[Row]:
    """The rows of a sample that hold anything at all."""
    if separator == " ":
        cut = [
            (at, [word.strip('"') for word in WORDS.findall(lines[at])]) for at in range(start, min(len(lines), start + SAMPLE))
        ]
        return [Row(at, at + 1, cells) for at, cells in cut if cells]
    reader, rows, last, count = csv.reader(iter(lines[start:]), delimiter=separator), [], start, 0
    try:
        for cells in reader:
            end = start + reader.line_num
            if cells:
                rows.append(Row(last, end, cells))
            last, count = end, count + len(cells)
            if len(rows) > SAMPLE or (len(rows) >= ENOUGH[0] and count > ENOUGH[1]):
                break
    except csv.Error:  # a cell is too long, perhaps only with this separator
        return rows
    return rows


def find_separator(lines: Sequence[str]) -> str:
    """The separator with which most rows are of one width and most cells hold none of the others."""
    spaced = rows_of(lines, 0, " ")
    typed = [kind for kind in column_kinds(spaced[1:]) if kind != "text"]
    if len({len(row.cells) for row in spaced}) == 1 and len(typed) > 1 and score(spaced, " ")[0] > SAME_WIDTH:
        return " "
    scores = {mark: score(rows_of(lines, 0, mark), mark) for mark in HARD}
    best = max(HARD, key=lambda mark: scores[mark])
    if scores[best][0] <= TYPED:
        return ","
    return ";" if best == "," and scores[best][1] == 2 and is_lone_decimal(lines) else best


def score(rows: Sequence[Row], separator: str) -> tuple[float, int]:
    """(share of rows of the commonest width x share of their cells without other separators, that width); 0 for one column."""
    if not rows:
        return 0.0, 0
    at = first_wide(rows)
    width = len(rows[at].cells)
    body = [row for row in rows[at:] if len(row.cells) == width]
    others = re.compile("[" + "".join(mark for mark in HARD[1:] if mark != separator) + ("," if separator == " " else "") + "]")
    cells = [cell for row in body for cell in row.cells]
    clean = sum(others.search(cell) is None or is_number(cell) for cell in cells) / len(cells)
    return (len(body) / len(rows[at:]) * clean if width > 1 else 0.0), width


def is_lone_decimal(lines: Sequence[str]) -> bool:
    """Whether every line below the first is one number with a decimal comma."""
    body = [line.strip() for line in lines[1:SAMPLE] if line.strip()]
    return "," not in lines[0] and all(is_number(line) for line in body)


def first_wide(rows: Sequence[Row]) -> int:
    """The first row from which on nearly all are as wide as it; the first of all where there is none such."""
    width = Counter(len(row.cells) for row in rows if len(row.cells) > 1).most_common(1)
    if not width:
        return 0
    fits = [len(row.cells) == width[0][0] for row in rows]
    return next((at for at, fit in enumerate(fits) if fit and sum(fits[at:]) >= SAME_WIDTH * len(fits[at:])), 0)


def column_kinds(rows: Sequence[Row]) -> list[str]:
    """number, date or text for each column, by most of its cells that are not blank."""
    width = max((len(row.cells) for row in rows), default=0)
    kinds = []
    for at in range(width):
        cells = [row.cells[at].strip() for row in rows if at < len(row.cells)]
        cells = [cell for cell in cells if cell not in BLANK]
        dates, numbers = (sum(map(test, cells)) for test in (is_date, is_number))
        enough = max(1, TYPED * len(cells))
        kinds.append("date" if dates >= enough else "number" if numbers >= enough else "text")
    return kinds


def is_data(row: Row, kinds: Sequence[str]) -> bool:
    """Whether a row holds what its columns hold, or nothing."""
    cells = [(cell.strip(), kind) for cell, kind in zip(row.cells, kinds, strict=False) if kind != "text"]
    seen = [(cell, kind) for cell, kind in cells if cell not in BLANK]
    if any((is_number if kind == "number" else is_date)(cell) for cell, kind in seen):
        return all(is_number(cell) or is_date(cell) for cell, _ in seen) or sum(is_number(c) or is_date(c) for c, _ in seen) > 1
    return row.blank


def names_and_body(rows: Sequence[Row], kinds: Sequence[str], found_out: bool, preceded: bool) -> tuple[list[str] | None, int]:
    """The names, None where the first row is data; and which row is the first of data.

    Arguments:
        found_out: whether nobody said that the first row holds the names.
        preceded: whether there are other lines above, so that the first row may be one of them.
    """
    typed = any(kind != "text" for kind in kinds)
    first = rows[0].cells
    if found_out and typed and is_data(rows[0], kinds) and not are_counted(first):
        return None, 0
    if len(rows) > 2 and is_units(rows[1], kinds):
        return first, 2
    misplaced = preceded or not all(cell.strip() for cell in first)
    if found_out and len(rows) > 2 and misplaced and is_title(rows[1], kinds):
        return rows[1].cells, 3 if len(rows) > 3 and is_units(rows[2], kinds) else 2
    return first, 1


def are_counted(names: Sequence[str]) -> bool:
    """Whether names are numbers that count on, as those of an array do (0, 1, 2), or hold years that do."""
    numbers = [name.strip() for name in names if is_number(name)]
    years = len(numbers) > 1 and all(name.isdecimal() and FIRST_YEAR <= int(name) <= LAST_YEAR for name in numbers)
    if any(is_date(name) and not is_number(name) for name in names):
        return False
    return bool(numbers) and (len(numbers) == len(names) or years) and counts_on(numbers)


def is_units(row: Row, kinds: Sequence[str]) -> bool:
    """Whether a row names the unit of a column of numbers, and holds no data."""
    of_numbers = [cell for cell, kind in zip(row.cells, kinds, strict=False) if kind == "number"]
    return any(map(is_unit, of_numbers)) and not any(is_number(c) or is_date(c) for c in row.cells if not is_unit(c))


def is_title(row: Row, kinds: Sequence[str]) -> bool:
    """Whether a row holds a name for every column, and numbers or dates are below some."""
    return all(cell.strip() and not is_number(cell) and not is_date(cell) for cell in row.cells) and set(kinds) != {"text"}

"""What single cells of a text table are: numbers in any spelling, dates, marks for missing, units."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from vaehub.files import MISSING_WORDS
from vaehub_timeseries.frames.date_formats import DATE_LIKE, TIME_OF_DAY

GROUPS = "., \u00a0\u202f'"  # what may part thousands
NUMBER = re.compile(
    rf"(?:[<>]=?|[≤≥])?\s*[+-]?(?:\d{{1,3}}(?:[{GROUPS}]\d{{3}})+(?:[.,]\d*)?|\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?\s*%?"
)
FIRST_YEAR, LAST_YEAR = 1800, 2200
SINGLE_GROUP = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
SPACES = re.compile("[ \u00a0\u202f']")
REPEATED = {mark: re.compile(rf"\d{{1,3}}(?:{re.escape(mark)}\d{{3}}){{2,}}") for mark in ".,"}
CLOCK = re.compile(TIME_OF_DAY)
BLANK = {"", "-", "--", *MISSING_WORDS}
SIGNS = re.compile(r"[°µμ/%³²·^]|^\[.*\]$|^\(.*\)$")
UNITS = re.compile(
    r"(?i)(deg)?[cfk]|celsius|[hk]?pa|m?bar|[mck]?m|[kmµu]?g|m?l|s|sec|min|h|hrs?|hours|d|days|m?v|m?a|[kmg]?wh?|[km]?j|[kmg]?hz|pp[mb]|"
    r"deg|percent|dimensionless|unitless|count|eur|usd|utc|yyyy-mm-dd"
)


def is_number(cell: str) -> bool:
    """Whether a cell is a number with either mark, with thousands, per cent or a side.

    >>> [is_number(cell) for cell in ("1.234,5", "14 %", "<0.5", "1-2", "x1")]
    [True, True, True, False, False]
    """
    return NUMBER.fullmatch(cell.strip()) is not None


def is_date(cell: str) -> bool:
    """Whether a cell begins as a date does, or is a time of day."""
    return DATE_LIKE.match(cell) is not None or CLOCK.fullmatch(cell) is not None


def is_unit(cell: str) -> bool:
    """Whether a cell is such as °C, m/s, [kW] or hPa."""
    text = cell.strip()
    return bool(text) and not is_number(text) and (SIGNS.search(text) is not None or UNITS.fullmatch(text) is not None)


class Marks(NamedTuple):
    """What the cells of a sample say of their decimal mark: how many show . and , and the first that may have either, or nothing."""

    points: int
    commas: int
    doubtful: str


def decimal_marks(cells: Iterable[str]) -> Marks:
    """The votes of numbers on their decimal mark; 12,500 and 1.234 may be a number with three digits behind its mark, or thousands.

    >>> decimal_marks(["1,5", "1.234,5", "1,234,567", "12,500"])
    Marks(points=1, commas=2, doubtful='12,500')
    """
    points, commas, doubtful = 0, 0, ""
    for cell in cells:
        text = SPACES.sub("", cell.strip(" <>=≤≥+-%"))
        point, comma = text.rfind("."), text.rfind(",")
        if point == comma:
            continue
        if SINGLE_GROUP.fullmatch(text):
            doubtful = doubtful or cell.strip()
        elif REPEATED[","].fullmatch(text) or (REPEATED["."].fullmatch(text) is None and point > comma):
            points += 1
        else:
            commas += 1
    return Marks(points, commas, doubtful)


def decimal_of(marks: Marks, separator: str) -> str:
    """The decimal mark: of the most numbers; where none shows it, as tables with this separator have it as a rule.

    >>> decimal_of(Marks(0, 0, "1.234"), ";"), decimal_of(Marks(0, 0, ""), ";"), decimal_of(Marks(0, 0, "12,500"), ",")
    ('.', ',', '.')
    """
    if marks.points != marks.commas:
        return "." if marks.points > marks.commas else ","
    return "," if separator == ";" and "." not in marks.doubtful else "."


def counts_on(names: Sequence[str]) -> bool:
    """Whether names count on by one, as those of an array do (0, 1, 2), or of years (2001, 2002)."""
    if not all(name.isdecimal() for name in names):
        return False
    first = int(names[0])
    likely = first == 0 or len(names) > 2 or FIRST_YEAR <= first <= LAST_YEAR
    return likely and [int(name) for name in names] == list(range(first, first + len(names)))

"""How the numbers of a column are written: digits behind the mark, thousands, per cent; and numbers written so."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import pyarrow.compute as pc

from vaehub.files import as_values

MOST_DIGITS = 15  # that float64 keeps of any number
GROUP = "., \u00a0\u202f'"  # what may part thousands
MORE = 1  # digits behind the mark of what is computed from readings, beyond those of the readings


@dataclass(frozen=True)
class Spelling:
    """How the numbers of a column are written.

    Arguments:
        places: Most digits behind the mark.
        least: Fewest.
        group: What parts thousands, or nothing.
        percent: What follows each: "%", " %" or nothing.
        mark: The decimal mark.
    """

    places: int
    least: int = 0
    group: str = ""
    percent: str = ""
    mark: str = "."

    def text(self, value: float) -> str:
        """A number as text.

        >>> Spelling(2, 2, ".", mark=",").text(1234.5), Spelling(2).text(1.5), Spelling(1).text(-0.01)
        ('1.234,50', '1.5', '0')
        """
        digits = f"{value:{',' if self.group else ''}.{self.places}f}"
        whole, _, part = digits.partition(".")
        part = part.rstrip("0").ljust(self.least, "0")
        whole = "0" if value and whole == "-0" and not part.strip("0") else whole
        return whole.replace(",", self.group) + (self.mark + part if part else "") + self.percent

    @property
    def finer(self) -> Spelling:
        """For what is computed from readings, such as quantiles."""
        return replace(self, places=self.places + MORE)


def number_pattern(decimal: str) -> str:
    """Numbers with a decimal mark, thousands and per cent; the group is named g, the digits d, per cent p."""
    others = "".join(mark for mark in GROUP if mark != decimal)
    mark = re.escape(decimal)
    return rf"^\s*[+-]?(?:[1-9][0-9]{{0,2}}(?:(?P<g>[{others}])[0-9]{{3}})+|[0-9]+)?(?:{mark}(?P<d>[0-9]*))?(?P<p>\s*%)?\s*$"


def grouped_numbers(column: Any, decimal: str) -> pd.Series[Any] | None:
    """Text (R,) with thousands or per cent as numbers; None where a cell is none, or is padded as identifiers are.

    >>> import pyarrow as pa
    >>> grouped_numbers(pa.array(["1.234,5", "12,5", None]), ",").tolist()
    [1234.5, 12.5, nan]
    """
    column = pc.if_else(pc.equal(pc.utf8_trim_whitespace(column), ""), None, column)
    matched = pc.and_(pc.match_substring_regex(column, number_pattern(decimal)), pc.match_substring_regex(column, "[0-9]"))
    padded = pc.match_substring_regex(column, r"^\s*[+-]?0[0-9]")
    if column.null_count == len(column) or not pc.all(matched, min_count=0).as_py() or pc.any(padded, min_count=0).as_py():
        return None
    bare = pc.replace_substring_regex(column, f"[^0-9{re.escape(decimal)}+-]", "")
    found = as_values(bare, decimal)
    return None if found.dtype == object or isinstance(found.dtype, pd.StringDtype) else found


def spelling_of(column: Any, decimal: str) -> Spelling | None:
    """How the numbers of a column of text (R,) are written; None where they are none, or have an exponent or too many digits."""
    column = pc.replace_substring_regex(column, r"^\s*(<=?|>=?|≤|≥)\s*", "")
    column = pc.drop_null(pc.if_else(pc.equal(pc.utf8_trim_whitespace(column), ""), None, column))
    pattern = number_pattern(decimal)
    if not len(column) or not pc.all(pc.match_substring_regex(column, pattern)).as_py():
        return None
    digits = pc.utf8_length(pc.replace_substring_regex(column, "[^0-9]", ""))
    parts = pc.extract_regex(column, pattern)
    places = pc.utf8_length(pc.struct_field(parts, "d"))
    least, most = pc.min(places).as_py(), pc.max(places).as_py()
    if pc.max(digits).as_py() > MOST_DIGITS or pc.min(digits).as_py() == 0:
        return None
    return Spelling(most, least, longest(parts, "g"), longest(parts, "p"), decimal)


def longest(parts: Any, name: str) -> str:
    """The longest of what a part of the pattern matched."""
    found = pc.unique(pc.struct_field(parts, name)).to_pylist()
    return max((text for text in found if text), key=len, default="")

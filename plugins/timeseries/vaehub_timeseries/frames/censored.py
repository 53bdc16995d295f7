"""Readings that say no more than a side: <0.5 below what a laboratory can detect, >100 above a scale."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from vaehub_timeseries.frames.columns import HUGE, Bools, ColumnCodec, Encoded, Floats, Limits, kind_among

POINT = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
NUMBERS = {mark: POINT.replace(r"\.", re.escape(mark)) for mark in ".,"}  # by the decimal mark
SIDE = r"(<=?|>=?|≤|≥)"
THOUSANDS = r"[+-]?\d{1,3}(,\d{3})+"  # 12,500 is 12.5 or 12500


class Spelling(NamedTuple):
    """How a column of text writes its numbers: decimal mark, and digits behind it."""

    mark: str
    places: int


def spelling_of(column: pd.Series, missing: Bools) -> Spelling | None:
    """How a column of text writes numbers of which some are <number or >number; None for any other column."""
    if not (types.is_object_dtype(column.dtype) or types.is_string_dtype(column.dtype)):
        return None
    seen = column[~missing].astype(object)
    if not seen.map(lambda cell: isinstance(cell, str | int | float) and not isinstance(cell, bool)).all():
        return None
    text = pd.Series(seen.astype(str).unique()).str.strip()
    sided = text.str.match(SIDE)
    if not sided.any() or sided.all():
        return None
    numbers = text.str.replace(f"^{SIDE}\\s*", "", regex=True)
    if numbers.str.fullmatch(THOUSANDS).any() and numbers[numbers.str.contains(",")].str.fullmatch(THOUSANDS).all():
        return None
    for mark, pattern in NUMBERS.items():
        if numbers.str.fullmatch(pattern).all():
            behind = numbers.str.extract(rf"{re.escape(mark)}(\d+)")[0].str.len()
            return Spelling(mark, 0 if behind.isna().all() else int(behind.max()))
    return None


def kind_of_observed(column: pd.Series, missing: Bools) -> str:
    """The kind of what is observed: float where some of the numbers are <number or >number."""
    kind = kind_among(column, missing)
    return "float" if kind in ("category", "other") and spelling_of(column, missing) is not None else kind


def plain_numbers(column: pd.Series) -> pd.Series:
    """A column of numbers, <0.5 as 0.5 and durations in seconds, for what draws and lists them; any other column as it is."""
    if types.is_timedelta64_dtype(column.dtype):
        seconds: pd.Series = column.dt.total_seconds()
        return seconds
    missing = column.isna().to_numpy(bool)
    if (spelling := spelling_of(column, missing)) is None:
        return column
    values, _, limits = CensoredCodec(spelling).encode(column, missing)
    if limits is None:
        return column
    found = np.where(np.isfinite(limits.lower), limits.lower, np.where(np.isfinite(limits.upper), limits.upper, values[:, 0]))
    return pd.Series(found, index=column.index, name=column.name)


def is_sided(text: pd.Series) -> pd.Series:
    """Which entries are <number or >number, with either decimal mark (R,)."""
    return text.str.fullmatch(rf"{SIDE}\s*(?:{NUMBERS['.']}|{NUMBERS[',']})")


@final
class CensoredCodec(ColumnCodec):
    """Numbers as text of which some are <number or >number: those keep their text, and the model knows their side alone."""

    def __init__(self, spelling: Spelling) -> None:
        self.spelling = spelling

    def encode(self, column: pd.Series, missing: Bools) -> Encoded:
        """The numbers; NaN with a limit where a reading names its side only."""
        text = column.astype(object).where(~missing, None).map(lambda cell: cell if cell is None else str(cell).strip())
        parts = text.astype("str").str.extract(rf"^{SIDE}?\s*(.*)$")
        numbers = pd.to_numeric(parts[1].str.replace(self.spelling.mark, "."), errors="coerce").to_numpy(float).copy()
        side = parts[0].str[:1].to_numpy(object)
        below, above = np.isin(side, ["<", "≤"]), np.isin(side, [">", "≥"])
        limits = Limits(np.where(above, numbers, -np.inf), np.where(below, numbers, np.inf))
        gaps = ~np.isfinite(numbers)
        numbers[gaps | below | above | (np.abs(numbers) > HUGE)] = np.nan
        return Encoded(numbers[:, None], gaps, limits)

    def decode(self, column: pd.Series, numbers: Floats) -> Any:
        """Text with as many digits as the column has; numbers where the column holds such."""
        mark, places = self.spelling
        if column.map(lambda cell: isinstance(cell, int | float) and cell == cell).any():
            return numbers[:, 0].round(places).astype(object)
        cells: NDArray[Any] = np.array([f"{value:.{places}f}".replace(".", mark) for value in numbers[:, 0]], dtype=object)
        return pd.Series(cells, dtype=column.dtype).array

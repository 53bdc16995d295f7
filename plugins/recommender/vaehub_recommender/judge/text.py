"""Tables of figures as plain text and as JSON."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd

from vaehub import Json

DIGITS = 4


def figures(table: pd.DataFrame) -> list[str]:
    """A row for every figure, a column for every model."""
    names = table.columns.get_level_values(0).unique()
    rows = [[str(name), *(mean_text(table.loc[model, name]) for model in table.index)] for name in names]
    return aligned(["", *map(str, table.index)], rows)


def mean_text(cell: pd.Series) -> str:
    """A mean with its uncertainty, the second number, where it has one."""
    mean, error = cell
    return number(mean) if np.isnan(error) else f"{number(mean)} ± {number(error)}"


def number(value: float) -> str:
    """Four digits behind the point; a dash for what is not defined."""
    return "-" if np.isnan(value) else f"{value:.{DIGITS}f}"


def differences(table: pd.DataFrame, how: str) -> list[str]:
    """Every difference with its interval, a row for every measure, a column for every other model."""
    if table.empty:
        return []
    others = [str(other) for other in table["against"].unique()]
    rows = [[str(name), *map(difference_text, part.to_dict("records"))] for name, part in table.groupby("metric", sort=False)]
    return ["", f"{table['model'].iloc[0]} minus the others {how}, with 95 % intervals", *aligned(["", *others], rows)]


def difference_text(row: Mapping[Hashable, float]) -> str:
    """A difference with its interval."""
    middle, low, high = (signed(row[name]) for name in ("difference", "low", "high"))
    return middle if np.isnan(row["low"]) else f"{middle} ({low} … {high})"


def signed(value: float) -> str:
    """Four digits and a sign, which zero has none of its own."""
    return f"{round(value, DIGITS) + 0.0:+.{DIGITS}f}"


def segments(table: pd.DataFrame) -> list[str]:
    """The first measure of every segment, a column for every model."""
    metric, models = table["metric"].iloc[0], [str(model) for model in table["model"].unique()]
    lines = []
    for by, part in table[table["metric"] == metric].groupby("by", sort=False):
        rows = [[*segment_row(segment)] for _, segment in part.groupby("segment", sort=False)]
        lines += ["", *aligned([f"{metric} by {by}", "users", *models], rows)]
    return lines


def shares(table: pd.DataFrame, what: str) -> list[str]:
    """Per cent of every row and model."""
    rows = [[str(label), *(f"{share:.1%}" for share in row)] for label, row in zip(table.index, table.to_numpy(), strict=True)]
    return ["", *aligned([what, *map(str, table.columns)], rows)]


def segment_row(segment: pd.DataFrame) -> Sequence[str]:
    """A segment with its users and what each model got there."""
    cells = (mean_text(cell) for _, cell in segment[["mean", "se"]].iterrows())
    return [str(segment["segment"].iloc[0]), f"{segment['users'].iloc[0]:,}", *cells]


def aligned(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of text, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    return ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in (headers, *rows)]


def nested(table: pd.DataFrame) -> Json:
    """{model: {figure: {mean, se}}}."""
    names = table.columns.get_level_values(0).unique()
    return {str(model): {str(name): none_for_nan(table.loc[model, name].to_dict()) for name in names} for model in table.index}


def records(table: pd.DataFrame) -> list[Json]:
    """A dictionary for every row."""
    return [none_for_nan({str(key): value for key, value in row.items()}) for row in table.to_dict("records")]


def none_for_nan(row: Json) -> Json:
    """The same with None for what is not a number, as JSON has no NaN."""
    return {key: None if isinstance(value, float) and np.isnan(value) else value for key, value in row.items()}

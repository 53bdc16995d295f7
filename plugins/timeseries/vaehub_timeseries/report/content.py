"""What a report is made of: the frame with its gaps and without, the band, and what held-out cells say of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub import report
from vaehub_timeseries.masks import gap_lengths

Array: TypeAlias = NDArray[Any]
TIE = 0.005  # errors that differ by less than this share are called equal


@dataclass(frozen=True)
class ReportContent:
    """All that the page shows. Frames are (rows, columns) with stamps or row numbers as index, text as columns."""

    title: str
    frame: pd.DataFrame  # as it was read: NaN = gap
    completed: pd.DataFrame  # the same without gaps
    low: pd.DataFrame  # lower end of the band at every cell of the numeric columns that were imputed
    high: pd.DataFrame
    level: float  # what the band promises: 0.9
    errors: pd.DataFrame  # a row for each column that was tested: imputer, linear, last, mean (in its units), coverage, cells
    calibration: pd.DataFrame  # nominal and reached coverage, 0 to 1
    entity: Array | None = None  # which series each row belongs to
    step: str = ""  # the time between rows, in words
    notes: tuple[str, ...] = ()  # the warnings that were given
    made: Mapping[str, str] = field(default_factory=dict)  # how the page came to be: command, model, versions
    left: Array | None = None  # (rows, columns): missing cells that were not imputed; none, if not given
    learnt: Mapping[str, str] = field(default_factory=dict)  # what was found in the data: rhythms, trends, whether a network pays
    marginals: pd.DataFrame = field(default_factory=pd.DataFrame)  # a row for each column of numbers, as `Imputer.marginals_`


def missing(content: ReportContent) -> Array:
    """(rows, columns), True = a missing cell; of two series side by side, one may lack a row and have no cell there at all."""
    observed = content.frame.replace([np.inf, -np.inf], np.nan).notna()
    return np.asarray((~observed & content.completed.notna()).to_numpy()) | left_missing(content)


def left_missing(content: ReportContent) -> Array:
    """(rows, columns), True = a missing cell that was not imputed."""
    return np.zeros(content.frame.shape, bool) if content.left is None else content.left


def rows_of(content: ReportContent) -> dict[str, Array]:
    """Row numbers of every series in the order of time, by its name."""
    order = np.asarray(content.frame.index.argsort(kind="stable")) if len(content.frame) else np.arange(0)
    if content.entity is None:
        return {"": order}
    codes, names = pd.factorize(np.asarray(content.entity, dtype=object)[order])
    grouped = np.split(order[np.argsort(codes, kind="stable")], np.cumsum(np.bincount(codes))[:-1])
    return {str(name): rows for name, rows in zip(names, grouped, strict=True)}


def column_summary(content: ReportContent) -> pd.DataFrame:
    """A row for every column: dtype, missing cells and their share, number of gaps, the longest in rows."""
    holes = missing(content)
    apart = [part for rows in rows_of(content).values() for part in (np.zeros((1, holes.shape[1]), bool), holes[rows])]
    joined = np.concatenate([*apart, np.zeros((1, holes.shape[1]), bool)])
    table = {
        "dtype": [str(dtype) for dtype in content.completed.dtypes],
        "missing": holes.sum(0),
        "share": holes.sum(0) / np.maximum((content.completed.notna().to_numpy() | holes).sum(0), 1),
        "gaps": (joined[1:] & ~joined[:-1]).sum(0),
        "longest": gap_lengths(joined).max(0),
    }
    return pd.DataFrame(table, index=content.frame.columns)


def ratios(errors: pd.DataFrame) -> pd.Series:
    """The imputer's error over linear interpolation's, by column; 1 where both are zero."""
    imputer, linear = errors["imputer"], errors["linear"]
    return pd.Series(np.where((linear == 0) & (imputer == 0), 1.0, imputer / linear.replace(0, np.nan)), errors.index)


def difficulty(errors: pd.DataFrame) -> pd.Series:
    """The imputer's error over that of filling in the mean: 0 = knows the cells, 1 = knows nothing."""
    return errors["imputer"] / errors["mean"].replace(0, np.nan)


def most_missing_first(errors: pd.DataFrame, missing: pd.Series) -> list[str]:
    """Columns by their missing cells, then by how badly they are predicted; those that could not be tested count as the hardest."""
    hardness = difficulty(errors).reindex(missing.index).fillna(np.inf)
    return list(missing.index[np.lexsort((-hardness, -missing))])


def worst_first(errors: pd.DataFrame) -> list[str]:
    """Tested columns by how the imputer fares beside linear interpolation."""
    return list(ratios(errors).sort_values(ascending=False, kind="stable", na_position="first").index)


def overall_ratio(errors: pd.DataFrame) -> float:
    """The mean of the columns' ratios, weighted by their hidden cells; NaN where none was tested."""
    tested = ratios(errors).dropna()
    return float(np.average(tested, weights=errors["cells"][tested.index])) if len(tested) else float("nan")


def verdict(errors: pd.DataFrame, columns: Sequence[str]) -> tuple[bool, str]:
    """(all is well, how the imputer fared beside linear interpolation on these columns), in one to three sentences."""
    tested = ratios(errors).dropna()
    if tested.empty:
        return False, "No column had enough observed cells to test the imputer on: its values cannot be judged."
    losing = [str(name) for name in tested.index[tested >= 1 - TIE]]
    untested = [name for name in columns if name not in tested.index]
    weighted = ", weighted by hidden cells" if len(tested) > 1 else ""
    text = f"{gain_sentence(overall_ratio(errors))} ({report.plural(len(tested), 'column')}{weighted})."
    more = [no_better_sentence(losing) if losing else "It is lower in every column that was tested."]
    more += [f"Not tested: {joined_names(untested)}."] if untested else []
    return not losing and not untested, " ".join([text, *more])


def gain_sentence(ratio: float) -> str:
    """How the error compares with linear interpolation's."""
    if abs(ratio - 1) < TIE:
        return "On cells hidden for the test, the imputer's error equals linear interpolation's"
    side = "below" if ratio < 1 else "above"
    return f"On cells hidden for the test, the imputer's error is {abs(1 - ratio):.0%} {side} linear interpolation's"


def no_better_sentence(columns: Sequence[str]) -> str:
    """Which columns gain nothing."""
    return (
        f"It does not beat linear interpolation on {joined_names(columns)}: "
        "take the values there for no more than a straight line between neighbours."
    )


def joined_names(names: Sequence[str], shown: int = 6) -> str:
    """The first of several names."""
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")

"""Time and entity by what columns hold: whole numbers that count on, and names that each fill one block of rows."""

from __future__ import annotations

import re
import warnings
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from vaehub_timeseries.frames.columns import numpy_dtype
from vaehub_timeseries.frames.labels import column_label

MIN_ROWS = 24  # of a frame in which a column may look like a key by chance
MIN_BLOCK = 5  # rows with one value in a row, on average, that make it look like a name
COMMON = 0.5  # share of the differences that are one step, where the others are multiples of it
CALENDAR = re.compile(
    r"(?i)(year|yr|jahr|an|annee|année|anno|año)|(unix|epoch).*|.*(_ms|_ns|_us|timestamp|_time|timestep|time_step)"
)
EPOCHS = [(6e8 * unit, 5e9 * unit) for unit in (1, 10**3, 10**6, 10**9)]  # 1989 to 2128 in s, ms, µs and ns since 1970
PHASES = re.compile(
    r"(?i).*(month|monat|season|saison|phase|period|regime|quarter|year|week|day|shift|state|status|stage|mode|part|split)s?"
)
SERIES = re.compile(
    r"(?i)(.*[_ ])?(id|patient|subject|person|stay|site|station|sensor|device|meter|household|unit|series|entity|customer|store|item|sku|"
    r"ticker|symbol|city|country|region|location|plant|machine|turbine|well|name)s?|.*id"
)

NUMBERED = re.compile(
    r"(?i)(.*[_ ])?(patient|subject|person|site|station|device|household|unit|engine|series|entity|customer|store|item|sku|plant|machine|"
    r"turbine|well)s?([_ ](no|nr|num|number|code))?|.*id"
)


def counting_index(index: pd.Index) -> bool:
    """Whether an index counts something other than the rows: whole numbers from above 1, in steps of which few are left out.

    >>> counting_index(pd.RangeIndex(1850, 2000)), counting_index(pd.RangeIndex(150)), counting_index(pd.Index([7, 19, 20, 300]))
    (True, False, False)
    """
    if index.nlevels > 1 or not types.is_integer_dtype(index.dtype) or len(index) < 3 or index.hasnans:
        return False
    return bool(index[0] > 1) and counts_on(
        index.to_series(index=pd.RangeIndex(len(index))), np.zeros(len(index), np.int64), True
    )


def find_counter(columns: Mapping[Any, pd.Series], groups: NDArray[np.int64]) -> Hashable | None:
    """The column that counts the time: called or like years or time since 1970, or one that rises by the same number in every row.

    Arguments: columns: those that may be the time; groups (R,): codes of the entities, in each of which it may start anew.
    """
    numbers: dict[Hashable, pd.Series] = {
        label: column for label, column in columns.items() if types.is_integer_dtype(column.dtype) and column.notna().all()
    }
    if len(groups) < 3 or len(columns) < 2:
        return None
    for label, column in numbers.items():
        if (CALENDAR.fullmatch(str(label)) or is_epoch(column)) and counts_on(column, groups, True):
            return label
    for label, column in numbers.items():
        if len(groups) >= MIN_ROWS and counts_on(column, groups, False):
            warn(
                f"{column_label(label)} goes on by the same number in every row, so it is taken for the time; if it is a variable, give the "
                "columns to impute, and it among them, with columns= (--columns)"
            )
            return label
    return None


def is_epoch(column: pd.Series) -> bool:
    """Whether all numbers are times since 1970 in one unit.

    >>> is_epoch(pd.Series([1704067200000])), is_epoch(pd.Series([1850]))
    (True, False)
    """
    return any(bool(column.between(low, high).all()) for low, high in EPOCHS)


def counts_on(column: pd.Series, groups: NDArray[np.int64], holes: bool) -> bool:
    """Whether whole numbers rise by one step in every row of each group (R,); with `holes` by multiples of it, most of them one step.

    >>> counts_on(pd.Series([1850, 1851, 1853, 1854]), np.zeros(4, int), True)
    True
    """
    if numpy_dtype(column.dtype).kind == "u" and column.max() > np.iinfo(np.int64).max:
        return False
    same = np.diff(groups) == 0
    steps = np.diff(column.to_numpy("int64"))[same]
    if not len(steps) or steps.min() <= 0:
        return False
    sizes, counts = np.unique(steps, return_counts=True)
    step = sizes[counts.argmax()]
    return bool((steps % step == 0).all() and counts.max() >= COMMON * len(steps)) if holes else len(sizes) == 1


def blocks_of(columns: Mapping[Any, pd.Series]) -> Hashable | None:
    """The first column whose values each fill one block of rows, where no other such column cuts them elsewhere; else None."""
    found = {
        label: pd.factorize(column)[0] for label, column in columns.items() if len(column) >= MIN_ROWS and fills_blocks(column)
    }
    codes = list(found.values())
    return next(iter(found)) if codes and all(np.array_equal(codes[0], other) for other in codes) else None


def is_entity(label: Hashable, column: pd.Series, at: NDArray[np.generic] | None) -> bool:
    """Whether a column whose values fill blocks tells series apart, by the stamps (R,) or, where they leave it open, its name; warns.

    Stamps that start anew say so. Without stamps, only a name for parts of one series (month, phase) speaks against it; where one block
    goes on when the other ends, only a name of a series (station, patient_id) speaks for it.
    """
    starts_anew = at is not None and bool((np.diff(at)[np.diff(pd.factorize(column)[0]) != 0] <= 0).any())
    name = str(label)
    taken = starts_anew or (PHASES.fullmatch(name) is None if at is None else SERIES.fullmatch(name) is not None)
    if taken:
        warn(
            f"{column_label(label)}: each of its values fills one block of rows, so they are taken for series of their own; "
            "if they are one series, give entity='none' (--entity=none)"
        )
    else:
        warn(
            f"{column_label(label)}: each of its values fills one block of rows; if it tells series apart, "
            f"give entity={name!r} (--entity={label}), else they are taken for one series"
        )
    return taken


def fills_blocks(column: pd.Series) -> bool:
    """Whether a column of names, in every row, has several values of which none comes back.

    >>> fills_blocks(pd.Series(["a"] * 5 + ["b"] * 5)), fills_blocks(pd.Series(["a"] * 5 + ["b"] * 5 + ["a"] * 5))
    (True, False)
    """
    is_name = types.is_string_dtype(column.dtype) or isinstance(column.dtype, pd.CategoricalDtype)
    if not (is_name or is_numeric_id(column)) or column.isna().any():
        return False
    codes, names = pd.factorize(column)
    return bool(2 <= len(names) <= len(column) / MIN_BLOCK and (np.diff(codes) != 0).sum() == len(names) - 1)


def is_numeric_id(column: pd.Series) -> bool:
    """Whether a column may number the entities: whole numbers in a column called id, station or the like.

    >>> is_numeric_id(pd.Series([7, 7, 3], name="unit_nr")), is_numeric_id(pd.Series([7, 7, 3], name="flow"))
    (True, False)
    """
    return (
        types.is_integer_dtype(column.dtype) and NUMBERED.fullmatch(str(column.name)) is not None and bool(column.notna().all())
    )


def warn(message: str) -> None:
    """A warning at the line that called `to_panel`."""
    warnings.warn(message, UserWarning, stacklevel=6)

"""Columns that look like a time or an entity, but were neither named nor found as one."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from pandas.api import types

from vaehub_timeseries.frames.labels import column_label, column_of
from vaehub_timeseries.frames.schema import Form

MIN_ROWS = 24  # of a frame in which a column may look like a key by chance
MIN_BLOCK = 5  # rows with one value in a row, on average, that make it look like a name


def warn_of_unnamed_keys(frame: pd.DataFrame, form: Form) -> None:
    """Warn of a counter where the frame has no time, and of names that each fill one block of rows where it has no entity."""
    if len(frame) < MIN_ROWS or form.long:
        return
    for label in (label for label in frame.columns if label not in form.labels):
        column = column_of(frame, label)
        if not form.time and counts_on(column):
            warn(
                f"{column_label(label)} goes on by the same number in every row; if it is the time, give time={str(label)!r} (--time={label})"
            )
        elif not form.entity and fills_blocks(column):
            warn(
                f"{column_label(label)}: each of its values fills one block of rows; if it tells series apart, "
                f"give entity={str(label)!r} (--entity={label}), else they are taken for one series"
            )


def counts_on(column: pd.Series) -> bool:
    """Whether whole numbers rise by one step in every row.

    >>> counts_on(pd.Series([1850, 1851, 1852])), counts_on(pd.Series([1, 2, 4]))
    (True, False)
    """
    if not types.is_integer_dtype(column.dtype) or column.isna().any():
        return False
    steps = np.diff(column.to_numpy("int64"))
    return bool(len(steps) and steps[0] > 0 and (steps == steps[0]).all())


def fills_blocks(column: pd.Series) -> bool:
    """Whether a column of names, in every row, has several values of which none comes back.

    >>> fills_blocks(pd.Series(["a"] * 5 + ["b"] * 5)), fills_blocks(pd.Series(["a"] * 5 + ["b"] * 5 + ["a"] * 5))
    (True, False)
    """
    is_name = types.is_string_dtype(column.dtype) or isinstance(column.dtype, pd.CategoricalDtype)
    numbered = types.is_integer_dtype(column.dtype) and str(column.name).lower().endswith("id")
    if not (is_name or numbered) or column.isna().any():
        return False
    codes, names = pd.factorize(column)
    return bool(2 <= len(names) <= len(column) / MIN_BLOCK and (np.diff(codes) != 0).sum() == len(names) - 1)


def warn(message: str) -> None:
    """A warning at the line that called `to_panel`."""
    warnings.warn(message, UserWarning, stacklevel=4)

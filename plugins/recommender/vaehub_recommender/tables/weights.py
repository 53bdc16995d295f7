"""Ratings and weights: which rows count, and how much."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from vaehub_recommender.tables.bad_rows import Bools, reject
from vaehub_recommender.tables.columns import Columns


class Weighed(NamedTuple):
    """weights (R,) of the rows, all 1 where they are None; `keep` (R,) those of the rating asked for, None where none is asked for."""

    weights: NDArray[np.float64] | None = None
    keep: Bools | None = None


def weigh(frame: pd.DataFrame, columns: Columns) -> Weighed:
    """What the weight column says of each row. Raises UsageError that names rows with a value that is no weight."""
    if columns.weight is None:
        return Weighed()
    values = numbers(frame[columns.weight], columns.weight)
    if columns.min_rating is not None:
        return Weighed(keep=values >= columns.min_rating)
    with np.errstate(over="ignore", under="ignore"):
        narrow = values.astype(np.float32)
    bad = ~((narrow > 0) & np.isfinite(narrow))
    remedy = "weights are above 0 and finite: drop such rows, or give min_rating=… to keep those of at least that rating"
    reject(bad, columns.weight, frame[columns.weight], "is no weight", remedy)
    return Weighed(values)


def numbers(column: pd.Series[Any], name: str) -> NDArray[np.float64]:
    """A column of numbers or flags (R,). Raises UsageError that names the rows that hold none."""
    plain = types.is_numeric_dtype(column.dtype) and not types.is_complex_dtype(column.dtype)
    numeric = column if plain else pd.to_numeric(column.astype(object).map(number_of_flag), errors="coerce")
    values = numeric.to_numpy(np.float64, na_value=np.nan)
    reject(np.isnan(values), name, column, "is no number", "mend or drop such rows")
    return values


def number_of_flag(value: object) -> object:
    """A flag as it is written in text, as a number; nothing for a complex number, which is none here; all else as it is."""
    if isinstance(value, complex | np.complexfloating):
        return None
    return {"true": 1, "false": 0}.get(value.strip().lower(), value) if isinstance(value, str) else value

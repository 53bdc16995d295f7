"""Columns that are used as numbers: text in them is refused or counted, never silently unknown."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from vaehub import UsageError, files, hints


def to_numbers(cells: pd.Series[Any], what: str) -> pd.Series[float]:
    """Finite numbers of a column; NaN for cells that are blank or say so (NA, null), and for text among numbers, of which a warning tells.

    Arguments:
        cells: (N,) of any type.
        what: the column, as messages name it.

    Returns:
        (N,) of float64.

    Raises:
        UsageError: the column has text and not one number.

    >>> to_numbers(pd.Series(["5.5", "", "NA"]), "column 'pic50'").tolist()
    [5.5, nan, nan]
    """
    texts = cells if types.is_numeric_dtype(cells) else cells.astype("string").str.strip()
    numbers = pd.Series(pd.to_numeric(texts, errors="coerce").to_numpy(float, na_value=np.nan), cells.index)
    numbers = numbers.where(np.isfinite(numbers))
    unknown = texts[numbers.isna()].astype("string").fillna("")
    unread = unknown[~unknown.isin(["", *files.MISSING_WORDS])]
    if unread.empty:
        return numbers
    if numbers.notna().any():
        warnings.warn(
            f"{what}: {len(unread):,} of {len(cells):,} values ({len(unread) / len(cells):.1%}) are no numbers and count as unknown; "
            f"the first is {hints.quoted(unread.iloc[0])}",
            stacklevel=3,
        )
        return numbers
    remedy = "write decimals with a point" if unread.str.fullmatch(r"[+-]?\d+,\d+").any() else "give numbers or leave it out"
    raise UsageError(
        f"{what}: none of its {len(unread):,} values is a number, the first is {hints.quoted(unread.iloc[0])}; {remedy}"
    )

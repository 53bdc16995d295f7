"""The user's table as it stands in a file, without the blank rows of spreadsheets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api import types

from vaehub import files
from vaehub_timeseries.frames.labels import find_label


def read_table(path: Path | str, time: str | None = None, missing_values: Sequence[float | str] = ()) -> pd.DataFrame:
    """A frame from a file, as it stands there: dates stay text, identifiers keep their zeros, whole numbers with gaps stay whole (Int64).

    Blank rows of a text that have no stamp, and its unnamed empty columns, are left out; an unnamed first column is the index.
    `time` must be among the columns; text among `missing_values` is read as missing.
    Raises UsageError: no such file, too large, damaged, no such column.
    """
    table = files.open_table(path, (*files.MISSING_WORDS, *(value for value in missing_values if isinstance(value, str))))
    frame = table.frame(index=True)
    if time is not None:
        find_label(time, [*frame.columns, *frame.index.names], "time")
    return frame if table.typed else trimmed(frame)


def trimmed(frame: pd.DataFrame) -> pd.DataFrame:
    """Without blank rows: those at the end, and all where the index or a column of text names every other row."""
    counts = isinstance(frame.index, pd.RangeIndex)
    blank = frame.isna().all(axis=1).to_numpy(bool) & (np.full(len(frame), counts) | frame.index.isna())
    texts = [column for _, column in frame.items() if types.is_string_dtype(column.dtype)]
    if any((column.isna().to_numpy(bool) == blank).all() for column in texts):
        kept: pd.DataFrame = frame[~blank]
    else:
        kept = frame.iloc[: len(frame) - int(np.cumprod(blank[::-1]).sum())]
    return kept.reset_index(drop=True) if counts else kept

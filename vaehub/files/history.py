"""The table of epochs of a run folder."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from vaehub.files.guard import guarded, regular_file

METRICS = "metrics.csv"


def read_history(folder: Path, as_text: bool = False) -> pd.DataFrame:
    """The figures of every epoch, a row each, without rows where there is no table.

    Arguments:
        folder: of the run.
        as_text: leave the cells as they were written, NaN and infinity too.

    Raises:
        UsageError: the table is damaged.
    """
    path = folder / METRICS
    if not path.exists():
        return pd.DataFrame()
    with guarded(path, "delete it, or train again"):
        regular_file(path)
        return pd.read_csv(path, dtype=str, keep_default_na=False) if as_text else pd.read_csv(path)

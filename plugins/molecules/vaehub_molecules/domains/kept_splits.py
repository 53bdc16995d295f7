"""The molecules of a run in a folder of it: canonical, split, with their properties, so that the file is not read again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from pandas.api import types

from vaehub import UsageError, files

FOLDER = "molecules"
SPLITS = ("train", "val", "test")
REMEDY = "delete its folder, and the molecules are read from their file again"


def write_splits(folder: Path, frames: Mapping[str, pd.DataFrame]) -> None:
    """A Parquet file for each split.

    Arguments:
        folder: of the run.
        frames: by split, a column `smiles` and properties.
    """
    (folder / FOLDER).mkdir(exist_ok=True)
    for split, frame in frames.items():
        files.write_table(frame, folder / FOLDER / f"{split}.parquet")


def read_split(folder: Path, split: str) -> pd.DataFrame:
    """What `write_splits` wrote of one split. Raises UsageError where it is damaged."""
    path = folder / FOLDER / f"{split}.parquet"
    frame = files.read_table(path)
    numbers = frame.drop(columns="smiles", errors="ignore")
    if "smiles" not in frame or frame["smiles"].isna().any() or not all(map(types.is_float_dtype, numbers.dtypes)):
        raise UsageError(f"{path}: is not what training wrote (SMILES and numbers); {REMEDY}")
    return frame.astype({"smiles": object})

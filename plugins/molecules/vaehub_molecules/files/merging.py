"""Records of the same molecule made one, with a count of those that contradict each other."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from pandas.api import types


class Conflict(NamedTuple):
    """A column that gives several values for some molecules: their number, one of them with its values, and which value is kept."""

    column: str
    molecules: int
    smiles: str
    values: tuple[float, ...]
    kept: str

    def __str__(self) -> str:
        values = " and ".join(f"{value:g}" for value in self.values)
        return f"{self.molecules:,} molecules with more than one {self.column} (such as {self.smiles}: {values}); the {self.kept} is kept"


def merge_duplicates(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Conflict]]:
    """One row for each molecule, and the columns of numbers in which its records differ.

    A measurement (a column with decimals) is the median of those that are known; a whole number, which may be an identifier, is the
    first that is known; all else is of the first record.

    Arguments:
        frame: N records, a column `smiles` of canonical SMILES among others.

    Returns:
        M <= N molecules in the order of their first records, and the conflicts.

    >>> merged, conflicts = merge_duplicates(pd.DataFrame({"smiles": ["CCO", "CC", "CCO"], "pic50": [5.0, 7.0, 6.0]}))
    >>> merged.to_dict("list"), str(conflicts[0])
    ({'smiles': ['CCO', 'CC'], 'pic50': [5.5, 7.0]}, '1 molecules with more than one pic50 (such as CCO: 5 and 6); the median is kept')
    """
    unique = frame.drop_duplicates("smiles", ignore_index=True)
    repeated = frame[frame.duplicated("smiles", keep=False)]
    conflicts = []
    for column in unique.columns if len(repeated) else ():
        if not types.is_numeric_dtype(unique[column]):
            continue
        records = repeated.groupby("smiles", sort=False)[column]
        kept = "median" if types.is_float_dtype(unique[column]) else "first"
        merged = unique["smiles"].map(records.agg(kept))
        unique[column] = unique[column].where(merged.isna(), merged).astype(unique[column].dtype)
        differing = records.nunique()
        differing = differing[differing > 1]
        if len(differing):
            smiles = str(differing.index[0])
            values = tuple(map(float, records.get_group(smiles).dropna().unique()))
            conflicts.append(Conflict(str(column), len(differing), smiles, values, kept))
    return unique, conflicts

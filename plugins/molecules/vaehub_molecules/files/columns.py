"""Which column holds the molecules, and what the others hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa
from pandas.api import types

from vaehub import UsageError, files, hints
from vaehub_molecules.chem.canonical import canonical_or_empty

Values: TypeAlias = "Callable[[Any], pd.Series[Any]]"
# as they are without case, blanks and underscores, the likeliest first
SMILES_NAMES = (
    "smiles",
    "canonicalsmiles",
    "isomericsmiles",
    "isosmiles",
    "smilesstring",
    "molsmiles",
    "smi",
    "structure",
    "molecule",
    "mol",
)


def normalised(name: str) -> str:
    """A name as it is compared."""
    return re.sub(r"[\W_]", "", name.lower())


def is_smiles_name(name: str) -> bool:
    """Whether columns of SMILES are called so."""
    return normalised(name) in SMILES_NAMES


def smiles_column(names: Sequence[str], column: str | None) -> str:
    """The column that is named, else the one with the likeliest name. Raises UsageError where there is none, or two alike."""
    if column is not None:
        return named_column(column, names)
    ranked = sorted(filter(is_smiles_name, names), key=lambda name: SMILES_NAMES.index(normalised(name)))
    if not ranked:
        raise UsageError(f"no column looks like SMILES (columns: {column_list(names)}); {remedy(names)}")
    if len(ranked) > 1 and normalised(ranked[0]) == normalised(ranked[1]):
        raise UsageError(
            f"columns {hints.quoted(ranked[0])} and {hints.quoted(ranked[1])} both look like SMILES; name one with column=…"
        )
    return ranked[0]


def remedy(names: Sequence[str]) -> str:
    """What to do where no column has a name that SMILES have: the names may be the first molecule of a file without names."""
    if any(map(is_number, names)):
        return "put a line of names before it"
    if any(canonical_or_empty(names)):
        return "put a line of names before it if it has none, else name it with column=…"
    return "name it with column=…"


def is_number(name: str) -> bool:
    """Whether a name is a number, as in a file without names."""
    return re.fullmatch(r"[+-]?\d+([.,]\d+)?", name.strip()) is not None


def named_column(column: str, names: Sequence[str]) -> str:
    """A column that is named. Raises UsageError where it is absent or there twice."""
    if column not in names:
        raise UsageError(
            f"column={column!r}: no such column (columns: {column_list(names)}); {hints.did_you_mean(column, names)}"
        )
    if list(names).count(column) > 1:
        raise UsageError(f"column={column!r}: there are {list(names).count(column)} of this name; rename all but one")
    return column


def column_list(names: Sequence[str], most: int = 12) -> str:
    """Columns as messages list them."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return (", ".join(map(hints.quoted, names[:most])) or "none") + more


def convert_types(cells: pd.Series[Any], values: Values = files.as_values) -> pd.Series[Any]:
    """Text as `values` takes it, numbers where all of it is; a blank cell is missing among numbers, and stays one among text."""
    if not (cells != "").any():
        return cells
    found = values(pa.array(cells.where(cells != "", None), pa.string()))
    return cells if types.is_string_dtype(found.dtype) else found


def other_columns(table: pd.DataFrame, smiles: str) -> pd.DataFrame:
    """What a table says beside the SMILES; of columns with the same name the first."""
    return table.loc[:, ~table.columns.duplicated()].drop(columns=[smiles, "smiles"], errors="ignore")

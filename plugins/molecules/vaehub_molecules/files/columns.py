"""Which column holds the molecules, and what the others hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from vaehub.errors import UsageError
from vaehub.hints import did_you_mean, shown

# as they are without case, blanks and underscores, the likeliest first
USUAL = (
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
PADDED = r"-?0\d"  # an identifier, not a number


def bare(name: str) -> str:
    """A name as it is compared."""
    return re.sub(r"[\W_]", "", name.lower())


def usual(name: str) -> bool:
    """Whether columns of SMILES are called so."""
    return bare(name) in USUAL


def smiles_column(names: Sequence[str], column: str | None) -> str:
    """The column that is named, else the one with the likeliest name. Raises UsageError where there is none, or two alike."""
    if column is not None:
        return given(column, names)
    ranked = sorted(filter(usual, names), key=lambda name: USUAL.index(bare(name)))
    if not ranked:
        raise UsageError(f"no column looks like SMILES (columns: {listed(names)}); name it with column=…")
    if len(ranked) > 1 and bare(ranked[0]) == bare(ranked[1]):
        raise UsageError(f"columns {shown(ranked[0])} and {shown(ranked[1])} both look like SMILES; name one with column=…")
    return ranked[0]


def given(column: str, names: Sequence[str]) -> str:
    """A column that is named. Raises UsageError where it is absent or there twice."""
    if column not in names:
        raise UsageError(f"column={column!r}: no such column (columns: {listed(names)}); {did_you_mean(column, names)}")
    if list(names).count(column) > 1:
        raise UsageError(f"column={column!r}: there are {list(names).count(column)} of this name; rename all but one")
    return column


def listed(names: Sequence[str], most: int = 12) -> str:
    """Columns as messages list them."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return (", ".join(map(shown, names[:most])) or "none") + more


def typed(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Text as numbers where all of it is: an id 007 stays one, and a blank cell is missing."""
    known = cells[cells != ""]
    if known.empty or known.str.match(PADDED).any():
        return cells
    try:
        return pd.to_numeric(cells)
    except ValueError:
        return cells


def others(table: pd.DataFrame, smiles: str) -> pd.DataFrame:
    """What a table of text says beside the SMILES; of columns with the same name the first."""
    kept = table.loc[:, ~table.columns.duplicated()].drop(columns=[smiles, "smiles"], errors="ignore")
    return kept.apply(typed) if len(kept) else kept

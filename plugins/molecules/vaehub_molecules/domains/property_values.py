"""Columns of numbers for molecules: from a table, or computed by RDKit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import pandas as pd

from vaehub import UsageError, hints
from vaehub_molecules.chem.properties import PROPERTIES, property_table

Names: TypeAlias = Sequence[str]


def property_values(frame: pd.DataFrame, names: Names) -> pd.DataFrame:
    """Columns of a table by name; those that it lacks are computed by RDKit. Raises UsageError for what is neither."""
    computed = [name for name in names if name not in frame]
    unknown = [name for name in computed if name not in PROPERTIES]
    if unknown:
        hint = hints.did_you_mean(unknown[0], [*map(str, frame.columns), *PROPERTIES])
        raise UsageError(f"domain: no column and no property {unknown[0]!r}; {hint}; RDKit computes {', '.join(PROPERTIES)}")
    out = property_table(frame["smiles"].tolist(), computed) if computed else pd.DataFrame(index=range(len(frame)))
    from_table: dict[str, Any] = {
        name: pd.to_numeric(frame[name], errors="coerce").to_numpy(float, na_value=float("nan"))
        for name in names
        if name in frame
    }
    return out.assign(**from_table)[list(names)]

"""Columns of numbers for molecules: from a table, or computed by RDKit."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from vaehub import UsageError, hints
from vaehub_molecules.chem.properties import PROPERTIES, property_table
from vaehub_molecules.files.numbers import to_numbers

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
        name: to_numbers(frame[name], f"column {hints.quoted(name)}").to_numpy() for name in names if name in frame
    }
    return out.assign(**from_table)[list(names)]


def require_variation(values: np.ndarray, names: Names) -> None:
    """Raises UsageError for a property (N, P) of the training molecules that nothing can be learnt of: always unknown, or always the same."""
    for name, column in zip(names, values.T, strict=True):
        known = column[np.isfinite(column)]
        if not len(known):
            raise UsageError(
                f"domain: {name!r} is unknown for all {len(column):,} training molecules; give values, or leave it out"
            )
        if known.min() == known.max():
            raise UsageError(
                f"domain: {name!r} is {known[0]:g} for all training molecules; nothing can be learnt of it, leave it out"
            )


def warn_of_unknown_conditions(values: np.ndarray, names: Names) -> None:
    """Tell of conditions (N, C) that are unknown for some molecules, for which their means stand in."""
    for name, unknown in zip(names, np.isnan(values).sum(0), strict=True):
        if unknown:
            warnings.warn(
                f"domain: {name!r} is unknown for {unknown:,} of {len(values):,} training molecules, which are conditioned on its mean",
                stacklevel=3,
            )

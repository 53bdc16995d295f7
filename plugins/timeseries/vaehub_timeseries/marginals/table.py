"""What is known of each column by itself, as a table for the user."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from vaehub_timeseries.marginals.bounds import Pair
from vaehub_timeseries.marginals.transform import Marginals

POWERS = {1.0: "none", 0.5: "square root", 1 / 3: "cube root", 0.0: "logarithm"}


def marginal_table(
    marginals: Marginals | None, columns: Sequence[Hashable], kinds: Sequence[str], given: Sequence[Pair | None]
) -> pd.DataFrame:
    """A row for each column of numbers: lower and upper bound, the transform, how data end at the bounds, and how they were found.

    Arguments:
        marginals: Of all channels; None where none is transformed or bounded.
        columns, kinds: Of every channel.
        given: What the user says of each.
    """
    rows: dict[Hashable, dict[str, object]] = {}
    for c, (column, kind) in enumerate(zip(columns, kinds, strict=True)):
        if kind in ("float", "int"):
            rows[column] = described(marginals, c, kind, given[c])
    index = pd.Index(list(rows), dtype=object, tupleize_cols=False)
    return pd.DataFrame(list(rows.values()), columns=["lower", "upper", "transform", "piled up", "found"]).set_axis(index, axis=0)


def described(marginals: Marginals | None, c: int, kind: str, given: Pair | None) -> dict[str, object]:
    """The row of one column."""
    if marginals is None or not marginals.changed[c]:
        return {"lower": -np.inf, "upper": np.inf, "transform": "none", "piled up": "", "found": ""}
    piles = [side for side, pile in (("lower", marginals.pile_lower[c]), ("upper", marginals.pile_upper[c])) if pile]
    power = float(marginals.power[c])
    if given is not None:
        found = "given"
    elif kind == "int" and marginals.lower[c] == 0:
        found = "counts"
    else:
        found = "data pile up" if piles else "all above 0"
    return {
        "lower": float(marginals.lower[c]),
        "upper": float(marginals.upper[c]),
        "transform": next(name for value, name in POWERS.items() if np.isclose(value, power)),
        "piled up": " and ".join(piles),
        "found": found,
    }

"""How large the errors on hidden cells are: of the imputer, and of what anyone would try first.

Cells are judged by a blend fitted on other parts of the data; see `CrossValidation`. Letters of shapes: M channels, n hidden
cells.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from vaehub_timeseries.impute.blend import CrossValidation
from vaehub_timeseries.impute.experts import Floats, Mask

LEVEL = 0.9
NOMINAL: Floats = np.round(np.linspace(0.05, 0.95, 19), 2)


def error_table(validation: CrossValidation, columns: Sequence[Hashable], scale: Floats) -> pd.DataFrame:
    """Mean absolute error per column, in its units, of imputer, linear interpolation, last value, mean, the same phase of the last period
    and of the others (NaN where there is no rhythm); coverage of the 90 % interval.

    A column of categories is judged by the errors of its indicators. `columns` and `scale`, the standard deviation, are those of every
    channel (M,).
    """
    cells, channel = validation.cells, validation.cells.channel
    unit = scale[channel]
    table = pd.DataFrame(
        {
            "imputer": validation.error * unit,
            "linear": cells.error(cells.linear) * unit,
            "last": cells.error(cells.last) * unit,
            "mean": cells.error_of_mean * unit,
            "seasonal_naive": cells.error(cells.seasonal_naive) * unit,
            "seasonal_mean": cells.error(cells.seasonal_mean) * unit,
            "coverage": covered(validation.level, LEVEL).astype(float),
            "cells": 1.0,
        }
    )
    names = pd.Index(list(columns), dtype=object, tupleize_cols=False)
    grouped = table.groupby(pd.factorize(names)[0][channel])
    out = grouped.mean().assign(cells=grouped["cells"].sum().astype(int))
    return out.set_axis(names.drop_duplicates()[out.index], axis=0)


def calibration_table(validation: CrossValidation, numeric: Mask) -> pd.DataFrame:
    """How often central intervals of nominal coverage held the truth, in the channels (M,) that are numbers; NaN where none was tested."""
    level = validation.level[numeric[validation.cells.channel]]
    reached = [covered(level, c).mean() if len(level) else np.nan for c in NOMINAL]
    return pd.DataFrame({"nominal": NOMINAL, "reached": reached})


def covered(level: Floats, nominal: float) -> Floats:
    """Whether the central interval of this coverage held each truth, by the level (n,) that the truth was."""
    return np.asarray(np.abs(level - 0.5) <= nominal / 2)

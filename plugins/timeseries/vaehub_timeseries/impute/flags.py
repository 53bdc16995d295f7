"""What became of every cell, how wide its interval is, and how long the gap that it lies in.

Letters of shapes: T steps, C channels of the frame, M of them modelled, R rows of the frame.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from vaehub import UsageError
from vaehub_timeseries.frames import Panel
from vaehub_timeseries.frames.labels import place_of
from vaehub_timeseries.impute.experts import Floats, Mask
from vaehub_timeseries.impute.linear import Neighbours
from vaehub_timeseries.impute.predictive import Predictive

OBSERVED, ESTIMATED, MISSING, DEFAULT = FLAGS = ("observed", "estimated", "missing", "default")
TAILS = (0.05, 0.95)
INDICATOR = "missingindicator_"


def flag_frame(panel: Panel, predictive: Predictive) -> pd.DataFrame:
    """flag, half_width and gap of every cell of the columns to impute, as columns (name, what) in the rows of the frame."""
    low, high = (panel.spread(predictive.quantile(level)) for level in TAILS)
    half_width = (high - low) / 2
    default = np.concatenate(unsupported(predictive))[panel.grid.nearest]
    parts: dict[tuple[Hashable, str], object] = {}
    for cells in panel.layout.targets():
        guess = default[np.arange(len(default)), cells.channel]
        codes = np.select([~cells.missing, cells.left, guess], [0, 2, 3], 1).astype(np.int8)
        parts[cells.label, "flag"] = pd.Categorical.from_codes(codes, categories=pd.Index(FLAGS))
        unsure = cells.missing & ~predictive.data.modelled[cells.channel]
        has_width = cells.label in half_width.columns
        widths = half_width.iloc[:, place_of(half_width, cells.label)].to_numpy() if has_width else np.full(len(codes), np.nan)
        parts[cells.label, "half_width"] = np.where(unsure, np.nan, widths)
        parts[cells.label, "gap"] = panel.timeline.gaps(cells.missing).steps
    names = pd.Index([name for name, _ in parts], tupleize_cols=False)
    columns = pd.MultiIndex.from_arrays([names, [what for _, what in parts]], names=[None, "what"])
    return pd.DataFrame(dict(enumerate(parts.values())), index=panel.frame.index).set_axis(columns, axis=1)


def unsupported(predictive: Predictive) -> list[Mask]:
    """Cells (T, C) of every series for which the data at hand say nothing: the mean of the fit, or `fill`, stands there."""
    data = predictive.data
    absent = np.zeros(len(data.modelled), dtype=bool)
    absent[data.modelled] = predictive.absent
    return [unsupported_cells(raw, data.modelled, absent, data.causal) for raw in data.raw]


def unsupported_cells(raw: Floats, modelled: Mask, absent: Mask, causal: bool) -> Mask:
    """Of one series (T, C): channels `absent` from the frame, series in which nothing is observed, and what the model does not know (C,)."""
    isolated = Neighbours.of(raw, causal).isolated
    nothing = bool(np.isnan(raw[:, modelled]).all())
    return np.where(modelled, absent | nothing, isolated)


def indicated_columns(panel: Panel) -> list[Hashable]:
    """The columns with missing cells, which get an indicator."""
    return [cells.label for cells in panel.layout.targets() if cells.missing.any()]


def with_indicators(filled: pd.DataFrame, panel: Panel, labels: Sequence[Hashable]) -> pd.DataFrame:
    """The frame with a column of booleans behind it for each label: whether the cell was missing. Raises UsageError where one has its name."""
    missing = {cells.label: cells.missing for cells in panel.layout.targets()}
    out = filled.copy(deep=False)
    for label in labels:
        name = indicator_name(label)
        if name in out.columns:
            raise UsageError(f"add_indicator: there is a column {name!r} already; rename it")
        out[name] = missing[label]
    return out


def indicator_name(label: Hashable) -> Hashable:
    """As scikit-learn calls it; of a tuple, its first entry is renamed."""
    return (f"{INDICATOR}{label[0]}", *label[1:]) if isinstance(label, tuple) else f"{INDICATOR}{label}"

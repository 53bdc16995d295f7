"""What the imputer takes and gives: frames or arrays, levels, warnings."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub import UsageError, arguments
from vaehub_timeseries.frames import Panel
from vaehub_timeseries.impute.experts import Floats, Mask
from vaehub_timeseries.impute.fitted import Fitted

if TYPE_CHECKING:
    import polars

Table: TypeAlias = "pd.DataFrame | pd.Series[Any] | NDArray[Any] | Mapping[str, NDArray[Any]] | polars.DataFrame | polars.Series"
T = TypeVar("T", bound=Table)
NAMED = 5  # columns in a warning


def quantile_frame(panel: Panel, quantiles: Mapping[float, Sequence[Floats]]) -> pd.DataFrame:
    """Numbers (T, C) of every series for each level, as columns (name, level) in the rows of the frame; whole where the column's are."""
    frames = [whole_where_counted(panel.spread(numbers), panel) for numbers in quantiles.values()]
    names, width = list(frames[0].columns), len(frames)
    cells = np.stack([frame.to_numpy() for frame in frames], -1).reshape(len(frames[0]), -1)
    labels: list[tuple[Hashable, float]] = [(name, level) for name in names for level in quantiles]
    columns = pd.MultiIndex.from_arrays(
        [pd.Index([name for name, _ in labels], tupleize_cols=False), [level for _, level in labels]], names=[None, "quantile"]
    )
    return pd.DataFrame(cells[:, : len(names) * width], index=frames[0].index, columns=columns)


def whole_where_counted(frame: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    """A frame of `Panel.spread` with whole numbers in the columns that hold such: the quantile of what is rounded is the rounded quantile."""
    counted = {channel.column for channel in panel.schema.channels if channel.kind == "int"}
    labels = [panel.schema.form.value] if panel.schema.form.long and counted else list(counted)
    rounded = frame.copy()
    for place, label in enumerate(frame.columns):
        if label in labels:
            rounded.isetitem(place, np.rint(frame.iloc[:, place].to_numpy()))
    return rounded


def checked_levels(levels: Sequence[float]) -> list[float]:
    """Levels of quantiles. Raises UsageError for what is none."""
    if not isinstance(levels, int | float | Iterable):
        raise arguments.wrong_argument("quantiles", levels, "a list of numbers between 0 and 1, such as [0.05, 0.5, 0.95]")
    asked = [levels] if isinstance(levels, int | float) else list(levels)
    for level in asked:
        if not isinstance(level, int | float | np.number) or not 0 < level < 1:
            raise UsageError(f"quantile {level!r}: give numbers between 0 and 1, such as [0.05, 0.5, 0.95]")
    if not asked:
        raise UsageError("quantiles: none asked for; give numbers between 0 and 1, such as [0.05, 0.5, 0.95]")
    return list(dict.fromkeys(float(level) for level in asked))


def checked_share(name: str, value: float) -> float:
    """A number between 0 and 1. Raises UsageError for what is none."""
    share = arguments.real_number(name, value)
    if not 0 < share < 1:
        raise UsageError(f"{name}={value!r}: give a number between 0 and 1, such as 0.001")
    return share


def warn_of_empty_columns(panel: Panel, fitted: Fitted) -> None:
    """Warn of the columns with nothing observed, and say what they get."""
    observed = np.any([(~np.isnan(s.values)).any(0) for s in panel.series], axis=0)
    warn_about(panel, ~observed & fitted.modelled, "every cell gets the mean of the data that the imputer was fitted on")
    warn_about(
        panel, ~observed & ~fitted.modelled, f"nor was in the data of the fit: every cell gets fill={fitted.options.fill:g}"
    )


def warn_about(panel: Panel, channels: Mask, consequence: str) -> None:
    """One warning for all of these channels (C,)."""
    names = list(dict.fromkeys(str(c.column) for c, chosen in zip(panel.schema.channels, channels, strict=True) if chosen))
    if names:
        more = f" and {len(names) - NAMED} more columns" if len(names) > NAMED else ""
        warnings.warn(
            f"{', '.join(names[:NAMED])}{more}: nothing is observed that can be used; {consequence}", UserWarning, stacklevel=5
        )

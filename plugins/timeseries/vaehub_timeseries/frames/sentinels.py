"""Numbers that mean "missing" but do not say so."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaehub_timeseries.frames.panel import Panel

MIN_SHARE = 0.005  # share of the cells
MIN_DISTINCT = 10  # distinct values beside it
MIN_DISTANCE = 2.0  # from the rest, in ranges of the rest


class Sentinel(NamedTuple):
    """A value that looks like a sentinel, its share of the observed cells, and "below" or "above" the rest."""

    value: float
    share: float
    side: str


def warn_of_sentinels(panel: Panel) -> None:
    """One warning for each column of numbers in which a single value stands apart."""
    for name, values in numeric_channels(panel):
        if (found := find_sentinel(values)) is not None:
            value = f"{found.value:.10g}"
            warnings.warn(
                f"{name}: {found.share:.0%} of its values are {value}, far {found.side} the rest; "
                f"if that means missing, give missing_values=[{value}] (--missing-values={value})",
                UserWarning,
                stacklevel=4,
            )


def numeric_channels(panel: Panel) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """The observed numbers of each channel that has some of its own."""
    for place, channel in enumerate(panel.schema.channels):
        if channel.kind in ("float", "int"):
            values = panel.flat[:, place]
            yield channel.name, values[~np.isnan(values)]


def find_sentinel(values: NDArray[np.float64]) -> Sentinel | None:
    """The least or the greatest value, where it is frequent and stands apart from values that vary."""
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) <= MIN_DISTINCT:
        return None
    for at, side in ((0, "below"), (-1, "above")):
        value, rest = distinct[at], np.delete(distinct, at)
        often = counts[at] >= max(3, MIN_SHARE * len(values))
        if often and stands_apart(float(value), rest):
            return Sentinel(float(value), counts[at] / len(values), side)
    return None


def stands_apart(value: float, rest: NDArray[np.float64]) -> bool:
    """Whether a value is far from the rest, or clearly negative where all of the rest is not."""
    low, high = np.quantile(rest, [0.05, 0.95])
    distance = np.abs(rest - value).min()
    return bool(distance > MIN_DISTANCE * (high - low)) or bool(value <= -9 and value.is_integer() and rest[0] >= 0)

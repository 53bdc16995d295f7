"""The figures about all columns: where cells are missing, how large the errors are, whether the bands keep their promise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm, to_rgba
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from vaehub import report
from vaehub_timeseries.report.bands import HOLE, OBSERVED, axis_values
from vaehub_timeseries.report.content import Array, ReportContent, missing, ratios
from vaehub_timeseries.report.dates import time_axis

# the page shows through where nothing is missing, so that the map is as light or dark as it
SHADES = LinearSegmentedColormap.from_list("holes", [to_rgba(report.FAINT, 0.12), to_rgba(HOLE, 0.9), to_rgba("#a5351a")])
FAINTEST = 0.4  # exponent of the shades: a single missing cell among hundreds must still be seen
NAMED = 45  # columns that a figure can name
FURTHEST = 2.6  # errors above this many times linear interpolation's are drawn at the edge
LONGEST_NAME = 18


def missing_map(content: ReportContent, canvas: report.Canvas) -> Figure:
    """Columns from top to bottom, time from left to right, the share of missing cells as shade."""
    holes, stamps = missing(content), axis_values(content.frame.index)
    shares, start, end = binned(holes, stamps, 150 if canvas.narrow else 360)
    named = holes.shape[1] <= NAMED
    figure = canvas.figure(0.55 + (max(0.19 * holes.shape[1], 0.4) if named else 3.6))
    axes = figure.subplots()
    axes.grid(visible=False)
    edges = date2num([start, end]) if stamps.dtype.kind == "M" else np.array([start, end], float)  # type: ignore[no-untyped-call]
    edges = edges if end > start else edges + np.array([-0.5, 0.5])
    axes.imshow(
        shares.T, aspect="auto", interpolation="nearest", cmap=SHADES, norm=PowerNorm(FAINTEST, 0, 1),
        extent=(*edges, holes.shape[1] - 0.5, -0.5),
    )  # fmt: skip
    name_columns(axes, list(content.frame.columns), named)
    if stamps.dtype.kind == "M":
        axes.xaxis_date()
    time_axis(axes, stamps, 7 if canvas.narrow else 9)
    return figure


def name_columns(axes: Axes, names: Sequence[str], named: bool) -> None:
    """Columns at the left, or their number where there are too many to name."""
    axes.spines[:].set_visible(False)
    if named:
        axes.set_yticks(range(len(names)), [report.truncated(name, LONGEST_NAME) for name in names], color=report.INK)
        axes.hlines(np.arange(len(names) - 1) + 0.5, *axes.get_xlim(), color=report.CARD, linewidth=1.2)
    else:
        axes.set_yticks([])
        axes.set_ylabel(f"{len(names):,} columns, in the order of the file")


def binned(holes: Array, stamps: Array, most: int) -> tuple[Array, Any, Any]:
    """Share of missing cells (bins, C) in equal stretches of time, with the first and the last stamp; NaN where there is no row."""
    start, end = stamps.min(), stamps.max()
    count = max(1, min(most, len(np.unique(stamps))))
    span = (stamps - start) / (end - start) if end > start else np.zeros(len(stamps))
    at = np.minimum((np.asarray(span, dtype=float) * count).astype(int), count - 1)
    rows = np.bincount(at, minlength=count)[:, None]
    sums = np.zeros((count, holes.shape[1]))
    np.add.at(sums, at, holes)
    return np.divide(sums, rows, out=np.full_like(sums, np.nan), where=rows > 0), start, end


def error_bars(content: ReportContent, columns: Sequence[str], canvas: report.Canvas) -> Figure:
    """The imputer's error in each column as a bar, linear interpolation = 1, last value and mean as marks."""
    errors = content.errors.loc[list(columns)]
    linear = errors["linear"].replace(0, np.nan)
    bars, places = ratios(content.errors).loc[list(columns)], np.arange(len(columns))
    figure = canvas.figure(0.95 + 0.25 * len(columns))
    axes = figure.subplots()
    axes.grid(visible=False)
    axes.barh(
        places,
        np.minimum(bars, FURTHEST),
        height=0.6,
        color=[report.GOOD if r < 1 else report.WARNING for r in bars],
        label="imputer",
    )
    axes.axvline(1, color=report.INK, linewidth=1.2, label="linear interpolation")
    for name, marker, label in (("last", "D", "last value"), ("mean", "o", "mean")):
        mark_errors(axes, errors[name] / linear, places, marker, label)
    axes.set_yticks(places, [report.truncated(name, LONGEST_NAME) for name in columns], color=report.INK)
    axes.set(xlim=(0, FURTHEST * 1.06), ylim=(len(columns) - 0.4, -0.6))
    axes.set_xlabel(f"mean absolute error, linear interpolation = 1 (▸ above {FURTHEST:g})")
    figure.legend(loc="outside upper left", ncols=2 if canvas.narrow else 4)
    return figure


def mark_errors(axes: Axes, values: pd.Series, places: Array, marker: str, label: str) -> None:
    """A rival's errors as marks; an arrow at the edge where they lie beyond it."""
    near = (values <= FURTHEST).to_numpy()
    axes.scatter(
        values[near], places[near], marker=marker, s=26, facecolor=report.CARD, edgecolor=report.FAINT, zorder=3, label=label
    )
    beyond = places[(values > FURTHEST).to_numpy()]
    axes.scatter(np.full(len(beyond), FURTHEST * 1.03), beyond, marker=">", s=22, color=report.FAINT, zorder=3)


def calibration_plot(content: ReportContent, canvas: report.Canvas) -> Figure:
    """Promised against reached coverage: on the diagonal, the bands are as wide as they should be."""
    pairs = content.calibration.sort_values("nominal")
    figure = canvas.figure(3.4)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=report.REST, linewidth=1, linestyle=(0, (4, 3)))
    axes.plot(pairs["nominal"], pairs["reached"], color=OBSERVED, marker="o", markersize=4.5, linewidth=1.6)
    axes.annotate("too wide", (0.04, 0.93), color=report.FAINT)
    axes.annotate("too narrow", (0.96, 0.04), color=report.FAINT, ha="right")
    ticks = np.linspace(0, 1, 6)
    axes.set_xticks(ticks, [f"{tick:.0%}" for tick in ticks])
    axes.set_yticks(ticks, [f"{tick:.0%}" for tick in ticks])
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.set_xlabel("interval asked for")
    axes.set_ylabel("held-out cells inside it")
    return figure

"""One column: the whole series above, its gaps close up, each imputed stretch in its band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaehub import report
from vaehub_timeseries.report.content import Array, ReportContent, left_missing, missing, rows_of
from vaehub_timeseries.report.dates import ROUND, time_axis
from vaehub_timeseries.report.gaps import Gap, gaps, worth_showing

OBSERVED, IMPUTED, HOLE, LEFT = report.BLUE, report.RED, report.ORANGE, report.FAINT

DENSE = 1500  # a line through more rows than this is drawn thin
DOTS = 150  # observed cells are dots as well where there are no more than this many
HOLE_IN_TIME = 3.0  # stamps further apart than this many usual steps are not joined by a line


@dataclass(frozen=True)
class ColumnSeries:
    """One column of one series in the order of time; T values each."""

    entity: str
    stamps: Array
    missing: Array
    filled: Array
    low: Array
    high: Array
    left: Array

    def cut(self, part: slice) -> ColumnSeries:
        """A stretch of it."""
        return ColumnSeries(
            self.entity,
            self.stamps[part],
            self.missing[part],
            self.filled[part],
            self.low[part],
            self.high[part],
            self.left[part],
        )


def column_series(content: ReportContent, column: str) -> ColumnSeries:
    """The column in the series that has most of its missing cells."""
    place = content.frame.columns.get_loc(column)
    holes, left = missing(content)[:, place], left_missing(content)[:, place]
    present = content.completed[column].notna().to_numpy() | left
    series = {name: rows[present[rows]] for name, rows in rows_of(content).items()}
    entity, rows = max(series.items(), key=lambda item: int(holes[item[1]].sum()))
    filled, low, high = (
        frame[column].to_numpy(dtype=float, na_value=np.nan)[rows] for frame in (content.completed, content.low, content.high)
    )
    at = holes[rows]
    return ColumnSeries(
        entity,
        axis_values(content.frame.index)[rows],
        at,
        filled,
        np.where(at, low, filled),
        np.where(at, high, filled),
        left[rows],
    )


def axis_values(index: pd.Index) -> Array:
    """Stamps as matplotlib takes them: the wall clock of their zone, or numbers; row numbers for anything else."""
    if isinstance(index, pd.DatetimeIndex):
        return index.tz_localize(None).to_numpy()
    return index.to_numpy() if pd.api.types.is_numeric_dtype(index) else np.arange(len(index))


def band_figure(shown: ColumnSeries, canvas: report.Canvas) -> Figure:
    """The whole series and up to two gaps close up: beside it on a screen, below it on a phone."""
    rows = len(shown.stamps)
    close = worth_showing(gaps(shown.missing & ~shown.left), rows)
    panels = panels_of(canvas, 1 + len(close))
    draw_whole(panels[0], shown, canvas)
    for axes, (name, gap) in zip(panels[1:], close.items(), strict=True):
        draw_close_up(axes, shown, f"{name} that was filled" if shown.left.any() else name, gap)
    return panels[0].figure  # type: ignore[return-value]


def panels_of(canvas: report.Canvas, count: int) -> list[Axes]:
    """Axes in a row, the first the widest, or one below the other."""
    if canvas.narrow:
        figure = canvas.figure(height := 1.5 * count, layout=None)
        return list(figure.subplots(count, 1, squeeze=False, gridspec_kw=margins(canvas.width, height, hspace=0.68))[:, 0])
    figure = canvas.figure(height := 2.1, layout=None)
    ratios = [1.6, 1, 1][:count]
    return list(
        figure.subplots(1, count, squeeze=False, width_ratios=ratios, gridspec_kw=margins(canvas.width, height, wspace=0.2))[0]
    )


def margins(width: float, height: float, **between: float) -> dict[str, float]:
    """Room around the axes for labels, in shares of the figure."""
    left, right, top, bottom = 0.5, 0.24, 0.26, 0.42  # inches
    return {"left": left / width, "right": 1 - right / width, "top": 1 - top / height, "bottom": bottom / height, **between}


def draw_whole(axes: Axes, shown: ColumnSeries, canvas: report.Canvas) -> None:
    """All of the series, with marks below where something is missing."""
    of = f" of {shown.entity}" if shown.entity else ""
    prepare_axes(axes, f"whole series{of}: {report.plural(int(shown.missing.sum()), 'missing cell')}")
    draw_series(axes, shown, 0.6 if len(shown.stamps) > DENSE else 1.0)
    for cells, color in ((shown.missing & ~shown.left, HOLE), (shown.left, LEFT)):
        at = shown.stamps[cells]
        axes.plot(at, np.zeros(len(at)), transform=axes.get_xaxis_transform(), marker="|", markersize=8, color=color, linewidth=0)
    time_axis(axes, shown.stamps, 7 if canvas.narrow else 9)


def draw_close_up(axes: Axes, shown: ColumnSeries, name: str, gap: Gap) -> None:
    """One gap with its neighbours; the ground behind the gap that the title speaks of is grey, for others may lie beside it."""
    part = gap.surroundings(len(shown.stamps))
    near = shown.cut(part)
    prepare_axes(axes, f"around {name} ({report.plural(gap.length, 'row')})")
    axes.axvspan(
        *stamps_around(near.stamps, gap.start - part.start, gap.stop - part.start), color=report.RULE, linewidth=0, zorder=0
    )
    draw_series(axes, near, 1.4)
    time_axis(axes, near.stamps, 5)


def stamps_around(stamps: Array, start: int, stop: int) -> tuple[Any, Any]:
    """From halfway before to halfway behind the rows start … stop-1 of stamps (T,)."""
    before, behind = max(start - 1, 0), min(stop, len(stamps) - 1)
    first, last = stamps[start], stamps[stop - 1]
    return first - (first - stamps[before]) / 2, last + (stamps[behind] - last) / 2


def prepare_axes(axes: Axes, title: str) -> None:
    """Axes for values in any unit."""
    axes.set_title(title, y=1.0, fontsize=8)
    axes.grid(visible=False, axis="x")
    axes.margins(x=0.015, y=0.1)
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=ROUND))
    axes.ticklabel_format(axis="y", scilimits=(-3, 5))
    axes.yaxis.get_offset_text().set(x=1, ha="right", color=report.FAINT, fontsize=8)  # beside the title, not in its place


def draw_series(axes: Axes, shown: ColumnSeries, line: float) -> None:
    """Observed line, imputed line and band; the last two reach to the observed neighbours."""
    stamps, values = with_breaks(shown.stamps, np.stack([shown.filled, shown.low, shown.high, shown.missing.astype(float)]))
    filled, low, high, holes = values
    near = with_neighbours((holes == 1) & ~np.isnan(filled))
    if len(stamps) > DENSE:  # a cell is less than a dot wide, and thousands of areas take seconds
        axes.vlines(stamps[holes == 1], low[holes == 1], high[holes == 1], color=report.BAND, linewidth=1)
    else:
        axes.fill_between(stamps, low, high, where=near, color=report.BAND, linewidth=0)
    marker = "o" if len(stamps) <= DOTS else ""
    axes.plot(stamps, np.where(holes == 0, filled, np.nan), color=OBSERVED, linewidth=line, marker=marker, markersize=2.6)
    axes.plot(stamps, np.where(near, filled, np.nan), color=IMPUTED, linewidth=line)
    axes.plot(stamps, np.where(holes == 1, filled, np.nan), color=IMPUTED, linewidth=0, marker=marker, markersize=2.6)


def with_neighbours(missing: Array) -> Array:
    """The missing cells (T,) and their neighbours."""
    out = missing.copy()
    out[1:] |= missing[:-1]
    out[:-1] |= missing[1:]
    return out


def with_breaks(stamps: Array, values: Array) -> tuple[Array, Array]:
    """Stamps (T,) and values (K, T) with a NaN put into every hole in time, so that no line crosses it."""
    steps = np.diff(stamps)
    if not len(steps):
        return stamps, values
    at = np.flatnonzero(steps > HOLE_IN_TIME * np.median(steps))
    return np.insert(stamps, at + 1, stamps[at] + steps[at] / 2), np.insert(values, at + 1, np.nan, axis=1)

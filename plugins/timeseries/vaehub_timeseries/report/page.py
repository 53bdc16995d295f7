"""The page about a table whose gaps were filled, from `ReportContent` alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from vaehub import report
from vaehub_timeseries.frames.labels import place_of
from vaehub_timeseries.marginals.bounds import bounds_text
from vaehub_timeseries.report.bands import band_figure, column_series
from vaehub_timeseries.report.charts import calibration_plot, error_bars, missing_map
from vaehub_timeseries.report.content import (
    TIE,
    ReportContent,
    column_summary,
    left_missing,
    most_missing_first,
    overall_ratio,
    ratios,
    rows_of,
    verdict,
    worst_first,
)
from vaehub_timeseries.report.dates import three_digits

DRAWN, BARS, LISTED, UNFOLDED = (
    16,
    24,
    200,
    20,
)  # columns with a figure of their own, with a bar, in the tables, and in open tables
QUOTED = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)  # coverages that are given in figures, too
METHODS = ("imputer", "linear", "last", "mean")
SEASONAL = {"seasonal_naive": "last season", "seasonal_mean": "mean season"}  # where a rhythm was found


def write_report(content: ReportContent, path: Path, progress: Callable[[int, int], None] = lambda done, of: None) -> Path:
    """Write the page, whole or not at all; `progress` is called with how many figures are done, of how many."""
    return report_page(content).write(path, progress)


def render(content: ReportContent, progress: Callable[[int, int], None] = lambda done, of: None) -> str:
    """The page as HTML: the same content gives the same bits."""
    return report_page(content).html(progress)


def report_page(content: ReportContent) -> report.Page:
    """What was missing, what was put in its place, and how far to trust it."""
    summary, (well, text) = column_summary(content), verdict(content.errors, list(content.low.columns))
    sections = [
        report.Section("What is missing", gaps_of(content, summary), missing_note(content)),
        report.Section("What was put in its place", list(filled_columns(content, summary))),
        report.Section("What was learnt from the data", learnt_of(content)),
        report.Section("How large the errors are", errors_of(content), ERRORS if len(content.errors) else ""),
        report.Section("Whether the intervals keep their promise", coverage_of(content), PROMISE),
        report.Section("How it was made", [report.Facts(content.made)] if content.made else []),
    ]
    return report.Page(
        title=content.title,
        subtitle=f"Imputation report: {summary_line(content)}",
        lead=[
            report.Tiles(list(tiles(content, summary))),
            report.Finding(text, "good" if well else "warning"),
            *warnings_of(content),
        ],
        sections=[section for section in sections if section.blocks],
    )


ERRORS = "Observed cells were hidden in gaps like those of the data, imputed, and compared with what had been observed."
BOUNDS = "No value that was put in, no end of an interval and no draw lies beyond these bounds."
PROMISE = "Of the held-out cells, the share that lies inside the interval asked for; on the dashed line, the promise is kept."


def missing_note(content: ReportContent) -> str:
    """How to read the map."""
    over = ", over all series" if content.entity is not None else ""
    return f"The stronger the colour, the larger the share of missing cells at that time{over}."


def warnings_of(content: ReportContent) -> list[report.Block]:
    """What was warned of."""
    return [report.Finding(note, "warning", "Warning") for note in content.notes]


def gaps_of(content: ReportContent, summary: pd.DataFrame) -> list[report.Block]:
    """The map of missing cells, and a row for every column."""
    shown = summary.sort_values("missing", ascending=False, kind="stable").head(LISTED)
    rows = [
        [str(name), row["dtype"], f"{row['missing']:,}", f"{row['share']:.1%}", f"{row['gaps']:,}", f"{row['longest']:,}"]
        for name, row in shown.iterrows()
    ]
    head = ["column", "dtype", "missing", "share", "gaps", "longest (rows)"]
    if (left := left_missing(content)).any():
        counts = dict(zip(summary.index, left.sum(0), strict=True))
        head, rows = [*head, "left missing"], [[*row, f"{counts[name]:,}"] for row, name in zip(rows, shown.index, strict=True)]
    return [
        report.Figure("Missing cells", partial(missing_map, content), "Missing cells by column and time."),
        report.Table(head, rows, "Gaps by column", folded=len(rows) > UNFOLDED),
    ]


def filled_columns(content: ReportContent, summary: pd.DataFrame) -> Iterator[report.Block]:
    """Each column that had gaps, with its figure."""
    columns = columns_to_draw(content, summary)
    if not columns:
        yield report.Text("No numeric column had a gap to fill.", faint=False)
        return
    more = f"; {len(columns) - DRAWN} more are in the tables only" if len(columns) > DRAWN else ""
    yield report.Text(f"Columns with the most missing cells come first{more}.")
    band = f"{content.level:.0%} interval"
    behind = "the gap that a close view is around"
    yield report.Key([("blue", "line", "observed"), ("red", "line", "imputed"), ("band", "area", band), ("rule", "area", behind)])
    if left_missing(content).any():
        yield report.Text("Marks below a series: orange where cells were imputed, grey where a gap was left as it is.")
    for column in columns[:DRAWN]:
        draw = partial(band_figure, column_series(content, column))
        yield report.Figure(str(column), draw, "with its gaps filled.", column_note(content, column))


def learnt_of(content: ReportContent) -> list[report.Block]:
    """Rhythms, trends, what a network brought, and the bounds of columns."""
    return [*([report.Facts(content.learnt)] if content.learnt else []), *bounds_of(content)]


def bounds_of(content: ReportContent) -> list[report.Block]:
    """The columns that have bounds or are modelled under a transform; nothing where there are none."""
    if content.marginals.empty:
        return []
    bounded = content.marginals[content.marginals["found"] != ""].head(LISTED)
    rows = [
        [str(name), bounds_text(row["lower"], row["upper"]), row["transform"], row["piled up"] or "–", row["found"]]
        for name, row in bounded.iterrows()
    ]
    head = ("column", "bounds", "transform", "data pile up at", "how found")
    return [report.Table(head, rows, "Bounds and transforms by column", folded=len(rows) > UNFOLDED)] if rows else []


def errors_of(content: ReportContent) -> list[report.Block]:
    """Errors on hidden cells, as bars and as a table."""
    tested = worst_first(content.errors)
    if not tested:
        return [report.Text("No column had enough observed cells to hide some of them for a test.", faint=False)]
    more = len(tested) - BARS
    worst = (
        f"The columns where it fares worst beside linear interpolation are drawn; {more} more are in the table."
        if more > 0
        else ""
    )
    figure = report.Figure("Held-out error", partial(error_bars, content, tested[:BARS]), "Held-out error by column.", worst)
    inside = f"in {content.level:.0%} interval"
    seasonal = [name for name in SEASONAL if name in content.errors and content.errors[name].notna().any()]
    methods = (*METHODS, *seasonal)
    rivals = ("linear", "last value", "mean", *(SEASONAL[name] for name in seasonal))
    head = ("column", "imputer", *rivals, "beside linear", inside, "cells")
    sides = ratios(content.errors).loc[tested[:LISTED]]
    rows = [
        error_row(str(name), row, side, methods)
        for (name, row), side in zip(content.errors.loc[tested[:LISTED]].iterrows(), sides, strict=True)
    ]
    title = "Mean absolute error by column, in its units"
    return [figure, report.Table(head, rows, title, f"Bold: the smallest of the {len(methods)}.", folded=len(rows) > UNFOLDED)]


def error_row(name: str, row: pd.Series[float], ratio: float, methods: Sequence[str] = METHODS) -> list[report.Cell | str]:
    """The errors of a column; the smallest are bold."""
    texts = [three_digits(float(row[method])) for method in methods]
    smallest = report.best([float(text.replace(",", "").replace("–", "nan")) for text in texts], lower=True, digits=15)
    share = report.Cell("–" if pd.isna(ratio) else f"{ratio:.0%}", tone=tone(ratio))
    coverage = "–" if pd.isna(row["coverage"]) else f"{row['coverage']:.0%}"
    cells = [report.Cell(text, best=first) for text, first in zip(texts, smallest, strict=True)]
    return [name, *cells, share, coverage, f"{row['cells']:,.0f}"]


def tone(ratio: float) -> report.Tone:
    """Better or worse than linear interpolation, or neither."""
    return "good" if ratio < 1 - TIE else "warning" if ratio > 1 + TIE else ""


def coverage_of(content: ReportContent) -> list[report.Block]:
    """Promised and reached coverage."""
    if not len(content.calibration):
        return []
    pairs = content.calibration[content.calibration["nominal"].isin(QUOTED)]
    rows = [[f"{nominal:.0%}", f"{reached:.1%}"] for nominal, reached in pairs[["nominal", "reached"]].itertuples(index=False)]
    plot = report.Figure("Coverage", partial(calibration_plot, content), "Nominal against reached coverage.", half=True)
    return [report.Beside([plot, report.Table(("interval asked for", "cells inside it"), rows)])]


def summary_line(content: ReportContent) -> str:
    """Rows, columns, series and the stretch of time, in a line."""
    frame, series = content.frame, len(rows_of(content))
    parts = [report.plural(len(frame), "row"), report.plural(frame.shape[1], "column")]
    parts += [f"{series:,} series"] if series > 1 else []
    if isinstance(frame.index, pd.DatetimeIndex):
        parts.append(f"{frame.index.min():%d %b %Y} to {frame.index.max():%d %b %Y}")
    return ", ".join([*parts, content.step] if content.step else parts)


def tiles(content: ReportContent, summary: pd.DataFrame) -> Iterator[report.Tile]:
    """The figures to read first."""
    left, holes = int(left_missing(content).sum()), int(summary["missing"].sum())
    cells = int(content.completed.notna().to_numpy().sum()) + left
    yield report.Tile("missing cells", f"{holes:,}", f"{holes / max(cells, 1):.1%} of {cells:,}")
    if left:
        yield report.Tile("left missing", f"{left:,}", f"{left / holes:.0%} of the missing cells")
    yield report.Tile("longest gap", report.plural(int(summary["longest"].max()), "row"), str(summary["longest"].idxmax()))
    beside_linear = ratios(content.errors).dropna()
    if len(beside_linear):
        hidden = f"{int(content.errors['cells'].sum()):,} hidden cells"
        better = f"mean; lower in {int((beside_linear < 1).sum())} of {report.plural(len(beside_linear), 'column')}; {hidden}"
        yield report.Tile("error beside linear", f"{overall_ratio(content.errors):.0%}", better)
    tested = content.errors[content.errors["coverage"].notna()]
    if len(tested):
        reached = float(np.average(tested["coverage"], weights=tested["cells"]))
        yield report.Tile(f"{content.level:.0%} interval", f"{reached:.0%}", "of the held-out cells lie inside it")


def columns_to_draw(content: ReportContent, summary: pd.DataFrame) -> list[str]:
    """Columns of which gaps were filled and that have a band."""
    filled = summary["missing"] - left_missing(content).sum(0)
    holed = filled[(filled > 0) & summary.index.isin(content.low.columns)]
    return most_missing_first(content.errors, holed)


def column_note(content: ReportContent, column: str) -> str:
    """What held-out cells say of a column."""
    ratio = ratios(content.errors).get(column, np.nan)
    count = int(left_missing(content)[:, place_of(content.frame, column)].sum())
    left = f" {report.plural(count, 'missing cell')} left as they are." if count else ""
    if pd.isna(ratio):
        return f"Not tested: none of its observed cells was hidden.{left}"
    error = three_digits(float(content.errors["imputer"][column]))
    return f"Mean absolute error on held-out cells {error}, {ratio:.0%} of linear interpolation's.{left}"

"""One HTML page that opens offline, from `Findings` alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd

from vaehub.files.atomic import atomic_write
from vaehub.report.run_page import Tile
from vaehub_timeseries.report.bands import band_figure, lane
from vaehub_timeseries.report.charts import calibration_plot, error_bars, missing_map
from vaehub_timeseries.report.findings import (
    Findings,
    column_summary,
    most_missing_first,
    overall,
    plural,
    ratios,
    rows_of,
    verdict,
    worst_first,
)
from vaehub_timeseries.report.look import PHONE, Picture, number, picture

DRAWN, BARS, LISTED = 16, 24, 200  # columns with a figure of their own, with a bar, and in the tables
QUOTED = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)  # coverages that are given in figures, too


@dataclass(frozen=True)
class Drawn:
    """A column with its figure."""

    name: str
    note: str
    picture: Picture


def write_report(findings: Findings, path: Path, progress: Callable[[int, int], None] = lambda done, of: None) -> Path:
    """Write the page, whole or not at all; `progress` is told how many figures are done, of how many."""
    atomic_write(path, render(findings, progress).encode())
    return path


def render(findings: Findings, progress: Callable[[int, int], None] = lambda done, of: None) -> str:
    """The page as HTML: the same findings give the same bits."""
    summary, (well, text) = column_summary(findings), verdict(findings.errors, list(findings.low.columns))
    tested, filled = worst_first(findings.errors), to_draw(findings, summary)
    return template().render(
        findings=findings,
        about=about(findings),
        tiles=list(tiles(findings, summary)),
        well=well,
        verdict=text,
        map=picture("Missing cells by column and time.", partial(missing_map, findings)),
        summary=summary.sort_values("missing", ascending=False, kind="stable").head(LISTED),
        columns=list(drawn(findings, filled[:DRAWN], progress)),
        unfilled=max(0, len(filled) - DRAWN),
        bars=picture("Held-out error by column.", lambda canvas: error_bars(findings, tested[:BARS], canvas)) if tested else None,
        unbarred=max(0, len(tested) - BARS),
        errors=findings.errors.loc[tested[:LISTED]],
        ratios=ratios(findings.errors),
        calibration=picture("Nominal against reached coverage.", lambda canvas: calibration_plot(findings, PHONE))
        if len(findings.calibration)
        else None,
        pairs=findings.calibration[findings.calibration["nominal"].isin(QUOTED)],
        number=lambda value: "–" if pd.isna(value) else number(float(value)),
    )


@cache
def template() -> jinja2.Template:
    """The page with its gaps; everything put into them is escaped."""
    loader = jinja2.PackageLoader("vaehub_timeseries.report")
    options: dict[str, Any] = {"undefined": jinja2.StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    return jinja2.Environment(loader=loader, autoescape=True, **options).get_template("report.html")


def about(findings: Findings) -> str:
    """Rows, columns, series and the stretch of time, in a line."""
    frame, series = findings.frame, len(rows_of(findings))
    parts = [plural(len(frame), "row"), plural(frame.shape[1], "column")]
    parts += [f"{series:,} series"] if series > 1 else []
    if isinstance(frame.index, pd.DatetimeIndex):
        parts.append(f"{frame.index.min():%d %b %Y} to {frame.index.max():%d %b %Y}")
    return ", ".join([*parts, findings.step] if findings.step else parts)


def tiles(findings: Findings, summary: pd.DataFrame) -> Iterator[Tile]:
    """The figures to read first."""
    cells, holes = int(findings.completed.notna().to_numpy().sum()), int(summary["missing"].sum())
    yield Tile("missing cells", f"{holes:,}", f"{holes / max(cells, 1):.1%} of {cells:,}")
    yield Tile("longest gap", plural(int(summary["longest"].max()), "row"), str(summary["longest"].idxmax()))
    known = ratios(findings.errors).dropna()
    if len(known):
        better = f"mean; lower in {int((known < 1).sum())} of {plural(len(known), 'column')}"
        yield Tile("error beside linear", f"{overall(findings.errors):.0%}", better)
    tested = findings.errors[findings.errors["coverage"].notna()]
    if len(tested):
        reached = float(np.average(tested["coverage"], weights=tested["cells"]))
        yield Tile(f"{findings.level:.0%} interval", f"{reached:.0%}", "of the held-out cells lie inside it")


def to_draw(findings: Findings, summary: pd.DataFrame) -> list[str]:
    """Columns that had gaps and have a band."""
    holed = summary["missing"][(summary["missing"] > 0) & summary.index.isin(findings.low.columns)]
    return most_missing_first(findings.errors, holed)


def drawn(findings: Findings, columns: list[str], progress: Callable[[int, int], None]) -> Iterator[Drawn]:
    """Each column with its figure."""
    for done, column in enumerate(columns):
        progress(done, len(columns))
        yield Drawn(
            str(column),
            note(findings, column),
            picture(f"{column} with its gaps filled.", partial(band_figure, lane(findings, column))),
        )
    progress(len(columns), len(columns))


def note(findings: Findings, column: str) -> str:
    """What held-out cells say of a column."""
    ratio = ratios(findings.errors).get(column, np.nan)
    if pd.isna(ratio):
        return "not tested: none of its observed cells was hidden"
    error = number(float(findings.errors["imputer"][column]))
    return f"mean absolute error on held-out cells {error}, {ratio:.0%} of linear interpolation's"

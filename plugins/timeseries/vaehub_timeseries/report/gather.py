"""From a fitted imputer and a frame to what the report shows."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

import pandas as pd

from vaehub_timeseries.frames import to_panel_as
from vaehub_timeseries.frames.gap_limits import GapLimits
from vaehub_timeseries.report.content import ReportContent, joined_names
from vaehub_timeseries.report.view import WideView

if TYPE_CHECKING:
    from vaehub_timeseries import Imputer

LEVEL = 0.9


def gather_content(
    imputer: Imputer,
    frame: pd.DataFrame,
    completed: pd.DataFrame,
    title: str,
    notes: tuple[str, ...] = (),
    made: Mapping[str, str] | None = None,
) -> ReportContent:
    """What the page shows of a frame that `imputer.transform` completed."""
    limits = GapLimits.of(imputer.max_gap, imputer.limit_area, imputer.schema_)
    view = WideView(to_panel_as(frame, imputer.schema_).leaving_gaps(limits))
    levels = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    tails = imputer.quantiles(frame, levels)
    left = view.left()
    low, high = (tails.loc[:, tails.columns.get_level_values(-1) == q].droplevel(-1, axis=1) for q in levels)
    return ReportContent(
        title=title,
        frame=view.observed(),
        completed=view.of(completed).mask(left),
        low=view.of(low),
        high=view.of(high),
        level=LEVEL,
        errors=imputer.errors_.set_axis([*map(str, imputer.errors_.index)], axis=0),
        calibration=imputer.calibration_,
        entity=view.entity,
        step=view.step,
        notes=notes,
        made={
            **(made or {}),
            "versions": f"vaehub {version('vaehub')}, vaehub-timeseries {version('vaehub-timeseries')}",
        },
        left=left,
        learnt=learnt(imputer),
        marginals=imputer.marginals_.set_axis([*map(str, imputer.marginals_.index)], axis=0),
    )


def learnt(imputer: Imputer) -> dict[str, str]:
    """What the imputer found in the data of its fit, in words: rhythms, trends, and whether a network pays."""
    periods, trends = imputer.seasons_, [str(column) for column in imputer.trends_]
    return {
        "rhythms": f"every {joined_names([f'{period:g}' for period in periods])} steps" if periods else "none found",
        "trends": f"continued in {joined_names(trends)}" if trends else "none found",
        "network": str(imputer.network_),
    }

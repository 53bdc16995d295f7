"""`vaehub timeseries anomalies`."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Annotated

import typer

from vaehub import cli
from vaehub_timeseries.commands.settings import Input, Settings, with_settings
from vaehub_timeseries.commands.tables import check_outputs, sibling, with_keys, write_outputs

if TYPE_CHECKING:
    import pandas as pd

    from vaehub_timeseries.frames import Panel


@with_settings
def anomalies(
    input: Input,
    output: cli.Output,
    top: Annotated[int, typer.Option(min=0, help="Print so many of the most surprising cells, or of the strongest events.")] = 10,
    force: cli.Force = False,
    events: Annotated[
        bool, typer.Option("--events", help="Print and also write events: stretches, what is odd there, and why.")
    ] = False,
    false_alarms: Annotated[float, typer.Option(help="False events a step that chance may bring about, with --events.")] = 0.001,
    *,
    settings: Settings,
) -> None:
    """Score every observed cell: how many calibrated standard deviations is it from what all other cells predict?

    Example: vaehub timeseries anomalies weather.csv -o scores.csv --events
    """

    from vaehub_timeseries.frames import to_panel_as

    check_outputs(output, [input], force)
    like = settings.dialect(input)
    with cli.session() as running:
        frame, imputer = settings.table_and_imputer(running, input)
        with running.step("scoring"):
            scores, panel = imputer.score_anomalies(frame), to_panel_as(frame, imputer.schema_)
        tables = {output: with_keys(panel.keys(), scores)}
        if events:
            with running.step("looking for events"):
                tables[sibling(output, "events")] = found = imputer.find_anomalies(frame, false_alarms)
    if events:
        cli.print_table([*map(str, found.columns)], strongest(found, top))
    else:
        cli.print_table(("row", "when", "column", "value", "score"), most_surprising(panel, scores, top))
    write_outputs(tables, like=None if like is None else like.of_scores)


def strongest(found: pd.DataFrame, top: int) -> list[list[str]]:
    """The strongest events as text, in order of time."""
    chosen = found["strength"].nlargest(top).index.sort_values()
    return [[str(cell) for cell in row] for row in found.loc[chosen].itertuples(index=False)]


def most_surprising(panel: Panel, scores: pd.DataFrame, top: int) -> list[list[str]]:
    """The cells with the highest scores: row, its time and entity, column, value, score."""
    import numpy as np

    keys, values = panel.keys(), scores.to_numpy(dtype=float, na_value=np.nan)
    order = np.argsort(-values, axis=None, kind="stable")[: min(top, int(np.isfinite(values).sum()))]
    return [
        anomaly_row(panel, keys, int(row), scores.columns[column], values[row, column])
        for row, column in zip(*np.unravel_index(order, values.shape), strict=True)
    ]


def anomaly_row(panel: Panel, keys: pd.DataFrame, row: int, column: Hashable, score: float) -> list[str]:
    """One cell in words."""
    from vaehub_timeseries.frames.labels import column_of

    when = " ".join(map(str, keys.iloc[row])) if keys.shape[1] else str(panel.frame.index[row])
    return [str(row), when, str(column), str(column_of(panel.frame, column).iloc[row]), f"{score:.1f}"]

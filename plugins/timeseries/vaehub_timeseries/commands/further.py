"""`vaehub timeseries generate`, `forecast` and `anomalies`."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaehub.cli.common import Force, Output, print_table
from vaehub.cli.session import Session, session
from vaehub.errors import UsageError
from vaehub_timeseries.commands.files import beside, keyed, levels, write
from vaehub_timeseries.commands.impute import Input, Quantiles
from vaehub_timeseries.commands.settings import Settings, with_settings

if TYPE_CHECKING:
    import pandas as pd

    from vaehub_timeseries import Imputer
    from vaehub_timeseries.frames import Panel


@with_settings
def generate(
    output: Output,
    input: Annotated[
        Path | None,
        typer.Argument(metavar="[INPUT]", help="A table to learn from; leave it out with --model.", show_default=False),
    ] = None,
    n: Annotated[int, typer.Option("-n", "--number", min=1, help="How many series.")] = 1,
    steps: Annotated[int | None, typer.Option(min=1, help="Rows of each.", show_default="as the model sees at once")] = None,
    force: Force = False,
    *,
    settings: Settings,
) -> None:
    """Draw new series like those of a table or of a model.

    Example: vaehub timeseries generate --model runs/series -n 10 -o drawn.csv
    """
    from vaehub.files.tables import check_output

    check_output(output, [input], force)
    with session() as running:
        imputer = model_for(running, input, settings)
        with running.step("generating"):
            drawn = imputer.generate(n, steps)
    write({output: drawn})


def model_for(running: Session, input: Path | None, settings: Settings) -> Imputer:
    """The model of --model, which needs no table, else one fitted on the table. Raises UsageError where neither is given."""
    if settings.model is not None:
        return settings.loaded(settings.model)
    if input is None:
        raise UsageError("give INPUT, a table to fit on, or --model, a run folder or saved imputer")
    return settings.prepared(running, input)[1]


@with_settings
def forecast(
    input: Input,
    output: Output,
    steps: Annotated[int, typer.Option(min=1, help="Rows to forecast for every series.", show_default=False)],
    quantiles: Quantiles = None,
    force: Force = False,
    *,
    settings: Settings,
) -> None:
    """Continue every series of a table: the future as a gap.

    Example: vaehub timeseries forecast weather.csv --steps 24 -o tomorrow.csv
    """
    from vaehub.files.tables import check_output
    from vaehub_timeseries.frames import extend, understand_as

    asked = levels(quantiles) if quantiles else []
    check_output(output, [input], force)
    with session() as running:
        frame, imputer = settings.prepared(running, input)
        with running.step("forecasting"):
            tables = {output: imputer.forecast(frame, steps)}
            if asked:
                keys = extend(understand_as(frame, imputer.schema_), steps).keys().iloc[len(frame) :]
                tables[beside(output, "quantiles")] = keyed(keys, imputer.forecast(frame, steps, asked))
    write(tables)


@with_settings
def anomalies(
    input: Input,
    output: Output,
    top: Annotated[int, typer.Option(min=0, help="Print so many of the most surprising cells.")] = 10,
    force: Force = False,
    *,
    settings: Settings,
) -> None:
    """Score every observed cell: how many calibrated standard deviations is it from what all other cells predict?

    Example: vaehub timeseries anomalies weather.csv --top 20 -o scores.csv
    """
    from vaehub.files.tables import check_output
    from vaehub_timeseries.frames import understand_as

    check_output(output, [input], force)
    with session() as running:
        frame, imputer = settings.prepared(running, input)
        with running.step("scoring"):
            scores, panel = imputer.score_anomalies(frame), understand_as(frame, imputer.schema_)
    print_table(("row", "when", "column", "value", "score"), most_surprising(panel, scores, top))
    write({output: keyed(panel.keys(), scores)})


def most_surprising(panel: Panel, scores: pd.DataFrame, top: int) -> list[list[str]]:
    """The cells with the highest scores: row, its time and entity, column, value, score."""
    import numpy as np

    keys, values = panel.keys(), scores.to_numpy(dtype=float, na_value=np.nan)
    order = np.argsort(-values, axis=None, kind="stable")[: min(top, int(np.isfinite(values).sum()))]
    return [
        told(panel, keys, int(row), scores.columns[column], values[row, column])
        for row, column in zip(*np.unravel_index(order, values.shape), strict=True)
    ]


def told(panel: Panel, keys: pd.DataFrame, row: int, column: Hashable, score: float) -> list[str]:
    """One cell in words."""
    from vaehub_timeseries.frames.labels import column_of

    when = " ".join(map(str, keys.iloc[row])) if keys.shape[1] else str(panel.frame.index[row])
    return [str(row), when, str(column), str(column_of(panel.frame, column).iloc[row]), f"{score:.1f}"]

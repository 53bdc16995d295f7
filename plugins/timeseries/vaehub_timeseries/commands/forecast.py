"""`vaehub timeseries forecast`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vaehub import cli
from vaehub_timeseries.commands.settings import Input, Quantiles, Settings, with_settings
from vaehub_timeseries.commands.tables import check_outputs, parse_levels, read_input, sibling, with_keys, write_outputs


@with_settings
def forecast(
    input: Input,
    output: cli.Output,
    steps: Annotated[int, typer.Option(min=1, help="Rows to forecast for every series.", show_default=False)],
    quantiles: Quantiles = None,
    future: Annotated[
        Path | None, typer.Option(help="A table of rows ahead in which some columns are given.", show_default=False)
    ] = None,
    force: cli.Force = False,
    *,
    settings: Settings,
) -> None:
    """Continue every series of a table: the future as a gap.

    Example: vaehub timeseries forecast weather.csv --steps 24 -o tomorrow.csv
    """

    from vaehub_timeseries.frames import extend, to_panel_as

    levels = parse_levels(quantiles) if quantiles else []
    check_outputs(output, [input, *([] if future is None else [future])], force, ["quantiles"] * bool(levels))
    like = settings.dialect(input)
    with cli.session() as running:
        frame, imputer = settings.table_and_imputer(running, input)
        reading = imputer.schema_.reading
        given = None if future is None else read_input(running, future, reading.time, reading.missing_values)
        with running.step("forecasting"):
            tables = {output: imputer.forecast(frame, steps, future=given)}
            if levels:
                keys = extend(to_panel_as(frame, imputer.schema_), steps).keys().iloc[len(frame) :]
                tables[sibling(output, "quantiles")] = with_keys(keys, imputer.forecast(frame, steps, levels, given))
    write_outputs(tables, like=like)

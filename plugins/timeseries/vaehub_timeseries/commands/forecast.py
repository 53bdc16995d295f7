"""`vaehub timeseries forecast`."""

from __future__ import annotations

from typing import Annotated

import typer

from vaehub import cli
from vaehub_timeseries.commands.settings import Input, Quantiles, Settings, with_settings
from vaehub_timeseries.commands.tables import check_outputs, parse_levels, sibling, with_keys, write_outputs


@with_settings
def forecast(
    input: Input,
    output: cli.Output,
    steps: Annotated[int, typer.Option(min=1, help="Rows to forecast for every series.", show_default=False)],
    quantiles: Quantiles = None,
    force: cli.Force = False,
    *,
    settings: Settings,
) -> None:
    """Continue every series of a table: the future as a gap.

    Example: vaehub timeseries forecast weather.csv --steps 24 -o tomorrow.csv
    """

    from vaehub_timeseries.frames import extend, to_panel_as

    levels = parse_levels(quantiles) if quantiles else []
    check_outputs(output, [input], force, ["quantiles"] * bool(levels))
    like = settings.dialect(input)
    with cli.session() as running:
        frame, imputer = settings.table_and_imputer(running, input)
        with running.step("forecasting"):
            tables = {output: imputer.forecast(frame, steps)}
            if levels:
                keys = extend(to_panel_as(frame, imputer.schema_), steps).keys().iloc[len(frame) :]
                tables[sibling(output, "quantiles")] = with_keys(keys, imputer.forecast(frame, steps, levels))
    write_outputs(tables, like=like)

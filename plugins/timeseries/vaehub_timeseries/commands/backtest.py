"""`vaehub timeseries backtest`."""

from __future__ import annotations

from typing import Annotated

import typer

from vaehub import cli, files
from vaehub_timeseries.commands.settings import Input, Settings, with_settings
from vaehub_timeseries.commands.tables import read_input, write_outputs


@with_settings
def backtest(
    input: Input,
    output: cli.Output,
    steps: Annotated[int, typer.Option(min=1, help="Rows to forecast at every origin.", show_default=False)],
    origins: Annotated[int, typer.Option(min=1, help="Earlier ends of the table to forecast from.")] = 5,
    force: cli.Force = False,
    *,
    settings: Settings,
) -> None:
    """Forecast from earlier ends of a table, and compare with what came: errors, MASE, CRPS and coverage beside simple rivals.

    Example: vaehub timeseries backtest weather.csv --steps 24 -o scores.csv
    """
    from vaehub import UsageError
    from vaehub_timeseries import Imputer

    if settings.model is not None:
        raise UsageError("backtest: --model cannot be used, as the model is fitted anew before every origin; leave it out")
    files.check_output(output, [input], force)
    with cli.session() as running:
        frame = read_input(running, input, settings.time, settings.sentinels)
        with running.step("forecasting from earlier origins"):
            scores = Imputer(**settings.options()).backtest(frame, steps, origins)
    write_outputs({output: scores.reset_index().set_index("column")})

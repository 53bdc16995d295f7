"""`vaehub timeseries generate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaehub import UsageError, cli
from vaehub_timeseries.commands.settings import Settings, with_settings
from vaehub_timeseries.commands.tables import check_outputs, write_outputs

if TYPE_CHECKING:
    from vaehub_timeseries import Imputer


@with_settings
def generate(
    output: cli.Output,
    input: Annotated[
        Path | None,
        typer.Argument(metavar="[INPUT]", help="A table to learn from; leave it out with --model.", show_default=False),
    ] = None,
    n: Annotated[int, typer.Option("-n", "--number", min=1, help="How many series.")] = 1,
    steps: Annotated[int | None, typer.Option(min=1, help="Rows of each.", show_default="as the model sees at once")] = None,
    like: Annotated[
        str | None, typer.Option(help="Entity of the table that the series are to be like.", show_default="any")
    ] = None,
    start: Annotated[str | None, typer.Option(help="First stamp of each.", show_default="the next after the table")] = None,
    force: cli.Force = False,
    *,
    settings: Settings,
) -> None:
    """Draw new series like those of a table or of a model.

    Example: vaehub timeseries generate --model runs/series -n 10 -o drawn.csv
    """

    check_outputs(output, [input], force)
    dialect = None if input is None else settings.dialect(input)
    with cli.session() as running:
        imputer = imputer_for(running, input, settings)
        with running.step("generating"):
            drawn = imputer.generate(n, steps, entity=like, start=start)
    write_outputs({output: drawn}, like=dialect)


def imputer_for(running: cli.Session, input: Path | None, settings: Settings) -> Imputer:
    """The model of --model, which needs no table, else one fitted on the table. Raises UsageError where neither is given."""
    if settings.model is not None:
        return settings.load_model(settings.model)
    if input is None:
        raise UsageError("give INPUT, a table to fit on, or --model, a run folder or saved imputer")
    return settings.table_and_imputer(running, input)[1]

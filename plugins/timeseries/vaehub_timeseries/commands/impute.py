"""`vaehub timeseries impute` and `report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaehub.cli.common import Force, Output
from vaehub.cli.session import Session, session
from vaehub.errors import UsageError
from vaehub_timeseries.commands.files import beside, keyed, levels, stacked, write
from vaehub_timeseries.commands.settings import Settings, with_settings

if TYPE_CHECKING:
    import pandas as pd

    from vaehub_timeseries import Imputer

Input = Annotated[
    Path, typer.Argument(metavar="INPUT", help="A table: .csv, .tsv, .parquet or .feather, each also .gz.", show_default=False)
]
Quantiles = Annotated[str | None, typer.Option(help="Also write these quantiles of every cell: 0.05,0.95.", show_default=False)]


@with_settings
def impute(
    input: Input,
    output: Output,
    samples: Annotated[int, typer.Option(min=0, help="Also write so many joint draws of the whole table.")] = 0,
    quantiles: Quantiles = None,
    report: Annotated[bool, typer.Option("--report", help="Also write a page with figures and errors.")] = False,
    force: Force = False,
    *,
    settings: Settings,
) -> None:
    """Fill the gaps of a table; its observed cells come back as they are.

    Example: vaehub timeseries impute weather.csv -o filled.csv --quantiles 0.05,0.95 --report
    """
    from vaehub.files.tables import check_output

    asked = levels(quantiles) if quantiles else []
    check_output(output, [input], force)
    with session() as running:
        frame, imputer = settings.prepared(running, input)
        with running.step("imputing"):
            tables = {output: imputer.transform(frame)} | extras(imputer, frame, output, asked, samples)
        command = f"impute {input} -o {output} --report"
        text = page(running, imputer, frame, tables[output], input.name, command, settings) if report else None
    write(tables, {} if text is None else {beside(output, "report", ".html"): text}, [how_well(imputer)])


def extras(imputer: Imputer, frame: pd.DataFrame, output: Path, asked: list[float], samples: int) -> dict[Path, pd.DataFrame]:
    """The tables of quantiles and of draws, where they are asked for."""
    from vaehub_timeseries.frames import understand_as

    tables = {}
    if asked:
        keys = understand_as(frame, imputer.schema_).keys()
        tables[beside(output, "quantiles")] = keyed(keys, imputer.quantiles(frame, asked))
    if samples:
        tables[beside(output, "samples")] = stacked(imputer.samples(frame, samples))
    return tables


@with_settings
def report(input: Input, output: Output, *, settings: Settings) -> None:
    """Write a page on what is missing in a table, what would be put there, and how far to trust it.

    Example: vaehub timeseries report weather.csv -o weather.html
    """
    if output.suffix != ".html":
        raise UsageError(f"{output}: the report is a page; give a name that ends in .html")
    with session() as running:
        frame, imputer = settings.prepared(running, input)
        with running.step("imputing"):
            completed = imputer.transform(frame)
        text = page(running, imputer, frame, completed, input.name, f"report {input} -o {output}", settings)
    write({}, {output: text}, [how_well(imputer)])


def page(
    running: Session, imputer: Imputer, frame: pd.DataFrame, completed: pd.DataFrame, title: str, command: str, settings: Settings
) -> str:
    """The report as HTML."""
    from vaehub_timeseries.report import gather, render

    with running.step("drawing the report") as progress:
        made = {"command": f"vaehub timeseries {command} {settings.words}".strip()}
        return render(gather(imputer, frame, completed, title, tuple(running.notes), made), progress)


def how_well(imputer: Imputer) -> str:
    """The imputer's error on hidden cells beside linear interpolation's, in a line."""
    from vaehub_timeseries.report.findings import verdict

    columns = dict.fromkeys(str(channel.column) for channel in imputer.schema_.channels if channel.target)
    errors = imputer.errors_.set_axis([*map(str, imputer.errors_.index)], axis=0)
    return verdict(errors, list(columns))[1]

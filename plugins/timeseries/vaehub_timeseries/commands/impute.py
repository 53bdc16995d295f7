"""`vaehub timeseries impute` and `report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaehub import UsageError, cli
from vaehub_timeseries.commands.settings import Input, Quantiles, Settings, with_settings
from vaehub_timeseries.commands.tables import check_outputs, parse_levels, sibling, stacked, with_keys, write_outputs

if TYPE_CHECKING:
    import pandas as pd

    from vaehub_timeseries import Imputer


@with_settings
def impute(
    input: Input,
    output: cli.Output,
    samples: Annotated[int, typer.Option(min=0, help="Also write so many joint draws of the whole table.")] = 0,
    quantiles: Quantiles = None,
    report: Annotated[bool, typer.Option("--report", help="Also write a page with figures and errors.")] = False,
    force: cli.Force = False,
    *,
    settings: Settings,
) -> None:
    """Fill the gaps of a table; its observed cells come back as they are.

    Example: vaehub timeseries impute weather.csv -o filled.csv --quantiles 0.05,0.95 --report
    """

    levels = parse_levels(quantiles) if quantiles else []
    check_outputs(output, [input], force, [*["quantiles"] * bool(levels), *["samples"] * bool(samples)])
    like = settings.dialect(input)
    with cli.session() as running:
        frame, imputer = settings.table_and_imputer(running, input)
        with running.step("imputing"):
            tables = {output: imputer.transform(frame)} | extra_tables(imputer, frame, output, levels, samples)
        command = f"impute {input} -o {output} --report"
        text = report_html(running, imputer, frame, tables[output], input.name, command, settings) if report else None
    write_outputs(tables, {} if text is None else {sibling(output, "report", ".html"): text}, [verdict_sentence(imputer)], like)


def extra_tables(
    imputer: Imputer, frame: pd.DataFrame, output: Path, levels: list[float], samples: int
) -> dict[Path, pd.DataFrame]:
    """The tables of quantiles and of draws, where they are asked for."""
    from vaehub_timeseries.frames import to_panel_as

    tables = {}
    if levels:
        keys = to_panel_as(frame, imputer.schema_).keys()
        tables[sibling(output, "quantiles")] = with_keys(keys, imputer.quantiles(frame, levels))
    if samples:
        tables[sibling(output, "samples")] = stacked(imputer.samples(frame, samples))
    return tables


@with_settings
def report(input: Input, output: cli.Output, *, settings: Settings) -> None:
    """Write a page on what is missing in a table, what would be put there, and how far to trust it.

    Example: vaehub timeseries report weather.csv -o weather.html
    """
    if output.suffix != ".html":
        raise UsageError(f"{output}: the report is a page; give a name that ends in .html")
    with cli.session() as running:
        frame, imputer = settings.table_and_imputer(running, input)
        with running.step("imputing"):
            completed = imputer.transform(frame)
        text = report_html(running, imputer, frame, completed, input.name, f"report {input} -o {output}", settings)
    write_outputs({}, {output: text}, [verdict_sentence(imputer)])


def report_html(
    running: cli.Session,
    imputer: Imputer,
    frame: pd.DataFrame,
    completed: pd.DataFrame,
    title: str,
    command: str,
    settings: Settings,
) -> str:
    """The report as HTML."""
    from vaehub_timeseries.report import gather_content, render

    with running.step("drawing the report") as progress:
        made = {"command": f"vaehub timeseries {command} {settings.as_flags}".strip()}
        return render(gather_content(imputer, frame, completed, title, tuple(running.notes), made), progress)


def verdict_sentence(imputer: Imputer) -> str:
    """The imputer's error on hidden cells beside linear interpolation's, in a line."""
    from vaehub_timeseries.report.content import verdict

    columns = dict.fromkeys(str(channel.column) for channel in imputer.schema_.channels if channel.target)
    errors = imputer.errors_.set_axis([*map(str, imputer.errors_.index)], axis=0)
    return verdict(errors, list(columns))[1]

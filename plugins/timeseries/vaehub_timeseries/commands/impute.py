"""`vaehub timeseries impute` and `report`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaehub import UsageError, cli
from vaehub_timeseries.commands.settings import Input, LimitArea, MaxGap, Quantiles, Settings, with_settings
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
    flags: Annotated[
        bool, typer.Option("--flags", help="Also write what became of every cell, and how far to trust it.")
    ] = False,
    max_gap: MaxGap = None,
    limit_area: LimitArea = None,
    force: cli.Force = False,
    *,
    settings: Settings,
) -> None:
    """Fill the gaps of a table; its observed cells come back as they are.

    Example: vaehub timeseries impute weather.csv -o filled.csv --quantiles 0.05,0.95 --report
    """

    levels, limits = parse_levels(quantiles) if quantiles else [], parse_limits(max_gap, limit_area)
    extra = {"quantiles": bool(levels), "samples": bool(samples), "flags": flags}
    check_outputs(output, [input], force, [name for name, asked in extra.items() if asked])
    like = settings.dialect(input)
    with cli.session() as running:
        frame, imputer = settings.table_and_imputer(running, input, **limits)
        with running.step("imputing"):
            tables = {output: imputer.transform(frame)} | extra_tables(imputer, frame, output, levels, samples, flags)
        command = f"impute {input} -o {output} --report{limit_options(limits)}"
        text = report_html(running, imputer, frame, tables[output], input.name, command, settings) if report else None
    write_outputs(tables, {} if text is None else {sibling(output, "report", ".html"): text}, [verdict_sentence(imputer)], like)


def extra_tables(
    imputer: Imputer, frame: pd.DataFrame, output: Path, levels: list[float], samples: int, flags: bool
) -> dict[Path, pd.DataFrame]:
    """The tables of quantiles, of draws and of flags, where they are asked for."""
    from vaehub_timeseries.frames import to_panel_as

    tables = {}
    keys = to_panel_as(frame, imputer.schema_).keys() if levels or flags else frame
    if levels:
        tables[sibling(output, "quantiles")] = with_keys(keys, imputer.quantiles(frame, levels))
    if samples:
        tables[sibling(output, "samples")] = stacked(imputer.samples(frame, samples))
    if flags:
        tables[sibling(output, "flags")] = with_keys(keys, imputer.flags(frame))
    return tables


def parse_limits(max_gap: str | None, limit_area: str | None) -> dict[str, str]:
    """The options of `Imputer` that say which gaps are filled, where they are given. Raises UsageError."""
    from vaehub_timeseries.frames.gap_limits import parse_gap

    if max_gap is not None:
        parse_gap(max_gap, "--max-gap")
    return {name: value for name, value in (("max_gap", max_gap), ("limit_area", limit_area)) if value is not None}


def limit_options(limits: Mapping[str, str]) -> str:
    """The same as they are written on the command line."""
    return "".join(f" --{name.replace('_', '-')}={shlex.quote(value)}" for name, value in limits.items())


@with_settings
def report(input: Input, output: cli.Output, max_gap: MaxGap = None, limit_area: LimitArea = None, *, settings: Settings) -> None:
    """Write a page on what is missing in a table, what would be put there, and how far to trust it.

    Example: vaehub timeseries report weather.csv -o weather.html
    """
    if output.suffix != ".html":
        raise UsageError(f"{output}: the report is a page; give a name that ends in .html")
    limits = parse_limits(max_gap, limit_area)
    with cli.session() as running:
        frame, imputer = settings.table_and_imputer(running, input, **limits)
        with running.step("imputing"):
            completed = imputer.transform(frame)
        command = f"report {input} -o {output}{limit_options(limits)}"
        text = report_html(running, imputer, frame, completed, input.name, command, settings)
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

"""`vaehub compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaehub.cli.common import AsJson, by_suffix, existing_run, print_json, print_table, replacing
from vaehub.errors import UsageError

if TYPE_CHECKING:
    from vaehub.evaluation.compare import Comparison

FIGURES = (".png", ".svg", ".pdf")


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN RUN…", help="Run folders, two or more.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Draw the curves of training to .png, .svg or .pdf.", show_default=False
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Compare runs: figures at the best epoch, options that differ, and curves.

    Example: vaehub compare runs/first runs/second -o curves.png
    """
    for path in runs:
        existing_run(path)
    if output is not None:
        by_suffix(output, dict.fromkeys(FIGURES, str))
    if len(set(runs)) < len(runs):
        raise UsageError("compare: a run is named twice; give every run once")
    from vaehub.evaluation.compare import compare as compared
    from vaehub.run import load

    found = compared({str(path): load(path) for path in runs})
    if output is not None:
        draw(found, output)
    if json:
        return print_json(as_json(found))
    print_tables(found)
    if output is not None:
        print(output)


def draw(found: Comparison, path: Path) -> None:
    """The curves to a file."""
    from vaehub.report.curves import comparison_curves

    with replacing(path) as temporary:
        comparison_curves(found.curves).savefig(temporary)


def as_json(found: Comparison) -> dict[str, Any]:
    """The tables by run."""
    return {"figures": found.figures.to_dict(), "differences": found.differences.to_dict(), "notes": list(found.notes)}


def print_tables(found: Comparison) -> None:
    """Both tables, the best of a row with a star."""
    names = list(found.figures.columns)
    rows = [(row, *(cell(found, row, name) for name in names)) for row in found.figures.index]
    print_table(("best epoch by train.monitor", *names), rows)
    print("* best" if found.best.to_numpy().any() else "no figure is better in one run than in the others")
    for note in found.notes:
        print(f"note: {note}")
    if len(found.differences):
        print()
        print_table(("option", *names), [(row, *found.differences.loc[row]) for row in found.differences.index])


def cell(found: Comparison, row: str, name: str) -> str:
    """A figure as text."""
    value: Any = found.figures.loc[row, name]
    text = "" if value is None or value != value else f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
    return f"{text} *" if found.best.loc[row, name] else text

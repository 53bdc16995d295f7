"""`vaehub compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaehub.cli.common import AsJson, existing_run, output_option, print_json, print_table, replacing, require_suffix
from vaehub.errors import UsageError

if TYPE_CHECKING:
    from vaehub.evaluation.compare import Comparison

PAGE = ".html"
PICTURES = (".png", ".svg", ".pdf")


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN RUN…", help="Run folders, two or more.", show_default=False)],
    output: Annotated[
        Path | None,
        output_option(help="Write a page (.html), or the curves alone (.png, .svg, .pdf).", default="nothing is written"),
    ] = None,
    json: AsJson = False,
) -> None:
    """Compare runs: figures at the best epoch, options that differ, and curves.

    Example: vaehub compare runs/first runs/second -o compared.html
    """
    for path in runs:
        existing_run(path)
    if output is not None:
        require_suffix(output, (PAGE, *PICTURES))
    if len(set(runs)) < len(runs):
        raise UsageError("compare: a run is named twice; give every run once")
    from vaehub.evaluation.compare import compare as compared
    from vaehub.run import load

    found = compared({str(path): load(path) for path in runs})
    if output is not None:
        write(found, output)
    if json:
        return print_json(as_json(found))
    print_tables(found)
    if output is not None:
        print(output)


def write(found: Comparison, path: Path) -> None:
    """A page, or the curves alone, by the suffix."""
    if path.suffix == PAGE:
        from vaehub.report.comparison import comparison_page

        comparison_page(found).write(path)
        return
    from vaehub.report.curves import comparison_curves
    from vaehub.report.style import CARD, WIDE, drawn

    with replacing(path) as temporary:
        drawn(lambda canvas: comparison_curves(found.curves, canvas), WIDE).savefig(temporary, dpi=140, facecolor=CARD)


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
    """A figure as text, the best with a star."""
    text = found.text(row, name)
    return f"{text} *" if found.best.loc[row, name] else text

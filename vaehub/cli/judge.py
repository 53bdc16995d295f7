"""`vaehub evaluate`, `doctor` and `report`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from vaehub.cli.common import AsJson, RunPath, Seed, Split, open_run, print_json, print_table
from vaehub.jobs.progress import stage

LISTED = 10  # figures of one kind on a line


def evaluate(
    run: RunPath,
    split: Split = "test",
    samples: Annotated[int, typer.Option(min=1, help="Importance samples for a row's likelihood.")] = 100,
    seed: Seed = 0,
    json: AsJson = False,
) -> None:
    """Print the bound, the likelihood and the domain's metrics, in nats per row.

    Example: vaehub evaluate runs/mnist --split val --samples 100
    """
    opened = open_run(run)
    with stage("evaluating"):
        figures = opened.evaluate(split, samples, seed)
    print_json(figures) if json else print_figures(figures)


def print_figures(figures: Mapping[str, Any]) -> None:
    """One figure on a line."""
    print_table(("figure", "value"), [(name, figure(value)) for name, value in figures.items()])


def figure(value: Any) -> str:
    """A figure as text, floats with six significant digits, long lists cut."""
    if isinstance(value, list | tuple):
        more = f" … ({len(value)} in all; --json has them)" if len(value) > LISTED else ""
        return " ".join(map(figure, value[:LISTED])) + more
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def doctor(run: RunPath, json: AsJson = False) -> None:
    """Look for what commonly goes wrong in a run, with the evidence and the option to change.

    Example: vaehub doctor runs/mnist
    """
    from dataclasses import asdict

    from vaehub.evaluation.doctor import examine

    opened = open_run(run)
    with stage("examining the run"):
        diagnosis = examine(opened)
    if json:
        return print_json([asdict(finding) for finding in diagnosis.findings])
    for finding in diagnosis.findings:
        print(finding)
    print(diagnosis.verdict)


def report(run: RunPath) -> None:
    """Write RUN/report.html anew: all that is known of the run on one page, with the sections of its domain.

    Example: vaehub report runs/mnist
    """
    from vaehub.report.run_page import write_report

    opened = open_run(run)
    with stage("drawing the report"):
        path = write_report(opened)
    print(path)

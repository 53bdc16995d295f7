"""`vaehub train`."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer

from vaehub.jobs.progress import stage


def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A YAML file.", show_default=False)],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]…", help="Options that replace the file's.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder.", show_default="runs/ and the config's name")] = None,
    init: Annotated[
        Path | None, typer.Option(metavar="RUN", help="A run to start from: its weights, as far as they fit.", show_default=False)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a run that is there already.")] = False,
) -> None:
    """Train a model and write its run folder and report."""
    from vaehub.config.load import load_config

    settled, folder = load_config(config, overrides or []), out or Path("runs") / config.stem
    with stage("starting"):  # takes seconds to import: the config is checked first
        from vaehub.training.fit import is_first
        from vaehub.training.fit import train as fit

    run = fit(settled, out=folder, resume=resume, force=force, init=init)
    if is_first():
        print(f"validation ELBO: {best_elbo(folder / 'metrics.csv')} nats per row")
        with stage("drawing the report"):
            page = run.report()
        print(page)


def best_elbo(metrics: Path) -> str:
    """The highest validation ELBO of the run."""
    with metrics.open(newline="") as file:
        values = [float(row["val_elbo"]) for row in csv.DictReader(file) if row.get("val_elbo")]
    return f"{max(values):.2f}" if values else "none"

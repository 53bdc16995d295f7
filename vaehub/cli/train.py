"""`vaehub train`."""

from __future__ import annotations

import csv
import shlex
from pathlib import Path
from typing import Annotated

import typer

from vaehub.cli.common import existing_run
from vaehub.cli.describe import config_names
from vaehub.cli.session import session
from vaehub.jobs.progress import stage
from vaehub.signals import Interrupted


def train(
    config: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG",
            help="A YAML file, or the name of a config that comes with a plugin (see vaehub configs).",
            show_default=False,
            autocompletion=config_names,
        ),
    ],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]…", help="Options that replace the file's (see vaehub options).")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", "--out", metavar="FOLDER", help="The run folder.", show_default="runs/ and the config's name"
        ),
    ] = None,
    init: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN", help="A run to start from: its weights, as far as they fit.", show_default=False, callback=existing_run
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a run that is there already.")] = False,
) -> None:
    """Train a model and write its run folder and report.

    Example: vaehub train mnist latent=8 train.epochs=5 -o runs/first
    """
    from vaehub.config.load import load_config

    load_config(config, overrides or [])  # is checked first: what follows takes seconds to import
    folder = output or Path("runs") / config.stem
    with stage("starting"):
        from vaehub.training.fit import train as train_model
        from vaehub.training.processes import is_first

    with session():
        run = train_model(config, overrides or [], folder, resume=resume, force=force, init=init)
    if is_first():
        print(f"validation ELBO: {best_elbo(folder / 'metrics.csv')} nats per row")
        try:
            with stage("drawing the report"):
                page = run.report()
        except Interrupted as stop:
            again = shlex.join(["vaehub", "report", str(folder)])
            raise Interrupted(stop.number, f"; {folder} holds the whole run: draw its report with {again}") from stop
        print(page)


def best_elbo(metrics: Path) -> str:
    """The highest validation ELBO of the run."""
    with metrics.open(newline="") as file:
        values = [float(row["val_elbo"]) for row in csv.DictReader(file) if row.get("val_elbo")]
    return f"{max(values):.2f}" if values else "none"

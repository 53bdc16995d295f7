"""`vaehub demo imputation`: New York's weather with the gaps its stations left, filled and reported, offline and within a minute."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from vaehub import files
from vaehub_timeseries.commands.impute import impute

SAMPLE = "nyc_weather.csv.gz"


def imputation(
    out: Annotated[Path, typer.Option("--output", "-o", "--out", metavar="FOLDER", help="Folder to write to.")] = Path(
        "imputation-demo"
    ),
) -> None:
    """Fill the gaps in a table of weather that comes with the package, and report how well that went.

    Example: vaehub demo timeseries -o weather
    """
    sample = out / SAMPLE
    files.atomic_write(sample, (resources.files("vaehub_timeseries") / "data" / SAMPLE).read_bytes())
    print(f"{sample}: hourly weather at New York's three airports, August to November 2013, with the gaps that the stations left")
    impute(input=sample, output=out / "filled.csv", report=True)

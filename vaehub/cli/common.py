"""What commands share: options, opening a run, and writing files and tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

    from vaehub.run import Run

RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, or its model.safetensors.", show_default=False)]
Input = Annotated[Path, typer.Argument(metavar="INPUT", help="Rows in a format of the run's domain.", show_default=False)]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write; the suffix says how.", show_default=False)
]
OptionalOutput = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Where to write; the suffix says how.", show_default="in the run folder"),
]
Noise = Annotated[bool, typer.Option("--noise", help="Draw from p(x|z) instead of taking its mean.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the random numbers.")]
Cond = Annotated[str | None, typer.Option(help="The condition: a label, or numbers with commas between.", show_default=False)]
Force = Annotated[bool, typer.Option("--force", help="Replace the input where the output is the same file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def open_run(path: Path) -> Run:
    """The run, on a GPU where there is one."""
    import torch

    from vaehub.run import load

    return load(path).to("cuda" if torch.cuda.is_available() else "cpu")


def condition(text: str | None) -> list[str | float] | None:
    """`--cond 7` or `--cond 0.1,0.2`."""
    return None if text is None else [number(word.strip()) for word in text.split(",")]


def number(word: str) -> str | float:
    """The number that a word stands for, or the word."""
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` that becomes `path` when all is written: what stood there before is kept until then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(mkdtemp(dir=path.parent, prefix=".part-")) / path.name
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        remove(temporary.parent)


def remove(folder: Path) -> None:
    """Delete a folder with its files."""
    from shutil import rmtree

    rmtree(folder, ignore_errors=True)


def write_rows(run: Run, x: Any, path: Path) -> None:
    """Rows x (B, *shape) to a file of the domain."""
    import torch

    with replacing(path) as temporary:
        run.codec.write(torch.from_numpy(x), temporary)
    print(path)


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """A table to a file, by its suffix, and its name to the screen."""
    from vaehub.files.tables import write_table

    write_table(frame, path)
    print(path)


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table: drawn by rich on a terminal, columns of plain text elsewhere."""
    if sys.stdout.isatty():
        return draw_table(headers, rows)
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    for row in (headers, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def draw_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The table with lines and colours."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*headers)
    for row in rows:
        table.add_row(*row)
    Console(markup=False).print(table)


def print_json(value: object) -> None:
    """Strict JSON: arrays as lists, NaN as null."""
    from pydantic_core import to_json

    print(to_json(value, indent=2, inf_nan_mode="null", fallback=lambda array: array.tolist()).decode())

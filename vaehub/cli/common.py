"""What commands share: options, opening a run, and writing files and tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from vaehub.errors import UsageError
from vaehub.files.atomic import replacing as replacing
from vaehub.files.locate import require_input, require_output
from vaehub.hints import did_you_mean
from vaehub.host.shipped_models import located_model
from vaehub.jobs.progress import stage

if TYPE_CHECKING:
    import pandas as pd

    from vaehub.run import Run


def existing_run(path: Path | None) -> Path | None:
    """A callback of options: RUN, if it holds a model; asked before torch is imported.

    Arguments:
        path: what was given.

    Returns:
        The same path.
    """
    if path is not None:
        located_model(path)
    return path


def existing(path: Path | None) -> Path | None:
    """A callback of options: a path to read from, if something is there.

    Arguments:
        path: what was given.

    Returns:
        The same path.
    """
    if path is not None:
        require_input(path)
    return path


def writable(path: Path | None) -> Path | None:
    """A path to write to, if that can be."""
    if path is not None:
        require_output(path)
    return path


def writable_table(*others: str) -> Callable[[Path | None], Path | None]:
    """The same for tables and files with these suffixes."""

    def check(path: Path | None) -> Path | None:
        if path is not None:
            require_table(path, others)
        return writable(path)

    return check


def require_table(path: Path, others: Sequence[str] = ()) -> None:
    """Refuse a path with neither the suffix of a table nor one of some others; asked before torch is imported.

    Arguments:
        path: of a file to write.
        others: suffixes that are none of a table.
    """
    from vaehub.files.tables.names import SUFFIXES, suffix_of

    suffix_of(path, (*others, *SUFFIXES))


def require_suffix(path: Path, known: Collection[str]) -> None:
    """Refuse a path whose suffix no format has.

    Arguments:
        path: of a file.
        known: suffixes.

    Raises:
        UsageError: it has none of them.
    """
    if path.suffix not in known:
        raise UsageError(f"{path}: no format has the suffix '{path.suffix}'; {did_you_mean(path.suffix, known)}")


def output_option(
    check: Callable[[Path | None], Path | None] = writable,
    help: str = "Where to write; the suffix says how.",
    default: bool | str = False,
) -> Any:
    """-o/--output for a file that `check` admits.

    Arguments:
        check: is given the path, and raises UsageError or gives the path to write to.
        help: of the option.
        default: what the help says of the default; False for an option that must be given.
    """
    return typer.Option("--output", "-o", metavar="FILE", help=help, show_default=default, callback=check)


RunPath = Annotated[
    Path,
    typer.Argument(
        metavar="RUN",
        help="A run folder, a model file, or a model that comes with a plugin.",
        show_default=False,
        callback=existing_run,
    ),
]
Input = Annotated[
    Path, typer.Argument(metavar="INPUT", help="Rows in a format of the run's domain.", show_default=False, callback=existing)
]
Output = Annotated[Path, output_option()]
OptionalOutput = Annotated[Path | None, output_option(default="in the run folder")]
TableOutput = Annotated[Path, output_option(writable_table(), "Where to write: .csv, .parquet and other tables.")]
CodesOutput = Annotated[Path, output_option(writable_table(".npy"), "Where to write: .npy, or a table (.csv, .parquet).")]
Noise = Annotated[bool, typer.Option("--noise", help="Draw from p(x|z) instead of taking its mean.")]
Number = Annotated[int, typer.Option("-n", "--number", min=1, help="How many.")]
Split = Annotated[Literal["train", "val", "test"], typer.Option(help="Which rows of the data.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the random numbers.")]
Cond = Annotated[str | None, typer.Option(help="The condition: a label, or numbers with commas between.", show_default=False)]
Force = Annotated[bool, typer.Option("--force", help="Replace the input where the output is the same file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def open_run(path: Path) -> Run:
    """The run, on a GPU where there is one.

    Arguments:
        path: RUN/, a model file, or the name of a model that comes with a plugin.

    >>> from pathlib import Path
    >>> open_run(Path("no/run"))
    Traceback (most recent call last):
    vaehub.errors.UsageError: no/run: no such run; train one with `vaehub train CONFIG --output no/run`
    """
    located_model(path)  # a wrong path is told before torch is imported, which takes more than a second
    with stage("loading the model"):
        import torch

        from vaehub.run import load

        return load(path).to("cuda" if torch.cuda.is_available() else "cpu")


def condition(text: str | None) -> list[str | float] | None:
    """The condition of `--cond 7` or `--cond 0.1,0.2`.

    Arguments:
        text: what was given.

    Returns:
        Labels and numbers, or None where nothing was given.
    """
    return None if text is None else [number(word.strip()) for word in text.split(",")]


def number(word: str) -> str | float:
    """The number that a word stands for, or the word.

    Arguments:
        word: of a command line.

    >>> number("7"), number("0.5"), number("cat")
    (7, 0.5, 'cat')
    """
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def by_suffix(path: Path, known: dict[str, Callable[..., Any]]) -> Callable[..., Any]:
    """The function that reads or writes files of this suffix.

    Arguments:
        path: of a file.
        known: functions by suffix.
    """
    require_suffix(path, known)
    return known[path.suffix]


def write_rows(run: Run, x: Any, path: Path) -> None:
    """Write rows to a file of the domain, and its name to the screen.

    Arguments:
        run: the model.
        x: rows (B, *shape) in the units of the data.
        path: of the file.
    """
    import torch

    with replacing(path) as temporary:
        run.codec.write(torch.from_numpy(x), temporary)
    print(path)


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a table to a file, by its suffix, and its name to the screen.

    Arguments:
        frame: the table.
        path: of the file.

    >>> import tempfile
    >>> import pandas as pd
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_frame(pd.DataFrame({"x": [1]}), Path(folder, "x.csv"))  # doctest: +ELLIPSIS
    /.../x.csv
    """
    from vaehub.files.tables import write_table

    write_table(frame, path)
    print(path)


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: drawn by rich on a terminal, columns of plain text elsewhere.

    Arguments:
        headers: of the columns.
        rows: cells, a list for each row.

    >>> print_table(["name", "nll"], [["a", "98.2"], ["mnist", "97.0"]])
    name   nll
    a      98.2
    mnist  97.0
    """
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
    """Print strict JSON: arrays as lists, NaN as null.

    Arguments:
        value: dicts, lists, arrays, numbers and texts.

    >>> print_json({"elbo": float("nan")})
    {
      "elbo": null
    }
    """
    from pydantic_core import to_json

    print(to_json(value, indent=2, inf_nan_mode="null", fallback=lambda array: array.tolist()).decode())

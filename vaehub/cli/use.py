"""`vaehub score`, `sample`, `encode`, `decode`, `reconstruct` and `interpolate`."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaehub.cli.common import (
    CodesOutput,
    Cond,
    Force,
    Input,
    Noise,
    Number,
    OptionalOutput,
    Output,
    RunPath,
    Seed,
    TableOutput,
    condition,
    existing,
    open_run,
    require_table,
    write_frame,
    write_rows,
)
from vaehub.cli.session import session
from vaehub.errors import UsageError
from vaehub.files.atomic import atomic_write

if TYPE_CHECKING:
    from vaehub.base import Data


def existing_codes(path: Path | None) -> Path | None:
    """A file of codes, if it is there and can be read."""
    if path is not None:
        require_table(path, (".npy",))
    return existing(path)


Codes = Annotated[
    Path,
    typer.Argument(
        metavar="Z", help="Codes (.npy, .csv or .parquet), one row each.", show_default=False, callback=existing_codes
    ),
]


def score(
    run: RunPath,
    input: Input,
    output: TableOutput,
    samples: Annotated[int, typer.Option(min=1, help="Draws of z for a row.")] = 16,
    cond: Cond = None,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Score the rows of a file: nats by which each is unlike the training data, and its percentile among them.

    Example: vaehub score runs/mnist digits.npz -o scores.csv
    """
    from vaehub.files.tables import check_output

    check_output(output, [input], force)
    opened = open_run(run)
    write_frame(opened.score(opened.codec.read(input), condition(cond), samples=samples, seed=seed), output)


def sample(
    run: RunPath,
    number: Number = 16,
    output: OptionalOutput = None,
    cond: Cond = None,
    seed: Seed = 0,
    noise: Noise = False,
) -> None:
    """Draw new rows from the prior.

    Example: vaehub sample runs/mnist -n 64 --seed 1 -o digits.png
    """
    from vaehub.files.run_folder import add_written

    opened = open_run(run)
    path = output or folder_beside(run) / f"samples{opened.codec.suffix}"
    x = opened.sample(number, cond=condition(cond), seed=seed, noise=noise)
    write_rows(opened, x, path)
    if output is None:
        add_written(path)
    with session():
        print_preview(opened.preview(x))


def folder_beside(run: Path) -> Path:
    """Where files go that belong to a run: its folder, that of its model file, or for a model that comes with a plugin the current one."""
    if not run.exists():
        return Path()
    return run if run.is_dir() else run.parent


def print_preview(line: str) -> None:
    """Print what a domain has to say, if anything."""
    if line:
        print(line)


def encode(run: RunPath, input: Input, output: CodesOutput, cond: Cond = None, force: Force = False) -> None:
    """Write the codes of the rows of a file: the means of q(z|x).

    Example: vaehub encode runs/mnist digits.npz -o codes.csv
    """
    from vaehub.files.tables import SUFFIXES, check_output

    check_output(output, [input], force, (".npy", *SUFFIXES))
    opened = open_run(run)
    write_codes(opened.encode(opened.codec.read(input), condition(cond)), output)


def decode(
    run: RunPath,
    z: Codes,
    output: Output,
    cond: Cond = None,
    force: Force = False,
) -> None:
    """Write the rows that codes stand for.

    Example: vaehub decode runs/mnist codes.csv -o decoded.png
    """
    require_other(output, z, force)
    opened = open_run(run)
    write_rows(opened, opened.decode(read_codes(z), condition(cond)), output)


def reconstruct(
    run: RunPath, input: Input, output: Output, cond: Cond = None, seed: Seed = 0, noise: Noise = False, force: Force = False
) -> None:
    """Encode and decode the rows of a file.

    Example: vaehub reconstruct runs/mnist digits.npz -o again.png
    """
    require_other(output, input, force)
    opened = open_run(run)
    write_rows(opened, opened.reconstruct(opened.codec.read(input), condition(cond), seed=seed, noise=noise), output)


def interpolate(
    run: RunPath,
    input: Input,
    output: Output,
    start: Annotated[int, typer.Option("--from", min=0, help="Number of the first row, counted from 0.")] = 0,
    end: Annotated[int, typer.Option("--to", min=0, help="Number of the last row.")] = 1,
    steps: Annotated[int, typer.Option(min=2, help="How many rows to write, ends included.")] = 10,
    cond: Cond = None,
    force: Force = False,
) -> None:
    """Walk in latent space from one row of a file to another, under the condition of the first.

    Example: vaehub interpolate runs/mnist digits.npz --from 0 --to 7 --steps 12 -o walk.png
    """
    require_other(output, input, force)
    opened = open_run(run)
    data = opened.rows(opened.codec.read(input), condition(cond))
    a, b = (row(data, number, input) for number in (start, end))
    write_rows(opened, opened.interpolate(a, b, steps), output)


def require_other(output: Path, input: Path, force: bool) -> None:
    """Raise UsageError where a file of the domain would be written over the input."""
    from vaehub.files.tables import check_output

    check_output(output, [input], force, known=())


def row(data: Data, number: int, path: Path) -> Data:
    """One row of a file."""
    import torch

    from vaehub.data.rows import Subset

    if number >= len(data):
        raise UsageError(f"{path}: has no row {number}, only rows 0 to {len(data) - 1}")
    return Subset(data, torch.tensor([number]))


def write_codes(z: Any, path: Path) -> None:
    """Codes (N, L) to a file."""
    import numpy as np
    import pandas as pd

    if path.suffix.lower() != ".npy":
        return write_frame(pd.DataFrame(z, columns=[f"z{i}" for i in range(z.shape[1])]), path)
    content = BytesIO()  # numpy's own writing to a file gives no reason where the disk is full
    np.save(content, z)
    atomic_write(path, content.getvalue())
    print(path)


def read_codes(path: Path) -> Any:
    """Codes (N, L) from a file, to the last digit. Raises UsageError where it holds no table of numbers."""
    import numpy as np

    from vaehub.files.arrays import read_npy
    from vaehub.files.guard import guarded, regular_file
    from vaehub.files.tables import SUFFIXES, read_table, suffix_of

    array = suffix_of(path, (".npy", *SUFFIXES)) == ".npy"
    with guarded(regular_file(path), "give a table of numbers, a row for every code"):
        codes = np.array(read_npy(path) if array else read_table(path))  # a copy, for torch wants to be able to write
        if codes.dtype.kind not in "fiub":
            raise UsageError(f"{path}: holds no table of numbers but {codes.dtype}; give a row of numbers for every code")
        return codes if codes.dtype == np.float32 else codes.astype(np.float64)

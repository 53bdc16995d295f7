"""`vaehub score`, `sample`, `encode`, `decode`, `reconstruct` and `interpolate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaehub.cli.common import (
    Cond,
    Force,
    Input,
    Noise,
    OptionalOutput,
    Output,
    RunPath,
    Seed,
    condition,
    open_run,
    replacing,
    write_frame,
    write_rows,
)
from vaehub.errors import UsageError

if TYPE_CHECKING:
    from vaehub.base import Data


def score(
    run: RunPath,
    input: Input,
    output: Output,
    samples: Annotated[int, typer.Option(min=1, help="Draws of z for a row.")] = 16,
    cond: Cond = None,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Score the rows of a file: nats by which each is unlike the training data, and its percentile among them."""
    from vaehub.files.tables import check_output

    check_output(output, [input], force)
    opened = open_run(run)
    write_frame(opened.score(opened.codec.read(input), condition(cond), samples=samples, seed=seed), output)


def sample(
    run: RunPath,
    n: Annotated[int, typer.Option("-n", "--number", min=1, help="How many rows.")] = 16,
    output: OptionalOutput = None,
    cond: Cond = None,
    seed: Seed = 0,
    noise: Noise = False,
) -> None:
    """Draw new rows from the prior."""

    opened = open_run(run)
    path = output or (run if run.is_dir() else run.parent) / f"samples{opened.codec.suffix}"
    x = opened.sample(n, cond=condition(cond), seed=seed, noise=noise)
    write_rows(opened, x, path)
    say(opened.preview(x))


def say(line: str) -> None:
    """Print what a domain has to say, if anything."""
    if line:
        print(line)


def encode(run: RunPath, input: Input, output: Output, cond: Cond = None, force: Force = False) -> None:
    """Write the codes of the rows of a file: the means of q(z|x), to .npy or a table (.csv, .parquet, …)."""
    from vaehub.files.tables import SUFFIXES, check_output

    check_output(output, [input], force, (".npy", *SUFFIXES))
    opened = open_run(run)
    write_codes(opened.encode(opened.codec.read(input), condition(cond)), output)


def decode(
    run: RunPath,
    z: Annotated[Path, typer.Argument(metavar="Z", help="Codes (.npy, .csv, .parquet, …), one row each.", show_default=False)],
    output: Output,
    cond: Cond = None,
    force: Force = False,
) -> None:
    """Write the rows that codes stand for."""
    require_other(output, z, force)
    opened = open_run(run)
    write_rows(opened, opened.decode(read_codes(z), condition(cond)), output)


def reconstruct(
    run: RunPath, input: Input, output: Output, cond: Cond = None, seed: Seed = 0, noise: Noise = False, force: Force = False
) -> None:
    """Encode and decode the rows of a file."""
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
    """Walk in latent space from one row of a file to another, under the condition of the first."""
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
    with replacing(path) as temporary:
        np.save(temporary, z)
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

"""What the commands read and write: tables beside the user's own, with the same keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from vaehub import UsageError, cli, files

if TYPE_CHECKING:
    import pandas as pd

    from vaehub_timeseries.files import Dialect, Overrides


def read_input(
    session: cli.Session, path: Path, time: str | None, missing_values: Sequence[float | str], text: Overrides | None = None
) -> pd.DataFrame:
    """The user's table."""
    from vaehub_timeseries.files import read_table

    with session.step(f"reading {path.name}"):
        return read_table(path, time, missing_values, **({} if text is None else asdict(text)))


def check_outputs(output: Path, inputs: Sequence[Path | None], force: bool, beside: Sequence[str] = ()) -> None:
    """Ask before hours are spent whether a table, and those `beside` it (such as "quantiles"), can be written without loss of an input.

    Raises: UsageError as `files.check_output` does.
    """
    from vaehub_timeseries.files import SUFFIXES

    files.check_output(output, inputs, force, SUFFIXES)
    for what in beside:
        files.check_output(sibling(output, what), inputs, force, SUFFIXES)


def write_outputs(
    tables: Mapping[Path, pd.DataFrame],
    pages: Mapping[Path, str] | None = None,
    first: Sequence[str] = (),
    like: Dialect | None = None,
) -> None:
    """Write all tables, text in the dialect `like`, and pages, none of them half; then print the lines `first` and where the files are."""
    from vaehub_timeseries.files import write_table

    for path, frame in tables.items():
        write_table(frame, path, like)
    for path, text in (pages or {}).items():
        files.atomic_write(path, text.encode())
    print(*first, *tables, *(pages or {}), sep="\n")


def sibling(path: Path, what: str, suffix: str | None = None) -> Path:
    """out.csv.gz -> out.quantiles.csv.gz"""

    from vaehub_timeseries.files import SUFFIXES

    own = path.name[-len(files.suffix_of(path, SUFFIXES)) :]
    return path.with_name(f"{path.name.removesuffix(own)}.{what}{own if suffix is None else suffix}")


def parse_levels(text: str) -> list[float]:
    """`0.05,0.95`. Raises UsageError for what is no probability."""
    return [parse_level(word.strip()) for word in text.split(",")]


def parse_level(word: str) -> float:
    """One probability."""
    try:
        value = float(word)
    except ValueError:
        value = float("nan")
    if not 0 < value < 1:
        raise UsageError(f"--quantiles: {word!r} is no number between 0 and 1; give some with commas between, 0.05,0.95")
    return value


def with_keys(keys: pd.DataFrame, numbers: pd.DataFrame) -> pd.DataFrame:
    """Numbers behind the columns that say what each row is; a column "name q" for each name and quantile, or other word."""
    import pandas as pd

    if numbers.columns.nlevels > 1:
        names, words = (numbers.columns.get_level_values(place) for place in range(2))
        each = [f"{name} {word if isinstance(word, str) else f'{word:g}'}" for name, word in zip(names, words, strict=True)]
        numbers = numbers.set_axis(each, axis=1)
    return pd.concat([keys, numbers], axis=1)


def stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Frames below one another, numbered from 1 in a first column "sample"."""
    import pandas as pd

    counts = isinstance(frames[0].index, pd.RangeIndex)
    parts = [frame.copy() for frame in frames]
    for number, part in enumerate(parts, start=1):
        part.insert(0, "sample", number)
    return pd.concat(parts, ignore_index=counts)

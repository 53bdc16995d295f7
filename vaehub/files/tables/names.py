"""What a table's file is called, and whether it may be written to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from vaehub.errors import UsageError

TEXT = (".csv", ".tsv", ".txt")
COLUMNAR = (".parquet", ".feather", ".arrow")
JSON_LINES = ".jsonl"  # read where it is asked for, never written
SUFFIXES = TEXT + COLUMNAR  # each also with .gz behind it, in any case


def suffix_of(path: Path | str, known: Sequence[str] = SUFFIXES) -> str:
    """The suffix of a table in lower case, with the .gz behind it if there is one.

    Arguments:
        path: a file's name.
        known: the suffixes that count.

    Raises:
        UsageError: it has none of them; the message lists them.

    >>> suffix_of("visits.CSV.gz")
    '.csv.gz'
    """
    found = matched_suffix(path, known)
    if found is None:
        raise UsageError(f"{path}: no known suffix; give one of {', '.join(known)} (each also .gz)")
    return found


def matched_suffix(path: Path | str, known: Sequence[str] = SUFFIXES) -> str | None:
    """As `suffix_of`, for names that need have none.

    Arguments:
        path: a file's name.
        known: the suffixes that count.

    Returns:
        The suffix, or None where the name has none of them.

    >>> matched_suffix("visits.CSV.gz"), matched_suffix("visits.doc")
    ('.csv.gz', None)
    """
    name = Path(path).name.lower()
    return next((suffix + gz for suffix in known for gz in ("", ".gz") if name.endswith(suffix + gz)), None)


def is_packed(path: Path) -> bool:
    """Whether the name says that the file is gzipped."""
    return path.name.lower().endswith(".gz")


def check_output(
    path: Path | str, inputs: Iterable[Path | str | None] = (), force: bool = False, known: Sequence[str] = SUFFIXES
) -> None:
    """Ask before hours are spent whether a file can be written, and whether that would destroy what it is made from.

    Arguments:
        path: where to write.
        inputs: the files that are read.
        force: replace an input.
        known: the suffixes that count; none: any.

    Raises:
        UsageError: the suffix is unknown, it is a folder, or it is one of the inputs and not `force`.

    >>> check_output("filled.doc")
    Traceback (most recent call last):
    vaehub.errors.UsageError: filled.doc: no known suffix; give one of .csv, .tsv, .txt, .parquet, .feather, .arrow (each also .gz)
    """
    path = Path(path)
    if known:
        suffix_of(path, known)
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; give a file")
    if not force and any(is_part(path, Path(source)) for source in inputs if source is not None):
        raise UsageError(f"{path}: is the input itself, which would be lost; write elsewhere, or replace it with --force")


def is_part(path: Path, source: Path) -> bool:
    """Whether a file is there and is another, by whatever name, or one in the folder that the other is."""
    if not path.exists() or not source.exists():
        return False
    return path.samefile(source) or (source.is_dir() and path.resolve().is_relative_to(source.resolve()))

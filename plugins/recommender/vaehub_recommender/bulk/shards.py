"""The files that histories lie in, and where the recommendations for each go."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from vaehub.errors import UsageError
from vaehub.files.tables import matched_suffix
from vaehub_recommender.tables.files import SUFFIXES as TABLES

MANIFEST = "_manifest.json"  # a name that readers of Parquet folders pass over
SUFFIXES = tuple(suffix for suffix in TABLES if suffix != ".txt")  # a .txt in a folder is more often a note
FORMS = f"give histories as {', '.join(SUFFIXES)}, or a folder of such files"


@dataclass(frozen=True)
class Shard:
    """One file of histories: its name below the folder, and where its recommendations go."""

    name: str
    source: Path
    target: Path

    def digest(self) -> str:
        """SHA-256 of the file."""
        with self.source.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Job:
    """All shards in the order of their names, and the file that says which of them are done."""

    shards: Sequence[Shard]
    manifest: Path


def plan(histories: Path, out: Path) -> Job:
    """Which file is read from where and written to where. Raises UsageError where that cannot be done."""
    if not histories.exists():
        raise UsageError(f"{histories}: no such file or folder; {FORMS}")
    return of_folder(histories, out) if histories.is_dir() else of_file(histories, out)


def of_file(source: Path, out: Path) -> Job:
    """One shard; `out` is a .parquet file, or a folder."""
    stem = stem_of(Path(source.name))
    if stem is None:
        raise UsageError(f"{source}: is no table; {FORMS}")
    if out.suffix != ".parquet" or out.is_dir():
        target, manifest = out / f"{stem}.parquet", out / MANIFEST
    else:
        target, manifest = out, out.with_suffix(".manifest.json")
    if target.resolve() == source.resolve():
        raise UsageError(f"{target}: is the file of histories itself; write the recommendations elsewhere")
    return Job([Shard(source.name, source, target)], manifest)


def of_folder(folder: Path, out: Path) -> Job:
    """A shard for every table below the folder; `out` is a folder outside of it, with the same folders in it."""
    if out.suffix == ".parquet" and not out.is_dir():
        raise UsageError(f"{out}: {folder} is a folder, so there is a file of recommendations for each in it; give a folder")
    if out.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{out}: lies in the folder of histories, and would be read as one of them; write elsewhere")
    names = tables_below(folder)
    shards = [Shard(name, folder / name, out / f"{stem_of(Path(name))}.parquet") for name in names]
    twice = [target for target, count in Counter(shard.target for shard in shards).items() if count > 1]
    if twice:
        both = " and ".join(shard.name for shard in shards if shard.target == twice[0])
        raise UsageError(f"{folder}: {both} would both be written to {twice[0]}; rename one of them")
    return Job(shards, out / MANIFEST)


def tables_below(folder: Path) -> list[str]:
    """Names of the tables below a folder, sorted; those that begin with a dot or an underscore are others' notes."""
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    visible = [path for path in files if not any(part.startswith((".", "_")) for part in path.parts)]
    names = sorted(path.as_posix() for path in visible if stem_of(path) is not None)
    others = sorted(path.as_posix() for path in visible if stem_of(path) is None)
    if not names:
        raise UsageError(f"{folder}: holds no histories; {FORMS}")
    if others:
        some = ", ".join(others[:3]) + (f" and {len(others) - 3:,} more" if len(others) > 3 else "")
        warnings.warn(f"{folder}: left out what is no table: {some}", UserWarning, stacklevel=2)
    return names


def stem_of(path: Path) -> str | None:
    """The path without the suffix of a table; None where it has no such suffix."""
    suffix = matched_suffix(path, SUFFIXES)
    return path.with_name(path.name[: -len(suffix)]).as_posix() if suffix and len(path.name) > len(suffix) else None

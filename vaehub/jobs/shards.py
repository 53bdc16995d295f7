"""The files that a large job reads, and where what it makes of each of them goes."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from vaehub.errors import UsageError
from vaehub.files.guard import regular_file
from vaehub.files.tables import matched_suffix

OTHERS = (".json", ".jsonl", ".xlsx", ".pkl", ".h5", ".zip")  # of files that nobody means as a folder
MANIFEST = "_manifest.json"  # a name that readers of folders of tables pass over


@dataclass(frozen=True)
class Shard:
    """One file: its name below the folder, and where its result goes."""

    name: str
    source: Path
    target: Path

    def digest(self) -> str:
        """SHA-256 of the file that is read. Raises UsageError where it is no ordinary file."""
        with regular_file(self.source, sys.maxsize).open("rb") as file:
            return file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Job:
    """All shards in the order of their names, and the file that says which of them are done.

    Arguments:
        shards: the files to read.
        manifest: path of that file.
        suffix: of what is written.
    """

    shards: Sequence[Shard]
    manifest: Path
    suffix: str  # of what is written


@dataclass(frozen=True)
class Formats:
    """What a job reads and writes.

    Arguments:
        source: in words, such as "histories".
        result: in words, such as "recommendations".
        suffixes: of the files that are read.
        suffix: of the files that are written.

    >>> Formats("histories", "recommendations", (".csv", ".parquet"), ".parquet").forms
    'give histories as .csv, .parquet, or a folder of such files'
    """

    source: str  # in words: histories
    result: str  # in words: recommendations
    suffixes: Sequence[str]  # of the files that are read
    suffix: str  # of the files that are written

    @property
    def forms(self) -> str:
        """What may be given."""
        return f"give {self.source} as {', '.join(self.suffixes)}, or a folder of such files"

    def stem(self, path: Path) -> str | None:
        """The path without its suffix; None where it has none of this kind."""
        suffix = matched_suffix(path, self.suffixes)
        return path.with_name(path.name[: -len(suffix)]).as_posix() if suffix and len(path.name) > len(suffix) else None

    def plan(self, source: Path, out: Path) -> Job:
        """Which file is read from where and written to where.

        Arguments:
            source: a file, or a folder of them.
            out: a file of the kind that is written, or a folder.

        Raises:
            UsageError: that cannot be done, or would overwrite what is read.
        """
        if not source.exists():
            raise UsageError(f"{source}: no such file or folder; {self.forms}")
        return self._of_folder(source, out) if source.is_dir() else self._of_file(source, out)

    def _of_file(self, source: Path, out: Path) -> Job:
        """One shard; `out` is a file of the kind that is written, or a folder."""
        stem = self.stem(Path(source.name))
        if stem is None:
            raise UsageError(f"{source}: is no table; {self.forms}")
        self._require_kind(out)
        if out.suffix != self.suffix or out.is_dir():
            target, manifest = out / f"{stem}{self.suffix}", out / MANIFEST
        else:
            target, manifest = out, out.with_suffix(".manifest.json")
        if target.resolve() == source.resolve():
            raise UsageError(f"{target}: is the file of {self.source} itself; write the {self.result} elsewhere")
        return Job([Shard(source.name, source, target)], manifest, self.suffix)

    def _require_kind(self, out: Path) -> None:
        """Raise UsageError for the name of a file of another kind than is written: a folder would be called so."""
        other = matched_suffix(out, (*self.suffixes, *OTHERS))
        if other and out.suffix != self.suffix and not out.is_dir():
            raise UsageError(f"{out}: {self.result} are written as {self.suffix}, not {other}; give such a file, or a folder")

    def _of_folder(self, folder: Path, out: Path) -> Job:
        """A shard for every file below the folder; `out` is a folder outside of it, with the same folders in it."""
        if out.suffix == self.suffix and not out.is_dir():
            raise UsageError(f"{out}: {folder} is a folder, so there is a file of {self.result} for each in it; give a folder")
        if out.resolve().is_relative_to(folder.resolve()):
            raise UsageError(f"{out}: lies in the folder of {self.source}, and would be read as one of them; write elsewhere")
        self._require_kind(out)
        names = self._below(folder)
        shards = [Shard(name, folder / name, out / f"{self.stem(Path(name))}{self.suffix}") for name in names]
        twice = [target for target, count in Counter(shard.target for shard in shards).items() if count > 1]
        if twice:
            both = " and ".join(shard.name for shard in shards if shard.target == twice[0])
            raise UsageError(f"{folder}: {both} would both be written to {twice[0]}; rename one of them")
        return Job(shards, out / MANIFEST, self.suffix)

    def _below(self, folder: Path) -> list[str]:
        """Names of the files below a folder, sorted; those that begin with a dot or an underscore are others' notes."""
        files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
        visible = [path for path in files if not any(part.startswith((".", "_")) for part in path.parts)]
        names = sorted(path.as_posix() for path in visible if self.stem(path) is not None)
        others = sorted(path.as_posix() for path in visible if self.stem(path) is None)
        if not names:
            raise UsageError(f"{folder}: holds no {self.source}; {self.forms}")
        if others:
            some = ", ".join(others[:3]) + (f" and {len(others) - 3:,} more" if len(others) > 3 else "")
            warnings.warn(f"{folder}: left out what is no table: {some}", UserWarning, stacklevel=2)
        return names

"""Which shards are done, in a file that survives a crash: a job that was killed goes on from it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import final

from vaehub.base import Json
from vaehub.errors import UsageError
from vaehub.files.atomic import atomic_write
from vaehub.files.guard import read_bytes
from vaehub.jobs.ledger import DAMAGE, require_same
from vaehub.jobs.shards import Job, Shard

MAX_BYTES = 2**28  # of a manifest; a million shards have less
REMEDY = "write elsewhere, or start anew with --force"


@final
@dataclass(frozen=True)
class Entry:
    """What was read of a shard, and what was written for it."""

    digest: str  # SHA-256 of what was read
    output: str  # relative to the manifest
    bytes: int  # of the output
    counts: dict[str, int]  # of what is in it
    seconds: float

    def stands(self, shard: Shard) -> bool:
        """Whether the output is there, and what was read is still the same."""
        whole = shard.target.is_file() and shard.target.stat().st_size == self.bytes
        return whole and shard.digest() == self.digest


@final
@dataclass
class Manifest:
    """The shards of a job that are done, and what they were made by: the digest of the model and the options.

    Arguments:
        path: of the file.
        suffix: of the results.
        form: name and version of the format.
        made_by: the options that decide the result, by name.
        done: entries by the name of the shard.
        skipped: unreadable shards, with the reason.
    """

    path: Path
    suffix: str  # of the results
    form: str  # name and version of the format
    made_by: Json
    done: dict[str, Entry] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)  # unreadable shards, with the reason

    @classmethod
    def open(cls, job: Job, form: str, made_by: Json, force: bool) -> Manifest:
        """The manifest of a job as far as it has come.

        Arguments:
            job: its shards.
            form: name and version of the format.
            made_by: the options that decide the result, by name: a job that goes on must have the same.
            force: replace what another job has written.

        Raises:
            UsageError: it stands for another job, and not `force`.
        """
        done = {}
        if job.manifest.exists() and force:
            replace(job, form)
        elif job.manifest.exists():
            before = read(job, form)
            require_same(str(job.manifest), before.made_by, made_by, REMEDY)
            before.require_all(job.shards)
            done = before.done
        return cls(job.manifest, job.suffix, form, made_by, done)

    def require_all(self, shards: Sequence[Shard]) -> None:
        """Raise UsageError where a shard that is done is no longer among those of the job."""
        gone = sorted(self.done.keys() - {shard.name for shard in shards})
        if gone:
            raise UsageError(f"{self.path}: {len(gone)} of its shards are no longer there ({gone[0]}, …); {REMEDY}")

    def remove(self, entry: Entry) -> None:
        """Delete the result of a shard. Others may have written this file, so nothing else is touched: no other folder, no other kind."""
        folder, path = self.path.parent.resolve(), self.path.parent / entry.output
        inside = path.suffix == self.suffix and path.resolve().is_relative_to(folder)
        if inside and path.is_file() and not path.is_symlink() and path.stat().st_size == entry.bytes:
            path.unlink()

    @property
    def counts(self) -> Counter[str]:
        """Of all shards."""
        return sum((Counter(entry.counts) for entry in self.done.values()), Counter())

    def left(self, shards: Sequence[Shard]) -> list[Shard]:
        """The shards that are still to do."""
        return [shard for shard in shards if shard.name not in self.done or not self.done[shard.name].stands(shard)]

    def add(self, name: str, entry: Entry) -> None:
        """A shard is done."""
        self.done[name] = entry
        self.save()

    def skip(self, name: str, reason: str) -> None:
        """A shard could not be read; what was written for an older state of it goes."""
        self.skipped[name] = reason
        before = self.done.pop(name, None)
        self.save()
        if before is not None:
            self.remove(before)

    def save(self) -> None:
        """Write all of it or nothing."""
        shards = {name: asdict(entry) for name, entry in sorted(self.done.items())}
        content = {"format": self.form, "made_by": self.made_by, "shards": shards, "skipped": self.skipped}
        atomic_write(self.path, json.dumps(content, indent=1).encode())


def replace(job: Job, form: str) -> None:
    """Delete a manifest and what it lists, so that results of two models never lie side by side; a damaged one lists nothing."""
    with suppress(UsageError):
        before = read(job, form)
        for entry in before.done.values():
            before.remove(entry)
    job.manifest.unlink()


def read(job: Job, form: str) -> Manifest:
    """A manifest from its file. Raises UsageError where it is none, or damaged."""
    path = job.manifest
    try:
        content = json.loads(read_bytes(path, MAX_BYTES))
        shards = {str(name): entry_of(value) for name, value in content["shards"].items()}
        fits = content["format"] == form and isinstance(content["made_by"], dict)
    except DAMAGE as error:
        raise UsageError(f"{path}: is no manifest, or damaged ({error!r}); {REMEDY}") from error
    if not fits:
        raise UsageError(f"{path}: is no manifest of this version ({form}); {REMEDY}")
    return Manifest(path, job.suffix, form, content["made_by"], shards)


def entry_of(value: Json) -> Entry:
    """An entry from JSON. Raises TypeError or KeyError where something of it is missing or of another kind."""
    entry = Entry(**value | {"counts": {str(name): int(count) for name, count in value["counts"].items()}})
    if not (isinstance(entry.digest, str) and isinstance(entry.output, str) and isinstance(entry.bytes, int)):
        raise TypeError("digest, output or bytes is of another type")
    return entry

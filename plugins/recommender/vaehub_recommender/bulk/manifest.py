"""Which shards are done, in a file that survives a crash: a job that was killed goes on from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import final

from vaehub.base import Json
from vaehub.errors import UsageError
from vaehub.files.atomic import atomic_write
from vaehub_recommender.bulk.output import Counts
from vaehub_recommender.bulk.shards import Job, Shard

FORMAT = "vaehub-recommendations/1"
MAX_BYTES = 2**28  # of a manifest; a million shards have less


@final
@dataclass(frozen=True)
class Entry:
    """What was read of a shard, and what was written for it."""

    digest: str  # SHA-256 of the histories
    output: str  # relative to the manifest
    bytes: int  # of the output
    counts: Counts
    seconds: float

    def stands(self, shard: Shard) -> bool:
        """Whether the output is there, and the histories are still the same."""
        whole = shard.target.is_file() and shard.target.stat().st_size == self.bytes
        return whole and shard.digest() == self.digest


@final
@dataclass
class Manifest:
    """The shards that are done, by name, and what they were made by: the digest of the model and the options."""

    path: Path
    made_by: Json
    done: dict[str, Entry] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)  # unreadable shards, with the reason

    @classmethod
    def open(cls, job: Job, made_by: Json, force: bool) -> Manifest:
        """The manifest of a job as far as it has come. Raises UsageError where it stands for another job, unless that is to be replaced."""
        done = {}
        if job.manifest.exists() and force:
            replace(job.manifest)
        elif job.manifest.exists():
            before = read(job.manifest)
            before.require_same(made_by, job.shards)
            done = before.done
        return cls(job.manifest, made_by, done)

    def require_same(self, made_by: Json, shards: Sequence[Shard]) -> None:
        """Raise UsageError where the shards that are done were made in another way, or are no longer among the histories."""
        for key in sorted(self.made_by | made_by):
            was, now = self.made_by.get(key), made_by.get(key)
            if was != now:
                raise UsageError(f"{self.path}: was made with {key} {was}, now it is {now}; {REMEDY}")
        gone = sorted(self.done.keys() - {shard.name for shard in shards})
        if gone:
            raise UsageError(f"{self.path}: {len(gone)} of its shards are no longer there ({gone[0]}, …); {REMEDY}")

    def remove(self, entry: Entry) -> None:
        """Delete the recommendations for a shard."""
        folder = self.path.parent.resolve()
        path = (folder / entry.output).resolve()
        if path.is_relative_to(folder) and path.suffix == ".parquet":  # the file may have been written by others
            path.unlink(missing_ok=True)

    @property
    def counts(self) -> Counts:
        """Of all shards."""
        return sum((entry.counts for entry in self.done.values()), Counts())

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
        content = {"format": FORMAT, "made_by": self.made_by, "shards": shards, "skipped": self.skipped}
        atomic_write(self.path, json.dumps(content, indent=1).encode())


REMEDY = "write elsewhere, or start anew with --force"


def replace(path: Path) -> None:
    """Delete a manifest and what it lists, so that recommendations of two models never lie side by side; a damaged one lists nothing."""
    with suppress(UsageError):
        before = read(path)
        for entry in before.done.values():
            before.remove(entry)
    path.unlink()


def read(path: Path) -> Manifest:
    """A manifest from its file. Raises UsageError where it is none, or damaged."""
    if path.stat().st_size > MAX_BYTES:
        raise UsageError(f"{path}: {path.stat().st_size:,} bytes are more than a manifest may have ({MAX_BYTES:,}); {REMEDY}")
    try:
        content = json.loads(path.read_bytes())
        shards = {str(name): entry_of(value) for name, value in content["shards"].items()}
        fits = content["format"] == FORMAT and isinstance(content["made_by"], dict)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UsageError(f"{path}: is no manifest of recommendations, or damaged ({error!r}); {REMEDY}") from error
    if not fits:
        raise UsageError(f"{path}: is no manifest of this version ({FORMAT}); {REMEDY}")
    return Manifest(path, content["made_by"], shards)


def entry_of(value: Json) -> Entry:
    """An entry from JSON. Raises TypeError or KeyError where something of it is missing or of another kind."""
    entry = Entry(**value | {"counts": Counts(**value["counts"])})
    if not (isinstance(entry.digest, str) and isinstance(entry.output, str) and isinstance(entry.bytes, int)):
        raise TypeError("digest, output or bytes is of another type")
    return entry

"""A job over shards, one after the other: read, worked on and written at the same time, each step in its own thread."""

from __future__ import annotations

import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, Generic, TypeAlias, TypeVar, final

from vaehub.errors import UsageError
from vaehub.files.atomic import atomic_file
from vaehub.jobs.manifest import Entry, Manifest
from vaehub.jobs.pipeline import prefetched
from vaehub.jobs.progress import Stage, stage
from vaehub.jobs.shards import Job, Shard

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T", covariant=True)


class Writer(ABC, Generic[B]):
    """Writes the result of one shard to an open file."""

    counts: dict[str, int]  # of what was written

    @abstractmethod
    def add(self, piece: B) -> int:
        """Write a piece; the number of things in it, for progress."""

    @abstractmethod
    def close(self) -> None:
        """Write what such a file ends with."""


@final
@dataclass(frozen=True)
class Work(Generic[A, B]):
    """What is done with every shard.

    Arguments:
        read: the pieces of a file, one at least. Raises UsageError or OSError where it cannot be read.
        work: the results for a piece.
        writer: for the file of a shard.
        unit: what a writer counts, in words.
        skip_bad: leave out shards that cannot be read, with a warning.
    """

    read: Callable[[Path], Iterator[A]]
    work: Callable[[A], Iterator[B]]
    writer: Callable[[BinaryIO], Writer[B]]
    unit: str
    skip_bad: bool = False


@dataclass(frozen=True)
class Piece(Generic[T]):
    """A part of a shard, or of its result."""

    shard: Shard
    content: T


@dataclass(frozen=True)
class End:
    """After the last piece of a shard."""

    shard: Shard
    digest: str


@dataclass(frozen=True)
class Unreadable:
    """In place of the end of a shard: why there is none."""

    shard: Shard
    reason: str


Event: TypeAlias = "Piece[T] | End | Unreadable"


def run_sharded(job: Job, manifest: Manifest, work: Work[A, B]) -> None:
    """Do all that is left of a job. What is done stays done when a shard cannot be read, or the process is killed.

    The result of a shard depends on that file alone.

    Arguments:
        job: the shards.
        manifest: which of them are done; it is written after every shard.
        work: what is done with each.

    Raises:
        UsageError: a shard cannot be read (and not `work.skip_bad`), or none can.

    >>> import tempfile
    >>> from vaehub.jobs.shards import Formats
    >>> class Upper(Writer[str]):
    ...     def __init__(self, file):
    ...         self.file, self.counts = file, {"texts": 0}
    ...
    ...     def add(self, piece):
    ...         self.counts["texts"] += 1
    ...         return self.file.write(piece.encode()) and 1
    ...
    ...     def close(self):
    ...         pass
    >>> work = Work(lambda path: iter([path.read_text()]), lambda text: iter([text.upper()]), Upper, "text")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.txt").write_text("abc")
    ...     job = Formats("texts", "capitals", (".txt",), ".out").plan(Path(folder, "a.txt"), Path(folder, "out"))
    ...     run_sharded(job, Manifest.open(job, "capitals/1", {}, force=False), work)
    ...     Path(folder, "out", "a.out").read_text()
    'ABC'
    """
    left, of = manifest.left(job.shards), len(job.shards)
    with (
        stage("working on files", of, unit="file") as bar,
        closing(prefetched(worked(prefetched(pieces(left, work)), work))) as events,
    ):
        bar.resume(of - len(left))
        for shard, own in groupby(events, key=lambda event: event.shard):
            write(shard, own, manifest, work, bar)
            bar.update()
    if left and not manifest.done:
        raise UsageError(f"{manifest.path.parent}: nothing written, none of {len(left)} shards could be read; see the warnings")


def pieces(shards: Iterable[Shard], work: Work[A, B]) -> Generator[Event[A]]:
    """First step: what the shards hold."""
    for shard in shards:
        try:
            digest = shard.digest()
            for piece in work.read(shard.source):
                yield Piece(shard, piece)
            yield End(shard, digest)
        except (UsageError, OSError) as error:
            if not work.skip_bad:
                raise
            yield Unreadable(shard, str(error))


def worked(events: Generator[Event[A]], work: Work[A, B]) -> Generator[Event[B]]:
    """Second step: the results."""
    with closing(events):
        for event in events:
            if isinstance(event, Piece):
                yield from (Piece(event.shard, result) for result in work.work(event.content))
            else:
                yield event


def write(shard: Shard, events: Iterator[Event[B]], manifest: Manifest, work: Work[A, B], bar: Stage) -> None:
    """Third step: the result of one shard, whole or not at all, and its entry."""
    start = time.perf_counter()
    try:
        with atomic_file(shard.target) as file, closing(work.writer(file)) as writer:
            digest = filled(writer, events, bar, work.unit)
    except Skipped as reason:
        manifest.skip(shard.name, str(reason))
        warnings.warn(f"{reason}; left out", UserWarning, stacklevel=2)
        return
    where, size = shard.target.relative_to(manifest.path.parent).as_posix(), shard.target.stat().st_size
    manifest.add(shard.name, Entry(digest, where, size, writer.counts, time.perf_counter() - start))


class Skipped(Exception):
    """A shard is left out, and with it what was written of it so far."""


def filled(writer: Writer[B], events: Iterator[Event[B]], bar: Stage, unit: str) -> str:
    """Write all pieces of a shard; the digest of what was read. Raises Skipped where the shard cannot be read to its end."""
    count = 0
    for event in events:
        match event:
            case Piece(_, piece):
                count += writer.add(piece)
                bar.reach(bar.done, note=f"{count:,} {unit}")
            case Unreadable(_, reason):
                raise Skipped(reason)
            case End(_, digest):  # looks no further: what is wrong with the next shard is nothing to this one
                return digest
    raise RuntimeError("a shard without an end")

"""All shards, one after the other: read, scored and written at the same time, each step in its own thread."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar, final

import pyarrow as pa

from vaehub.errors import UsageError
from vaehub_recommender.bulk.manifest import Entry, Manifest
from vaehub_recommender.bulk.output import Output, Ranked, growing
from vaehub_recommender.bulk.shards import Job, Shard
from vaehub_recommender.bulk.stages import ahead
from vaehub_recommender.tables import History

Told = Callable[[int, int, int], None]  # how many more shards are done, of how many, and how many more users
T = TypeVar("T", covariant=True)


@final
@dataclass(frozen=True)
class Work:
    """What is done with every shard: its histories in batches, at least one, and the best items of a batch; `items` (I,) are the ids."""

    read: Callable[[Path], Iterator[History]]
    rank: Callable[[History], Iterator[Ranked]]
    items: pa.Array
    skip_bad: bool = False


@dataclass(frozen=True)
class Piece(Generic[T]):
    """Histories of a shard, or what was recommended for them."""

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


def run(job: Job, manifest: Manifest, work: Work, told: Told) -> None:
    """Do all that is left of a job. What is done stays done when a shard cannot be read, or the process is killed."""
    left, of = manifest.left(job.shards), len(job.shards)
    told(of - len(left), of, 0)
    with closing(ahead(scored(ahead(pieces(left, work)), work))) as events:
        for shard, own in groupby(events, key=lambda event: event.shard):
            write(shard, counted(own, lambda users: told(0, of, users)), manifest, work.items)
            told(1, of, 0)
    if left and not manifest.done:
        raise UsageError(f"{manifest.path.parent}: nothing written, none of {len(left)} shards could be read; see the warnings")


def pieces(shards: Iterable[Shard], work: Work) -> Generator[Event[History]]:
    """First step: what the shards hold."""
    for shard in shards:
        try:
            digest = shard.digest()
            for history in work.read(shard.source):
                yield Piece(shard, history)
            yield End(shard, digest)
        except (UsageError, OSError) as error:
            if not work.skip_bad:
                raise
            yield Unreadable(shard, str(error))


def scored(events: Generator[Event[History]], work: Work) -> Generator[Event[Ranked]]:
    """Second step: the best items for every history."""
    with closing(events):
        for event in events:
            if isinstance(event, Piece):
                yield from (Piece(event.shard, ranked) for ranked in work.rank(event.content))
            else:
                yield event


def counted(events: Iterator[Event[Ranked]], told: Callable[[int], None]) -> Iterator[Event[Ranked]]:
    """The same; each piece that is done with is told."""
    for event in events:
        yield event
        if isinstance(event, Piece):
            told(len(event.content.users))


def write(shard: Shard, events: Iterator[Event[Ranked]], manifest: Manifest, items: pa.Array) -> None:
    """Third step: the output of one shard, whole or not at all, and its entry."""
    start = time.perf_counter()
    try:
        with growing(shard.target) as file, closing(Output(file, items)) as output:
            digest = filled(output, events)
    except Skipped as reason:
        manifest.skip(shard.name, str(reason))
        warnings.warn(f"{reason}; left out", UserWarning, stacklevel=2)
        return
    where, size = shard.target.relative_to(manifest.path.parent).as_posix(), shard.target.stat().st_size
    manifest.add(shard.name, Entry(digest, where, size, output.counts, time.perf_counter() - start))


class Skipped(Exception):
    """A shard is left out, and with it what was written of it so far."""


def filled(output: Output, events: Iterator[Event[Ranked]]) -> str:
    """Write all pieces of a shard; the digest of the histories. Raises Skipped where the shard cannot be read to its end."""
    digest = ""
    for event in events:
        match event:
            case Piece(_, ranked):
                output.add(ranked)
            case Unreadable(_, reason):
                raise Skipped(reason)
            case End():
                digest = event.digest
    return digest

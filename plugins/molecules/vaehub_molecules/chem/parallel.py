"""Work on many molecules in several processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from vaehub import RunFailed, jobs

T = TypeVar("T")
R = TypeVar("R")
PER_WORKER = 2_000  # items that are not worth the start of a process


def parallel_map(work: Callable[[T], R], items: Sequence[T], workers: int | None = None) -> list[R]:
    """`work` of every item, in order; in `workers` processes (one a core) where there are many. Raises RunFailed where `work` raises there."""
    workers = min(workers or jobs.processors(), len(items) // PER_WORKER)
    if workers < 2:
        return list(map(work, items))
    with jobs.Workers(work, workers, chunk=PER_WORKER // 2) as running:
        answers = running.in_order(items)
    if failed := next((answer for answer in answers if answer.failure), None):
        raise RunFailed(f"{work}: {failed.error}")
    return [answer.value for answer in answers]  # type: ignore[misc]  # None is a value that `work` may give

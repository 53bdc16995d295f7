"""Work on many molecules in several processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from joblib import Parallel, delayed  # type: ignore[import-untyped]

from vaehub_molecules.chem.workers import processors

T = TypeVar("T")
R = TypeVar("R")
FEW = 2_000  # starting a process costs some seconds, as much as some thousands of molecules


def spread(work: Callable[[T], R], items: Sequence[T], workers: int | None = None) -> list[R]:
    """`work` of every item, in order; in `workers` processes (one a core) where there are many. `work` must be picklable."""
    workers = min(workers or processors(), len(items) // FEW)
    if workers < 2:
        return list(map(work, items))
    shares = [items[start : start + FEW // 2] for start in range(0, len(items), FEW // 2)]
    done = Parallel(workers)(delayed(list_of)(work, share) for share in shares)
    return [result for share in done for result in share]


def list_of(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """`work` of every item."""
    return list(map(work, items))

"""Disjoint parts of series for training, validation and test, in the order of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from vaehub_timeseries.impute.experts import Floats

T = TypeVar("T")


def split(series: Sequence[Floats], steps: int, share: float) -> dict[str, list[Floats]]:
    """The last `share` of all steps is the test, the `share` before it validation: whole series where none holds three windows, else ends of each."""
    if max(map(len, series), default=0) < 3 * steps and len(series) >= 3:
        train, val, test = split_in_three(list(series), share)
        return {"train": train, "val": val, "test": test}
    parts = [split_in_three(x, share) for x in series]
    named = dict(zip(("train", "val", "test"), map(list, zip(*parts, strict=True)), strict=True))
    return {name: [x for x in given if len(x)] for name, given in named.items()}


def split_in_three(rows: T, share: float) -> tuple[T, T, T]:
    """A sequence in three, the last two of `share` each, at least one row each."""
    n = len(rows)  # type: ignore[arg-type]
    held = max(1, round(share * n)) if n >= 3 else 0
    return rows[: n - 2 * held], rows[n - 2 * held : n - held], rows[n - held :]  # type: ignore[index]

"""Runs of missing cells, and which of them are shown close up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NARROWEST, AROUND, WIDEST = 8, 1.0, 0.5  # rows beside a gap at least; lengths of the gap beside it; share of a series at most


@dataclass(frozen=True)
class Gap:
    """Rows start … stop-1 of a series, all missing."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """Number of rows."""
        return self.stop - self.start

    def surroundings(self, rows: int) -> slice:
        """The gap with its neighbours, in a series of `rows`."""
        margin = max(NARROWEST, round(AROUND * self.length))
        return slice(max(0, self.start - margin), min(rows, self.stop + margin))


def gaps(missing: NDArray[Any]) -> list[Gap]:
    """Every run of True in missing (T,)."""
    edges = np.diff(np.concatenate([[0], missing.astype(np.int8), [0]]))
    return [Gap(int(a), int(b)) for a, b in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True)]


def worth_showing(found: Sequence[Gap], rows: int) -> dict[str, Gap]:
    """The longest gap and one of median length, unless a close view of it would be the whole series again."""
    by_length = sorted(found, key=lambda gap: gap.length)
    chosen = {"the longest gap": by_length[-1], "a typical gap": by_length[(len(by_length) - 1) // 2]} if by_length else {}
    fitting = {name: gap for name, gap in chosen.items() if gap.length * (1 + 2 * AROUND) < WIDEST * rows}
    return {name: gap for name, gap in fitting.items() if list(fitting.values()).index(gap) == list(fitting).index(name)}

"""Rehearsal: observed cells are hidden, the experts impute them, and what they said is kept beside the truth.

Letters of shapes: T steps, C channels, K experts, n hidden cells of all rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaehub_timeseries.gaps import gap_lengths
from vaehub_timeseries.impute.experts import Expert, Floats, Integers, Mask
from vaehub_timeseries.impute.hide import hide
from vaehub_timeseries.impute.linear import Around
from vaehub_timeseries.impute.pools import BORROWED, EDGES, bins

FRACTION = 0.05  # of the observed cells hidden at a time: more would make the rest harder than it really is
ENOUGH, EACH = 5_000, 100  # hidden cells in all and per channel
ROUNDS = 10  # at most
PIECE, CELLS = 2_000, 250_000  # steps of a piece of a long series, and cells of all pieces that are rehearsed on


@dataclass(frozen=True)
class Rehearsed:
    """Hidden cells, all arrays (n,) but for means and sds of the experts (K, n).

    group: channel * B + bin of the gap length; place: where in the data, 0 … 1; last: the value before the gap, 0 where there is none.
    weight: errors in one gap are alike, so m cells hidden in a row count 2m / (m + 1), their worth at a correlation of one half.
    """

    truth: Floats
    means: Floats
    sds: Floats
    group: Integers
    place: Floats
    last: Floats
    weight: Floats

    @property
    def channel(self) -> Integers:
        """The channel of every cell (n,)."""
        return self.group // len(EDGES)

    def take(self, chosen: Mask) -> Rehearsed:
        """Some of the cells."""
        return Rehearsed(*(getattr(self, field.name)[..., chosen] for field in fields(self)))

    def beside(self, here: Rehearsed, channels: int) -> Rehearsed:
        """These and those of the series at hand; per group mine together weigh 1 / (1/n + n_here/κ²), all where there are none here."""
        size = channels * len(EDGES)
        mine, theirs = (np.bincount(r.group, r.weight, size) for r in (self, here))
        worth = 1.0 / (1.0 + mine * theirs / BORROWED**2)
        return Rehearsed.together([replace(self, weight=self.weight * worth[self.group]), here])

    @classmethod
    def none(cls, experts: int) -> Rehearsed:
        """No cell at all."""
        blank, each = np.zeros(0), np.zeros((experts, 0))
        return cls(blank, each, each, np.zeros(0, dtype=np.int64), blank, blank, blank)

    @classmethod
    def together(cls, rounds: Sequence[Rehearsed]) -> Rehearsed:
        """The cells of all rounds."""
        return cls(*(np.concatenate([getattr(r, field.name) for r in rounds], -1) for field in fields(cls)))


def rehearse(experts: Sequence[Expert], series: Sequence[Floats], seed: int) -> Rehearsed:
    """Hide `FRACTION` of the observed cells of series (T, C) again and again, and let every expert impute them."""
    rng, series = np.random.default_rng(seed), excerpt(series)
    missing = [np.isnan(values) for values in series]
    rounds = min(ROUNDS, int(np.ceil(enough(series) / max(FRACTION * observed(series), 1.0))))
    return Rehearsed.together([ask(experts, series, hide(missing, FRACTION, rng)) for _ in range(rounds)])


def excerpt(series: Sequence[Floats]) -> list[Floats]:
    """The series, or every n-th piece of them where they are long; pieces are views."""
    pieces = [values[start : start + PIECE] for values in series for start in range(0, len(values), PIECE)]
    keep = min(1.0, CELLS / max(size(pieces), 1))
    if keep == 1.0:
        return list(series)
    chosen = np.linspace(0, len(pieces) - 1, max(1, int(keep * len(pieces)))).astype(int)
    return [pieces[i] for i in chosen]


def observed(series: Sequence[Floats]) -> int:
    """How many cells are."""
    return sum(int((~np.isnan(values)).sum()) for values in series)


def size(series: Sequence[Floats]) -> int:
    """Cells in all."""
    return sum(values.size for values in series)


def enough(series: Sequence[Floats]) -> float:
    """How many hidden cells teach enough."""
    return float(max(ENOUGH, EACH * series[0].shape[1]))


def ask(experts: Sequence[Expert], series: Sequence[Floats], hidden: Sequence[Mask], causal: bool = False) -> Rehearsed:
    """What the experts say of the cells `hidden` (T, C) of every series; `causal`: how a gap goes on later is not known."""
    hidden = [h & ~np.isnan(values) for values, h in zip(series, hidden, strict=True)]
    rest = [np.where(h, np.nan, values) for values, h in zip(series, hidden, strict=True)]
    beliefs = [expert.predict(rest) for expert in experts]
    return Rehearsed(
        at(series, hidden),
        np.stack([at([b.mean for b in each], hidden) for each in beliefs]),
        np.stack([at([b.sd for b in each], hidden) for each in beliefs]),
        at([groups(np.isnan(values), causal) for values in rest], hidden).astype(np.int64),
        places(hidden),
        at([Around.of(values, causal=True).interpolate(values) for values in rest], hidden),
        at([2.0 / (1.0 + gap_lengths(h)) for h in hidden], hidden),
    )


def groups(missing: Mask, causal: bool) -> Integers:
    """channel * B + bin of the gap length of every cell (T, C); with `causal` of the gap as long as it has been so far."""
    lengths = so_far(missing) if causal else gap_lengths(missing)
    return np.asarray(np.arange(missing.shape[1]) * len(EDGES) + bins(lengths))


def so_far(missing: Mask) -> Integers:
    """Steps (T, C) since the last observed one, or since the beginning."""
    time = np.arange(1, len(missing) + 1)[:, None]
    return np.asarray(time - np.maximum.accumulate(np.where(missing, 0, time), axis=0))


def places(hidden: Sequence[Mask]) -> Floats:
    """Where in the data each hidden cell is, 0 … 1."""
    row, _ = np.nonzero(np.concatenate(list(hidden)))
    return row / max(sum(map(len, hidden)), 1)


def at(arrays: Sequence[NDArray[Any]], cells: Sequence[Mask]) -> Floats:
    """The numbers in some cells of every series, one after the other."""
    return np.concatenate([a[c] for a, c in zip(arrays, cells, strict=True)])

"""Observed cells are held out, the experts predict them, and their predictions are kept beside the truth.

Letters of shapes: T steps, C channels, K experts, n hidden cells of all rounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from vaehub_timeseries.gaps import gap_lengths
from vaehub_timeseries.impute.experts import Expert, Floats, Integers, Mask
from vaehub_timeseries.impute.groups import EDGES, SHRINKAGE, gap_bins
from vaehub_timeseries.impute.hide import hide
from vaehub_timeseries.impute.linear import Neighbours
from vaehub_timeseries.impute.seasonal_baselines import same_phase
from vaehub_timeseries.scale import Scaler

Number = TypeVar("Number", np.float64, np.bool_)
FRACTION = 0.05  # of the observed cells hidden at a time: more would make the rest harder than it really is
ENOUGH, EACH = 5_000, 100  # hidden cells in all and per channel
ROUNDS = 10  # at most
PIECE, CELLS = 2_000, 250_000  # steps of a piece of a long series, and cells of all pieces that are used
ROUNDING = 1e-9  # in scaled units


class HeldOut(NamedTuple):
    """Hidden cells, all arrays (n,) but for means and sds of the experts (K, n).

    group: channel * B + bin of the gap length; place: where in the data, 0 … 1; last: the value before the gap, 0 where there is none.
    seasonal_naive, seasonal_mean: the same phase of the last period, and the mean of the others; NaN where there is no rhythm.
    weight: errors in one gap are alike, so m cells hidden in a row count 2m / (m + 1), their worth at a correlation of one half.
    scales (P, n): the scale of each cell, as `Scaler.rows` has it; (0, n) where all are straight lines.
    linear: linear interpolation between the times of readings, which is that of the first expert where these lie on the grid.
    """

    truth: Floats
    means: Floats
    sds: Floats
    group: Integers
    place: Floats
    last: Floats
    weight: Floats
    scales: Floats
    seasonal_naive: Floats
    seasonal_mean: Floats
    linear: Floats

    @property
    def channel(self) -> Integers:
        """The channel of every cell (n,)."""
        return self.group // len(EDGES)

    def error(self, estimate: Floats) -> Floats:
        """|estimate - truth| of estimates (…, n), in standard deviations of the user's units."""
        out = np.abs(estimate - self.truth)
        if len(self.scales):
            scaler = Scaler.of_rows(self.scales)
            out = np.abs(scaler.unscale(estimate) - scaler.unscale(self.truth)) / scaler.spread
        return np.asarray(out)

    @property
    def error_of_mean(self) -> Floats:
        """The error (n,) of filling in the mean of the channel."""
        if not len(self.scales):
            return np.abs(self.truth)
        scaler = Scaler.of_rows(self.scales)
        assert scaler.marginals is not None  # it has rows
        return np.abs(scaler.marginals.centre - scaler.unscale(self.truth)) / scaler.spread

    @property
    def ends(self) -> tuple[Mask, Mask]:
        """Cells (n,) whose truth lies at a lower, or an upper, bound that data pile up at: known only to be there or beyond."""
        if not len(self.scales):
            return np.zeros(len(self.truth), bool), np.zeros(len(self.truth), bool)
        low, high = Scaler.of_rows(self.scales).ends
        return self.truth <= low + ROUNDING, self.truth >= high - ROUNDING

    def take(self, chosen: Mask) -> HeldOut:
        """Some of the cells."""
        return HeldOut._make(numbers[..., chosen] for numbers in self)

    def combined_with(self, here: HeldOut, channels: int) -> HeldOut:
        """These and those of the series at hand; per group these n together weigh 1 / (1/n + n_here/κ²), n where there are none here."""
        size = channels * len(EDGES)
        own, new = (np.bincount(r.group, r.weight, size) for r in (self, here))
        worth = 1.0 / (1.0 + own * new / SHRINKAGE**2)
        return HeldOut.concatenated([self._replace(weight=self.weight * worth[self.group]), here])

    @classmethod
    def empty(cls, experts: int) -> HeldOut:
        """No cell at all."""
        blank, each = np.zeros(0), np.zeros((experts, 0))
        return cls(blank, each, each, np.zeros(0, dtype=np.int64), blank, blank, blank, np.zeros((0, 0)), blank, blank, blank)

    @classmethod
    def restored(cls, arrays: Mapping[str, NDArray[Any]]) -> HeldOut:
        """The cells as a file holds them; files of vaehub 0.2.0 hold neither scales nor seasonal values, nor lines between times."""
        cells = len(arrays["truth"])
        absent = {
            "scales": np.zeros((0, cells)),
            "seasonal_naive": np.full(cells, np.nan),
            "seasonal_mean": np.full(cells, np.nan),
            "linear": arrays["means"][0],
        }
        return cls._make({**absent, **arrays}[name] for name in cls._fields)

    @classmethod
    def concatenated(cls, rounds: Sequence[HeldOut]) -> HeldOut:
        """The cells of all rounds, which share their scales."""
        return cls(*(np.concatenate(numbers, -1) for numbers in zip(*rounds, strict=True)))


def hold_out(experts: Sequence[Expert], series: Sequence[Floats], seed: int, scaler: Scaler | None = None) -> HeldOut:
    """Hide `FRACTION` of the observed cells of series (T, C) again and again, and let every expert impute them."""
    rng, series = np.random.default_rng(seed), excerpt(series)
    missing = [np.isnan(values) for values in series]
    rounds = min(ROUNDS, int(np.ceil(enough_cells(series) / max(FRACTION * observed_count(series), 1.0))))
    return HeldOut.concatenated(
        [predict_held_out(experts, series, hide(missing, FRACTION, rng), scaler=scaler) for _ in range(rounds)]
    )


def excerpt(series: Sequence[NDArray[Number]]) -> list[NDArray[Number]]:
    """The series, or every n-th piece of them where they are long; pieces are views."""
    pieces = [values[start : start + PIECE] for values in series for start in range(0, len(values), PIECE)]
    keep = min(1.0, CELLS / max(cell_count(pieces), 1))
    if keep == 1.0:
        return list(series)
    chosen = np.linspace(0, len(pieces) - 1, max(1, int(keep * len(pieces)))).astype(int)
    return [pieces[i] for i in chosen]


def observed_count(series: Sequence[Floats]) -> int:
    """How many cells are observed."""
    return sum(int((~np.isnan(values)).sum()) for values in series)


def cell_count(series: Sequence[NDArray[Any]]) -> int:
    """Cells in all."""
    return sum(values.size for values in series)


def enough_cells(series: Sequence[Floats]) -> float:
    """How many held-out cells are enough to fit the blend."""
    return float(max(ENOUGH, EACH * series[0].shape[1]))


def predict_held_out(
    experts: Sequence[Expert],
    series: Sequence[Floats],
    hidden: Sequence[Mask],
    causal: bool = False,
    scaler: Scaler | None = None,
    periods: Sequence[float] = (),
    times: Sequence[Floats] | None = None,
) -> HeldOut:
    """The experts' predictions of the cells `hidden` (T, C) of every series, whose scale is `scaler`; `causal`: where a gap ends is not known.

    `periods`: of the rhythms, the best of which the seasonal baselines take; `times`: of the readings (T, C) of every series, in steps, where
    these do not lie on the grid.
    """
    hidden = [h & ~np.isnan(values) for values, h in zip(series, hidden, strict=True)]
    rest = [np.where(h, np.nan, values) for values, h in zip(series, hidden, strict=True)]
    predictions = [expert.predict(rest) for expert in experts]
    truth = cells_of(series, hidden)
    means = np.stack([cells_of([b.mean for b in each], hidden) for each in predictions])
    on_grid = causal or times is None
    linear = (
        means[0] if on_grid else cells_of([linear_in_time(*pair, scaler) for pair in zip(rest, times or (), strict=True)], hidden)
    )
    group = cells_of([cell_groups(np.isnan(values), causal) for values in rest], hidden).astype(np.int64)
    return HeldOut(
        truth,
        means,
        np.stack([cells_of([b.sd for b in each], hidden) for each in predictions]),
        group,
        positions(hidden),
        cells_of([Neighbours.of(values, causal=True).interpolate(values) for values in rest], hidden),
        cells_of([2.0 / (1.0 + gap_lengths(h)) for h in hidden], hidden),
        np.zeros((0, len(group))) if scaler is None else scaler.take(group // len(EDGES)).rows,
        *seasonal_values(rest, hidden, truth, periods),
        linear,
    )


def linear_in_time(values: Floats, times: Floats, scaler: Scaler | None) -> Floats:
    """A series (T, C) with lines in the user's units between readings at `times` (T, C), constant outside them, 0 where there are none."""
    seen, plain = ~np.isnan(values), values if scaler is None else scaler.unscale(values)
    channels = zip(times.T, seen.T, plain.T, strict=True)
    lines = np.stack([np.interp(at, at[s], x[s]) if s.any() else np.zeros_like(x) for at, s, x in channels], 1)
    return np.where(seen.any(0), lines if scaler is None else scaler.scale(lines), 0.0)


def seasonal_values(
    rest: Sequence[Floats], hidden: Sequence[Mask], truth: Floats, periods: Sequence[float]
) -> tuple[Floats, Floats]:
    """Seasonal naive and mean of the hidden cells (n,), each by the period that serves it best."""
    tried = [list(zip(*(same_phase(values, period) for values in rest), strict=True)) for period in periods]
    best = []
    for which in range(2):
        cells = [cells_of(parts[which], hidden) for parts in tried]
        errors = [np.abs(c - truth)[~np.isnan(c)].sum() / max((~np.isnan(c)).sum(), 1) for c in cells]
        best.append(cells[int(np.argmin(errors))] if cells else np.full(len(truth), np.nan))
    return best[0], best[1]


def cell_groups(missing: Mask, causal: bool) -> Integers:
    """channel * B + bin of the gap length of every cell (T, C); with `causal` of the gap as long as it has been so far."""
    lengths = gap_so_far(missing) if causal else gap_lengths(missing)
    return np.asarray(np.arange(missing.shape[1]) * len(EDGES) + gap_bins(lengths))


def gap_so_far(missing: Mask) -> Integers:
    """Steps (T, C) since the last observed one, or since the beginning."""
    time = np.arange(1, len(missing) + 1)[:, None]
    return np.asarray(time - np.maximum.accumulate(np.where(missing, 0, time), axis=0))


def positions(hidden: Sequence[Mask]) -> Floats:
    """Where in the data each hidden cell is, 0 … 1."""
    row, _ = np.nonzero(np.concatenate(list(hidden)))
    return row / max(sum(map(len, hidden)), 1)


def cells_of(arrays: Sequence[NDArray[Any]], cells: Sequence[Mask]) -> Floats:
    """The numbers in some cells of every series, one after the other."""
    return np.concatenate([a[c] for a, c in zip(arrays, cells, strict=True)])

"""Gaps that reach the end of a series (or its beginning), forecasts among them: a gate and intervals of their own.

Nothing is observed behind such a gap, so what counts is the distance to the last observed step, not the length of the gap. The experts
forecast from earlier origins, the same columns being missing there as at the end, and are weighed and calibrated by distance.
Letters of shapes: T steps, C channels, H steps ahead.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaehub_timeseries.impute.blend import CalibratedBlend
from vaehub_timeseries.impute.experts import Expert, Floats, Integers, Mask
from vaehub_timeseries.impute.groups import EDGES
from vaehub_timeseries.impute.held_out import HeldOut, cell_groups, predict_held_out
from vaehub_timeseries.scale import Scaler

ORIGINS = 32  # of the forecasts that are tried
ENOUGH = 8  # origins whose forecasts say by themselves how the experts do
CONTEXT, PERIODS = 2_000, 6  # steps before the origin that a forecast may use, and periods of the longest rhythm
SHORTEST = 4  # steps of a gap at an end that is worth forecasts of its own


def distance_to_observed(missing: Mask) -> Integers:
    """How many steps each cell (T, C) lies behind the last observed one of its channel, or before the first; 0 in between.

    >>> distance_to_observed(np.array([[True], [False], [True], [False], [True], [True]]))[:, 0].tolist()
    [1, 0, 0, 0, 1, 2]
    """
    time, steps = np.arange(len(missing))[:, None], len(missing)
    last = np.where(missing, -1, time).max(0, initial=-1)
    first = np.where(missing, steps, time).min(0, initial=steps)
    return np.where(last < 0, 0, np.maximum(time - last, 0) + np.maximum(first - time, 0))


def end_pattern(series: Sequence[Floats]) -> Mask:
    """What is missing in the last steps (H, C), as far back as some gap at the end of some series (T, C) reaches."""
    ends = [distance_to_observed(np.isnan(values)) * np.isnan(values) for values in series]
    steps = max((int(distance[-1].max(initial=0)) for distance in ends if len(distance)), default=0)
    pattern = np.zeros((steps, series[0].shape[1]), dtype=bool)
    for values in series:
        part = np.isnan(values[max(0, len(values) - steps) :])
        pattern[steps - len(part) :] |= part
    return pattern


def forecasts_from_earlier(
    experts: Sequence[Expert], series: Sequence[Floats], ahead: Mask, period: float, scaler: Scaler | None = None
) -> HeldOut | None:
    """The cells `ahead` (H, C) forecast from earlier origins, evenly spaced over the later half of all series; None where none is long enough."""
    steps = len(ahead)
    lengths = [int(np.flatnonzero(~np.isnan(values).all(1))[-1]) + 1 if (~np.isnan(values)).any() else 0 for values in series]
    places = [(values, origin) for values, length in zip(series, lengths, strict=True) for origin in origins(length, steps)]
    if not places or not steps:
        return None
    chosen = np.linspace(0, len(places) - 1, min(ORIGINS, len(places))).round().astype(int)
    context = max(CONTEXT, int(PERIODS * period))
    cut = [values[max(0, origin - context) : origin + steps] for values, origin in (places[i] for i in chosen)]
    hidden = [np.vstack([np.zeros((len(values) - steps, ahead.shape[1]), dtype=bool), ahead]) for values in cut]
    held_out = predict_held_out(experts, cut, hidden, causal=True, scaler=scaler)
    return held_out._replace(weight=weights_by_distance(cut, hidden))


def origins(length: int, steps: int) -> list[int]:
    """Ends of the past: in the later half of a series, each with `steps` after it."""
    first, last = max(1, length // 2), length - steps
    return sorted(set(np.linspace(first, last, ORIGINS).round().astype(int).tolist())) if last >= first else []


def weights_by_distance(series: Sequence[Floats], hidden: Sequence[Mask]) -> Floats:
    """Of the hidden cells (n,): errors of one forecast are alike, so m cells of a channel and bin of distances count 2m / (m + 1)."""
    parts = []
    for values, cells in zip(series, hidden, strict=True):
        scored = cells & ~np.isnan(values)
        group = cell_groups(np.isnan(values) | cells, causal=True)[scored]
        parts.append(2.0 / (1.0 + np.bincount(group, minlength=1)[group]))
    return np.concatenate(parts)


def end_blend(held_out: HeldOut, channels: int, of_fit: HeldOut) -> CalibratedBlend:
    """The blend by forecasts from earlier origins; where these are few, by the held-out cells of the fit as well."""
    scarce = len(held_out.truth) and np.bincount(held_out.channel, held_out.weight, channels).max() < 2 * ENOUGH
    return CalibratedBlend.of(of_fit.combined_with(held_out, channels) if scarce else held_out, channels)


def grouped_by_distance(group: Integers, missing: Mask, channels: int) -> Integers:
    """The groups (T, C) of a joined blend (`CalibratedBlend.joined`): cells of gaps at an end are in its second half, by their distance."""
    distance = distance_to_observed(missing)
    bins = np.maximum(np.digitize(distance, EDGES) - 1, 0)
    ends = (channels + np.arange(missing.shape[1])) * len(EDGES) + bins
    return np.where(distance * missing > 0, ends, group)

"""Which stretches of which channels are odd, by which detector, and how rarely chance brings that about.

| kind | statistic | source |
|---|---|---|
| spike | abs(z) of a cell predicted from all others | Barnett & Lewis, Outliers in Statistical Data (1978) |
| stuck | length of a run of equal readings beside the column's usual runs | runs.py |
| level shift | mean z of a block that is left out as a whole | Basseville & Nikiforov, Detection of Abrupt Changes (1993) |
| drift | slope of z in such a block | the same |
| change of rhythm | mean square of z in such a block about its line: the usual course is not kept | the same |
| variance up, variance down | mean square of z of cells left out one by one, in a window | Inclán & Tiao (1994), doi:10.1080/01621459.1994.10476824 |
| collective | level shifts of all channels together: their sum of squares | Hotelling, Multivariate Quality Control (1947) |

Blocks have several lengths, since what lasts longer than its block vouches for itself. Letters of shapes: T steps, M channels, K windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

from vaehub_timeseries.anomalies.law import Law
from vaehub_timeseries.anomalies.runs import Runs, run_rarity
from vaehub_timeseries.anomalies.windows import OVERLAP, Windows, block_scores, cut_windows, offsets
from vaehub_timeseries.impute.blend import CalibratedBlend
from vaehub_timeseries.impute.experts import Floats, Integers, Mask
from vaehub_timeseries.impute.fitted import Fitted
from vaehub_timeseries.impute.scaled import ScaledSeries
from vaehub_timeseries.marginals.censoring import NEAR

BLOCKS = (16, 48, 128)  # steps that are left out together
SHARED = 48  # no longer block is predicted from the other channels at the same time: their relations show in shorter ones
FIT = 4  # blocks that the longest series must hold
MARGIN = 0.25  # of a block: nearer to an end of a series it is predicted from one side, and worse
VARIANCE_WINDOWS = (16, 64)
STRONGEST = 100.0  # of strengths: beyond, numbers mean nothing
LEAST_SCALE = 0.1  # of a statistic's law, in calibrated standard deviations: less is rounding
LEAST_SQUARE = 0.01  # of z: less is rounding
ALL = -1  # the channel of what all channels show together
SERIES_BITS = 32  # of a key of series and step


class Detection(NamedTuple):
    """Steps start … end - 1 of a channel of a series, of all channels where it is -1.

    strength: -log10 of how many stretches as odd chance brings a step, all detectors and channels together.
    """

    series: int
    channel: int
    start: int
    end: int
    kind: str
    strength: float


def detect(
    fitted: Fitted, data: ScaledSeries, blend: CalibratedBlend, scores: Sequence[Floats], odd: Sequence[Mask], threshold: float
) -> list[Detection]:
    """All detections of strength `threshold` or more in the channels that are numbers.

    Arguments:
        fitted: The model.
        data: The series.
        blend: Of the model's experts for these series.
        scores: z of every observed cell (T, M), left out one by one.
        odd: Cells (T, M) from which nothing is predicted.
        threshold: Least strength.
    """
    channels, varying = [int(c) for c in np.flatnonzero(fitted.numeric)], beside_bounds(scores, data)
    found: list[list[Detection]] = []  # one list for each detector and channel
    for channel in channels:
        found += [spikes(scores, odd, channel), stuck_runs(data, channel)]
        for length in VARIANCE_WINDOWS:
            windows = Windows.joined([cut_windows(varying, odd, channel, length, offset) for offset in offsets(length)])
            found.append(
                rare_windows(windows, np.log(windows.square + LEAST_SQUARE), length, channel, "variance up", "variance down")
            )
    longest = max(map(len, scores), default=0)
    for length in BLOCKS:
        if FIT * length <= longest:
            for together in (True, False) if len(channels) > 1 and length <= SHARED else (True,):
                z = [block_scores(fitted, data, blend, odd, length, offset, together) for offset in offsets(length)]
                found += odd_blocks(z, odd, channels, length, together)
    share = np.log10(max(len(found), 1))  # Bonferroni
    each = [d._replace(strength=min(d.strength - share, STRONGEST)) for part in found for d in part]
    ends = [len(z) for z in scores]
    return [d._replace(start=max(d.start, 0), end=min(d.end, ends[d.series])) for d in each if d.strength >= threshold]


def beside_bounds(scores: Sequence[Floats], data: ScaledSeries) -> list[Floats]:
    """The scores (T, M) without the cells at bounds that data pile up at: there a column stands still, as it does every night."""
    low, high = data.ends
    return [np.where((x <= low + NEAR) | (x >= high - NEAR), np.nan, z) for x, z in zip(data.series, scores, strict=True)]


def spikes(scores: Sequence[Floats], odd: Sequence[Mask], channel: int) -> list[Detection]:
    """Single cells."""
    places = [np.flatnonzero(~np.isnan(z[:, channel])) for z in scores]
    z = np.concatenate([part[at, channel] for part, at in zip(scores, places, strict=True)])
    usual = ~np.concatenate([cells[at, channel] for cells, at in zip(odd, places, strict=True)])
    law = Law.of(z, usual, LEAST_SCALE, own_tails=True)
    if law is None:
        return []
    series = np.repeat(np.arange(len(places)), [len(at) for at in places])
    return detections(series, np.concatenate(places), 1, channel, ["spike"] * len(z), law.rarity(z) - np.log10(2))


def stuck_runs(data: ScaledSeries, channel: int) -> list[Detection]:
    """Runs of equal readings."""
    parts = [Runs.of(values[:, channel]) for values in data.series]
    runs = Runs(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    series = np.repeat(np.arange(len(parts)), [len(part.start) for part in parts])
    rarity = run_rarity(runs) - np.log10(max(len(runs.start), 1) / max(sum(map(len, data.series)), 1))
    return detections(series, runs.start, runs.length, channel, ["stuck"] * len(rarity), rarity)


def odd_blocks(
    z: Sequence[Sequence[Floats]], odd: Sequence[Mask], channels: Sequence[int], length: int, together: bool
) -> list[list[Detection]]:
    """Level, drift and rhythm of blocks that were left out; z: of every offset, of every series (T, M)."""
    found, levels, margin = [], [], int(MARGIN * length)
    for channel in channels:
        cut = [
            cut_windows(scores, odd, channel, length, offset, margin) for scores, offset in zip(z, offsets(length), strict=True)
        ]
        windows = Windows.joined(cut)
        found.append(rare_windows(windows, windows.mean, length, channel, "level shift", "level shift"))
        found.append(rare_windows(windows, windows.slope, length, channel, "drift", "drift"))
        found.append(rare_windows(windows, np.log(windows.rest + LEAST_SQUARE), length, channel, "change of rhythm"))
        levels.append(windows)
    if together and len(channels) > 1:
        found.append(collective(levels, length))
    return found


def collective(levels: Sequence[Windows], length: int) -> list[Detection]:
    """Windows by the sum of squares of all channels' standardised levels; those that are observed in every channel."""
    keys = [w.series << SERIES_BITS | w.start for w in levels]
    common = reduce(np.intersect1d, keys)
    total, odd = np.zeros(len(common)), np.zeros(len(common), dtype=bool)
    for windows, key in zip(levels, keys, strict=True):
        law = Law.of(windows.mean, ~windows.odd, LEAST_SCALE)
        if law is None:
            return []
        order = np.argsort(key)
        rows = order[np.searchsorted(key, common, sorter=order)]
        total += law.standardised(windows.mean)[rows] ** 2
        odd |= windows.odd[rows]
    blank = np.zeros(len(common))
    together = Windows(common >> SERIES_BITS, common & (1 << SERIES_BITS) - 1, blank, blank, total, blank, odd)
    return rare_windows(together, np.log(total + LEAST_SQUARE), length, ALL, "collective")


def rare_windows(
    windows: Windows, statistic: Floats, length: int, channel: int, above: str, below: str | None = None
) -> list[Detection]:
    """Windows by how rare a statistic of theirs (K,) is: of kind `above` where it is above the usual, else `below`."""
    law = Law.of(statistic, ~windows.odd, LEAST_SCALE)
    if law is None:
        return []
    sides = 1 if below is None else 2
    rarity = law.rarity(statistic) - np.log10(sides * OVERLAP / length)
    up = statistic > law.median
    kinds = [above if high else below or "" for high in up.tolist()]
    return detections(windows.series, windows.start, length, channel, kinds, np.where(up | (below is not None), rarity, 0.0))


def detections(
    series: Integers, start: Integers, length: Integers | int, channel: int, kinds: Sequence[str], rarity: Floats
) -> list[Detection]:
    """Those stretches of a channel that are worth a thought; rarity: -log10 of how many as odd chance brings a step."""
    lengths = np.broadcast_to(length, rarity.shape)
    return [
        Detection(int(series[i]), channel, int(start[i]), int(start[i] + lengths[i]), kinds[i], float(rarity[i]))
        for i in np.flatnonzero(rarity > 0).tolist()
    ]

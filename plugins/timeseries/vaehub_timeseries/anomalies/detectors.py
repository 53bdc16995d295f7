"""Which stretches of which channels are odd, by which detector, and how rarely chance brings that about.

strength = -log10 of the expected number of false events a step that are as extreme, all detectors and columns together (Bonferroni).
| detector | statistic | source |
|---|---|---|
| spike | abs(z) of a cell from all others | |
| stuck | length of a run of equal readings | runs.py |
| level shift | mean z of a block that is left out as a whole | Basseville & Nikiforov, Detection of Abrupt Changes (1993) |
| drift | slope of z in such a block | the same |
| change of rhythm | mean square of z in such a block about its line: the usual course is not kept | |
| variance change | mean square of z of single cells in a window | Inclán & Tiao (1994), doi:10.1080/01621459.1994.10476824 |
| collective | level shifts of all channels together | Hotelling (1947) |
Blocks of several lengths: what lasts no longer than a block cannot vouch for itself. Letters of shapes: T steps, M channels, K windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from vaehub_timeseries.anomalies.law import Law
from vaehub_timeseries.anomalies.runs import Runs, run_rarity
from vaehub_timeseries.anomalies.windows import Windows, block_scores, cut_windows
from vaehub_timeseries.impute.blend import CalibratedBlend
from vaehub_timeseries.impute.experts import Floats, Mask
from vaehub_timeseries.impute.fitted import Fitted
from vaehub_timeseries.impute.scaled import ScaledSeries

BLOCKS = (16, 64, 256)  # steps that are left out together
VARIANCE_WINDOWS = (16, 64)
OVERLAP = 2  # windows start every half length
STRONGEST = 100.0  # beyond that numbers mean nothing
LEAST_SCALE = 0.1  # of the law of a statistic in units of calibrated sds: less is rounding


class Detection(NamedTuple):
    """Steps start … end - 1 of a channel of a series; channel -1 for all of them."""

    series: int
    channel: int
    start: int
    end: int
    kind: str
    strength: float


class Evidence(NamedTuple):
    """What is detected, and the scores (T, M) behind it: of cells left out one by one, and with all their block, by length."""

    detections: list[Detection]


def detect(
    fitted: Fitted,
    data: ScaledSeries,
    blend: CalibratedBlend,
    scores: Sequence[Floats],
    odd: Sequence[Mask],
    threshold: float,
) -> list[Detection]:
    """All detections of strength `threshold` or more in the numeric channels, given z of every cell (T, M) and the cells that are odd."""
    channels = [int(c) for c in np.flatnonzero(fitted.numeric)]
    rare = Rarities(len(channels), threshold, [len(z) for z in scores])
    for channel in channels:
        rare.add(spikes(scores, channel))
        rare.add(stuck_runs(data, channel))
        for length in VARIANCE_WINDOWS:
            windows = joined([cut_windows(scores, odd, channel, length, offset) for offset in offsets(length)])
            rare.add(judged(windows, np.log(windows.square + 0.01), "variance up", "variance down", channel))
    longest = max(map(len, scores), default=0)
    for length in BLOCKS:
        for together in (True, False) if len(channels) > 1 else (True,):
            if 4 * length <= longest:
                add_blocks(rare, fitted, data, blend, odd, channels, length, together)
    return rare.detections()


class Rarities:
    """Candidates of all detectors, and how many detectors looked."""

    def __init__(self, channels: int, threshold: float, lengths: Sequence[int]) -> None:
        self.tests, self.threshold, self.lengths = 0, threshold, lengths
        self.candidates: list[Detection] = []

    def add(self, found: Sequence[Detection]) -> None:
        """Those of one detector, their strength not yet shared with the others."""
        self.tests += 1
        self.candidates += found

    def detections(self) -> list[Detection]:
        """Those that are strong enough beside all others."""
        share = np.log10(max(self.tests, 1))
        strong = [d._replace(strength=min(d.strength - share, STRONGEST)) for d in self.candidates]
        return [
            d._replace(start=max(d.start, 0), end=min(d.end, self.lengths[d.series])) for d in strong if d.strength >= self.threshold
        ]


def offsets(length: int) -> list[int]:
    """Where the first window begins before the first step."""
    return [k * length // OVERLAP for k in range(OVERLAP)]


def spikes(scores: Sequence[Floats], channel: int) -> list[Detection]:
    """Single cells."""
    z = np.concatenate([part[:, channel] for part in scores])
    seen = np.flatnonzero(~np.isnan(z))
    law = Law.of(z[seen], np.ones(len(seen), dtype=bool), LEAST_SCALE, 4.0 if False else 6.0)
    if law is None:
        return []
    rarity = law.rarity(z[seen]) - np.log10(2)
    series = np.repeat(np.arange(len(scores)), [len(part) for part in scores])
    step = np.concatenate([np.arange(len(part)) for part in scores])
    return [
        Detection(int(series[i]), channel, int(step[i]), int(step[i]) + 1, "spike", float(r))
        for i, r in zip(seen, rarity, strict=True)
        if r > 1
    ]


def stuck_runs(data: ScaledSeries, channel: int) -> list[Detection]:
    """Runs of equal readings."""
    parts = [Runs.of(values[:, channel]) for values in data.series]
    runs = Runs(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    series = np.repeat(np.arange(len(parts)), [len(part.start) for part in parts])
    steps = sum(map(len, data.series))
    rarity = run_rarity(runs) - np.log10(max(len(runs.start), 1) / steps)
    return [
        Detection(int(s), channel, int(start), int(start + length), "stuck", float(r))
        for s, start, length, r in zip(series, runs.start, runs.length, rarity, strict=True)
        if r > 1
    ]


def judged(windows: Windows, statistic: Floats, up: str, down: str | None, channel: int) -> list[Detection]:
    """Windows by how rare a statistic of theirs is, above the usual and, where `down` is a kind, below."""
    law = Law.of(statistic, ~windows.odd, LEAST_SCALE)
    if law is None:
        return []
    per_step = np.log10(OVERLAP / windows.length)
    rarity = law.rarity(statistic) - (np.log10(2) if down else 0.0) - per_step
    high = statistic > law.median
    return [
        Detection(int(s), channel, int(start), int(start) + windows.length, up if h else str(down), float(r))
        for s, start, h, r in zip(windows.series, windows.start, high, rarity, strict=True)
        if r > 1 and (h or down)
    ]


def add_blocks(
    rare: Rarities,
    fitted: Fitted,
    data: ScaledSeries,
    blend: CalibratedBlend,
    odd: Sequence[Mask],
    channels: Sequence[int],
    length: int,
    together: bool,
) -> None:
    """Level, drift and rhythm of blocks left out."""
    scores = [block_scores(fitted, data, blend, odd, length, offset, together) for offset in offsets(length)]
    levels = []
    for channel in channels:
        windows = joined([cut_windows(z, odd, channel, length, offset) for z, offset in zip(scores, offsets(length), strict=True)])
        rare.add(judged(windows, windows.mean, "level shift", "level shift", channel))
        rare.add(judged(windows, windows.slope, "drift", "drift", channel))
        rare.add(judged(windows, np.log(windows.rest + 0.01), "change of rhythm", None, channel))
        levels.append(windows)
    if together and len(channels) > 1:
        rare.add(collective(levels))


def collective(levels: Sequence[Windows]) -> list[Detection]:
    """Windows by the sum of squares of all channels' standardised levels."""
    places = [set(zip(w.series.tolist(), w.start.tolist(), strict=True)) for w in levels]
    common = sorted(set.intersection(*places))
    if not common:
        return []
    total, odd = np.zeros(len(common)), np.zeros(len(common), dtype=bool)
    for w in levels:
        where = {place: i for i, place in enumerate(zip(w.series.tolist(), w.start.tolist(), strict=True))}
        rows = np.array([where[place] for place in common])
        law = Law.of(w.mean, ~w.odd, LEAST_SCALE)
        if law is None:
            return []
        total += law.standardised(w.mean)[rows] ** 2
        odd |= w.odd[rows]
    first = levels[0]
    series, start = (np.array(column, dtype=np.int64) for column in zip(*common, strict=True))
    blank = np.zeros(len(common))
    windows = Windows(first.length, series, start, blank, blank, total, blank, odd)
    return judged(windows, np.log(total + 0.01), "collective", None, -1)


def joined(parts: Sequence[Windows]) -> Windows:
    """Windows of all offsets."""
    names = ("series", "start", "mean", "slope", "square", "rest", "odd")
    return Windows(parts[0].length, *(np.concatenate([vars(part)[name] for part in parts]) for name in names))


def iterate(detections: Sequence[Detection]) -> Iterator[Detection]:
    """x"""
    yield from detections

"""Which observed cells to hide, so that they are as hard to impute as the cells that are really missing.

A hidden cell should lie in a gap of the length that missing cells lie in, together with the channels that go missing together. Series
are joined into one mask (R, C) with an observed row between two, so that no gap spans two of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vaehub_timeseries.gaps import gap_lengths
from vaehub_timeseries.impute.experts import Floats, Integers, Mask
from vaehub_timeseries.masks import mixture

OTHER_CHANNEL = 0.25  # of the gaps are laid in a channel drawn at random: channels without gaps are tested too
MAX_SHARE_OF_SERIES = (
    0.5  # of its series, that one hidden gap may span where there is no other series to learn the channel's level from
)
MAX_STEPS, MAX_SHARE = (
    100,
    0.25,
)  # steps, or share of what is hidden per channel, that no hidden gap is longer than: one gap must not be all
MIN_HIDDEN, MAX_HIDDEN = 0.5, 0.5  # of `fraction`, that every channel is hidden by, and of its observed cells, that it may be
TRIES = 4  # places are tried for every gap, and the one kept where the gap comes out nearest to the length it should have


class JoinedSeries(NamedTuple):
    """Missing cells of all series, one below the other: (R, C), series i in the rows starts[i] … ends[i]."""

    missing: Mask
    starts: Integers
    ends: Integers

    @classmethod
    def of(cls, missing: Sequence[Mask]) -> JoinedSeries:
        """Joined with an observed row after every series."""
        lengths = np.array([len(m) for m in missing])
        ends = np.cumsum(lengths + 1) - 1
        apart = np.zeros((1, missing[0].shape[1]), dtype=bool)
        return cls(np.concatenate([part for m in missing for part in (m, apart)]), ends - lengths, ends)

    def parted(self, mask: Mask) -> list[Mask]:
        """A mask (R, C) back as one per series."""
        return [mask[a:b] for a, b in zip(self.starts, self.ends, strict=True)]

    @property
    def inside(self) -> Mask:
        """Rows (R,) that belong to a series."""
        out = np.ones(len(self.missing), dtype=bool)
        out[self.ends] = False
        return out


class Spans(NamedTuple):
    """Rows first … last of one channel, each (E,)."""

    first: Integers
    last: Integers
    channel: Integers

    def take(self, index: Integers) -> Spans:
        """Those with these numbers, in this order."""
        return Spans(*(column[index] for column in self))

    def cover(self, shape: tuple[int, int]) -> Mask:
        """The cells (R, C) in any of the spans."""
        rows, channels = shape
        opened = np.bincount(self.first * channels + self.channel, minlength=(rows + 1) * channels)
        closed = np.bincount((self.last + 1) * channels + self.channel, minlength=(rows + 1) * channels)
        return np.asarray((opened - closed).reshape(rows + 1, channels).cumsum(0)[:-1] > 0)


def hide(missing: Sequence[Mask], fraction: float, rng: np.random.Generator) -> list[Mask]:
    """Hide about `fraction` of the observed cells of series (T, C), at least one where any is observed.

    The lengths of gaps are drawn as a missing cell sees them, and are matched by rank to the gaps that hiding one observed cell makes:
    the least is hidden that gives the hidden cells the missing cells' distribution of gap lengths. Of every channel with two observed
    cells some are hidden and some are left. Where nothing is missing, points, runs and rows are hidden in equal parts.
    """
    if not any(m.any() for m in missing):
        return [mixture(m.shape, fraction, rng) for m in missing]
    joined = JoinedSeries.of(missing)
    observed = ~joined.missing & joined.inside[:, None]
    wanted = max(1.0, fraction * observed.sum())
    spans = _with_companions(_spans(joined, observed, wanted, rng), co_missingness(missing), rng)
    spans = _leaving_some(spans, observed)
    short = _shortfall(_first_hiding(spans, observed, wanted), observed, fraction)
    chosen = [_first_hiding(spans, observed, wanted - short.sum()), _spans_for_shortfall(joined, observed, short, rng)]
    return joined.parted(np.any([part.cover(observed.shape) for part in chosen], axis=0) & observed)


def co_missingness(missing: Sequence[Mask]) -> Floats:
    """How much likelier channel d is missing where c is: p (C, C) with P(d | c observed) + (1 - P(d | c observed)) p = P(d | c missing).

    In windows of one length, what depends on the step alone (gaps that are commonest in the middle) is not counted.
    """
    cells = np.stack(missing) if len({len(m) for m in missing}) == 1 and len(missing) > 1 else np.concatenate(missing)
    rate = cells.mean(tuple(range(cells.ndim - 1)))
    rest = (cells - cells.mean(0)).reshape(-1, len(rate))
    change = (rest.T @ rest) / np.maximum((rest**2).sum(0), 1e-9)[:, None]
    where_seen = np.clip(rate - change * rate[:, None], 0, 1 - 1e-9)
    np.fill_diagonal(change, 0.0)
    return np.asarray(np.clip(change / (1 - where_seen), 0, 1))


def _spans(joined: JoinedSeries, observed: Mask, wanted: float, rng: np.random.Generator) -> Spans:
    """Gaps about random observed cells: as long as random missing cells' gaps, as far as those are longer than what hiding one makes."""
    rows, channels = np.nonzero(joined.missing)
    count, width = int(wanted) + 1, observed.shape[1]
    donor = rng.integers(len(rows), size=count)
    channel = np.where(rng.random(count) < OTHER_CHANNEL, rng.integers(width, size=count), channels[donor])
    lengths = np.minimum(
        _at_most_half(gap_lengths(joined.missing)[rows, channels][donor], joined), max(MAX_STEPS, int(MAX_SHARE * wanted / width))
    )
    spans = _concatenated([_spans_of_length(joined, observed[:, c], c, lengths[channel == c], rng) for c in np.unique(channel)])
    return spans.take(rng.permutation(len(spans.first)))


def _at_most_half(lengths: Integers, joined: JoinedSeries) -> Integers:
    """No longer than half of the series where there is only one."""
    if len(joined.starts) > 1:
        return lengths
    return np.minimum(lengths, max(1, int(MAX_SHARE_OF_SERIES * (joined.ends[0] - joined.starts[0]))))


def _concatenated(parts: Sequence[Spans]) -> Spans:
    """All spans, one part after the other."""
    return Spans(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _spans_of_length(joined: JoinedSeries, observed: Mask, channel: int, wanted: Integers, rng: np.random.Generator) -> Spans:
    """Spans about random observed cells of one channel, the longest wanted where hiding one cell already makes the longest gap."""
    places = np.flatnonzero(observed)
    if not len(places):
        return Spans(*np.zeros((3, 0), dtype=np.int64))
    before, after = _observed_neighbours(joined.missing[:, channel])
    chosen, wanted = rng.choice(places, TRIES * len(wanted)), np.sort(np.repeat(wanted, TRIES))
    made = after[chosen] - before[chosen] - 1
    chosen = chosen[np.argsort(made, kind="stable")]
    spans = _grown_spans(joined, chosen, np.maximum(wanted - np.sort(made), 0), channel, rng)
    comes_out = after[spans.last] - before[spans.first] - 1
    off = np.abs(np.log(comes_out / wanted)).reshape(-1, TRIES)
    return spans.take(off.argmin(1) + TRIES * np.arange(len(off)))


def _observed_neighbours(missing: Mask) -> tuple[Integers, Integers]:
    """The rows of the observed cells before and after every row (R,), the row itself left out."""
    rows = np.arange(len(missing))
    before = np.maximum.accumulate(np.where(missing, -1, rows))
    after = np.minimum.accumulate(np.where(missing, len(missing), rows)[::-1])[::-1]
    return np.concatenate([[-1], before[:-1]]), np.concatenate([after[1:], [len(missing)]])


def _grown_spans(joined: JoinedSeries, chosen: Integers, extra: Integers, channel: int, rng: np.random.Generator) -> Spans:
    """The chosen rows with `extra` rows more, some before and some after them, inside their series."""
    series = np.searchsorted(joined.ends, chosen)
    low, high = joined.starts[series], joined.ends[series] - 1
    first = np.clip(chosen - rng.integers(extra + 1), low, np.maximum(high - extra, low))
    return Spans(first, np.minimum(first + extra, high), np.full(len(chosen), channel))


def _with_companions(spans: Spans, share: Floats, rng: np.random.Generator) -> Spans:
    """Every span followed by the same rows of the channels that go missing with its own."""
    chosen = rng.random((len(spans.first), len(share))) < share[spans.channel]
    chosen[np.arange(len(chosen)), spans.channel] = True
    event, channel = np.nonzero(chosen)
    return Spans(spans.first[event], spans.last[event], channel)


def _leaving_some(spans: Spans, observed: Mask) -> Spans:
    """The first spans of every channel that leave enough of it, overlaps counted twice."""
    order = np.argsort(spans.channel, kind="stable")
    hidden = np.concatenate([[0], _observed_count(spans, observed)[order].cumsum()])
    first = np.searchsorted(spans.channel[order], spans.channel[order])
    leaves_enough = hidden[1:] - hidden[first] <= MAX_HIDDEN * observed.sum(0)[spans.channel[order]]
    return spans.take(np.sort(order[leaves_enough]))


def _first_hiding(spans: Spans, observed: Mask, wanted: float) -> Spans:
    """The first spans that hide so many observed cells, overlaps counted twice; at least one that hides any."""
    hidden = _observed_count(spans, observed).cumsum()
    return spans.take(np.arange(min(len(hidden), int(np.searchsorted(hidden, wanted)) + 1)))


def _observed_count(spans: Spans, observed: Mask) -> Integers:
    """How many observed cells each span hides (E,)."""
    observed_above = np.vstack([np.zeros((1, observed.shape[1]), dtype=np.int64), observed.cumsum(0)])
    return np.asarray(observed_above[spans.last + 1, spans.channel] - observed_above[spans.first, spans.channel])


def _shortfall(spans: Spans, observed: Mask, fraction: float) -> Integers:
    """How many more cells of every channel (C,) must be hidden."""
    count = observed.sum(0)
    least = np.where(count > 1, np.maximum(1, MIN_HIDDEN * fraction * count), 0)
    hidden = (spans.cover(observed.shape) & observed).sum(0)
    return np.asarray(np.ceil((least - hidden).clip(0)), dtype=np.int64)


def _spans_for_shortfall(joined: JoinedSeries, observed: Mask, short: Integers, rng: np.random.Generator) -> Spans:
    """Spans in the channels that are short of hidden cells, of the lengths of all gaps, none of more cells than are short."""
    lengths = gap_lengths(joined.missing)[joined.missing]
    parts = [Spans(*np.zeros((3, 0), dtype=np.int64))]
    for channel in np.flatnonzero(short).tolist():
        wanted = np.minimum(rng.choice(lengths, short[channel]), short[channel])
        parts.append(
            _first_hiding(_spans_of_length(joined, observed[:, channel], channel, wanted, rng), observed, short[channel])
        )
    return _concatenated(parts)

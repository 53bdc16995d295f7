"""Events of series: detections that overlap, as one, with the strongest reason.

Everything is looked for twice, the second time predicted without what was found the first time: then odd cells neither vouch for one another nor
spoil the prediction of those beside them. Letters of shapes: T steps, M channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

import numpy as np

from vaehub_timeseries.anomalies.detectors import ALL, Detection, detect
from vaehub_timeseries.anomalies.windows import CLIP
from vaehub_timeseries.impute.anomalies import standard_scores
from vaehub_timeseries.impute.experts import Floats, Mask
from vaehub_timeseries.impute.fitted import Fitted, all_experts
from vaehub_timeseries.impute.predictive import Predictive
from vaehub_timeseries.impute.scaled import ScaledSeries

NEAR = 0.5  # of the strength of the strongest detection: what belongs to its event
MOST = 0.3  # of the cells of a channel that may be left out as odd
WIDER = 0.5  # of an event's length, on either side, in which its ends are looked for
SHORTEST = 4  # steps of an event whose ends are looked for


class Event(NamedTuple):
    """Steps start … end - 1 of some channels of a series, the oddest first; strength: see `Detection`."""

    series: int
    channels: tuple[int, ...]
    start: int
    end: int
    kind: str
    strength: float


class Findings(NamedTuple):
    """Events, z (T, M) of cells left out one by one, and what is expected where the events are, given all cells outside of them."""

    events: list[Event]
    scores: list[Floats]
    expected: Predictive


def find_events(whole: Fitted, data: ScaledSeries, false_alarms: float) -> Findings:
    """The events of series, at so many false ones a step."""
    fitted = without_network(whole)
    blend, threshold, count = fitted.blend(data), -np.log10(false_alarms), len(fitted.columns)
    scores, odd = standard_scores(fitted, data, blend)
    events = merged(detect(fitted, data, blend, scores, odd, threshold), count)
    if events:
        events = merged(detect(fitted, data, blend, scores, with_events(odd, events), threshold), count)
    blank = [np.zeros(values.shape, dtype=bool) for values in data.series]
    hidden = with_events(odd, [widened(event, len(data.series[event.series])) for event in events], most=1.0)
    expected = fitted.predict(
        replace(data, series=[np.where(cells, np.nan, values) for cells, values in zip(hidden, data.series, strict=True)]), blend
    )
    events = [with_ends(event, data, scores, expected) for event in events]
    hidden = with_events(blank, events, most=1.0)
    rest = [np.where(cells, np.nan, values) for cells, values in zip(hidden, data.series, strict=True)]
    return Findings(events, scores, fitted.predict(replace(data, series=rest), blend))


def without_network(fitted: Fitted) -> Fitted:
    """The closed form alone, as a network, which is the last expert, costs most and moves little."""
    if fitted.model is None or fitted.model.process is None:
        return fitted
    model = replace(fitted.model, run=None)
    count = len(all_experts(fitted.linear, model))
    held_out = fitted.held_out._replace(means=fitted.held_out.means[:count], sds=fitted.held_out.sds[:count])
    return replace(fitted, model=model, held_out=held_out)


def with_events(odd: Sequence[Mask], events: Sequence[Event], most: float = MOST) -> list[Mask]:
    """The odd cells (T, M) and those of the strongest events, as long as no more than a share `most` of a channel is odd."""
    out = [cells.copy() for cells in odd]
    left = most * sum(map(len, odd)) - np.sum([cells.sum(0) for cells in odd], axis=0)
    for event in sorted(events, key=lambda e: -e.strength):
        for channel in event.channels:
            if left[channel] >= event.end - event.start:
                out[event.series][event.start : event.end, channel] = True
                left[channel] -= event.end - event.start
    return out


def merged(detections: Sequence[Detection], channels: int) -> list[Event]:
    """Overlapping detections of a channel as one event, then overlapping events of several channels as one."""
    events: list[Event] = []
    ordered = sorted(detections, key=lambda d: (d.series, d.channel, d.start))
    for _, own in groupby(ordered, key=lambda d: (d.series, d.channel)):
        group: list[Detection] = []
        for detection in own:
            if group and detection.start >= max(d.end for d in group):
                events.append(as_event(group, channels))
                group = []
            group.append(detection)
        events.append(as_event(group, channels))
    return sorted(across_channels(events), key=lambda e: (e.series, e.start, e.end))


def as_event(group: Sequence[Detection], channels: int) -> Event:
    """One event of one channel: all that is at least half as strong as the strongest; its kind is that of the strongest which fills half of it."""
    best = max(d.strength for d in group)
    strong = [d for d in group if d.strength >= NEAR * best]
    start, end = min(d.start for d in strong), max(d.end for d in strong)
    filling = [d for d in strong if 2 * (d.end - d.start) >= end - start] or strong
    first = group[0]
    shown = tuple(range(channels)) if first.channel == ALL else (first.channel,)
    return Event(first.series, shown, start, end, max(filling, key=lambda d: d.strength).kind, best)


def across_channels(events: Sequence[Event]) -> list[Event]:
    """The strongest of the events of which one lies half in the other, with the channels of those that are half as strong or more."""
    out: list[Event] = []
    for event in sorted(events, key=lambda e: -e.strength):
        for i, other in enumerate(out):
            shared = min(event.end, other.end) - max(event.start, other.start)
            if other.series == event.series and 2 * shared >= min(event.end - event.start, other.end - other.start):
                more = [c for c in event.channels if c not in other.channels and event.strength >= NEAR * other.strength]
                out[i] = other._replace(channels=(*other.channels, *more))
                break
        else:
            out.append(event)
    return out


def widened(event: Event, steps: int) -> Event:
    """The event with steps more on either side."""
    more = int(WIDER * (event.end - event.start)) if has_soft_ends(event) else 0
    return event._replace(start=max(event.start - more, 0), end=min(event.end + more, steps))


def has_soft_ends(event: Event) -> bool:
    """Whether its ends are those of windows; spikes and runs have their own."""
    return event.end - event.start >= SHORTEST and event.kind not in ("spike", "stuck")


def with_ends(event: Event, data: ScaledSeries, scores: Sequence[Floats], expected: Predictive) -> Event:
    """The stretch that differs most from what is around it: the greatest sum of what is above the middle of both (Page, 1954)."""
    if not has_soft_ends(event):
        return event
    wide, channels, s = widened(event, len(scores[event.series])), list(event.channels), event.series
    at = slice(wide.start, wide.end)
    z = scores[s][at][:, channels]
    if not event.kind.startswith("variance"):
        z = ((data.series[s] - expected.centre[s]) / np.maximum(expected.deviation[s], 1e-6))[at][:, channels]
    evidence = np.minimum(np.nan_to_num(z**2), CLIP**2).sum(1) * (-1 if event.kind == "variance down" else 1)
    inside = np.arange(wide.start, wide.end)
    inside_mask = (inside >= event.start) & (inside < event.end)
    if inside_mask.all() or evidence[inside_mask].mean() <= evidence[~inside_mask].mean():
        return event
    start, end = greatest_sum(evidence - (evidence[inside_mask].mean() + evidence[~inside_mask].mean()) / 2)
    found = event._replace(start=wide.start + start, end=wide.start + end)
    overlaps = found.start < event.end and event.start < found.end
    return found if overlaps and end - start >= SHORTEST else event


def greatest_sum(gains: Floats) -> tuple[int, int]:
    """First step and step after the last of the stretch (…) with the greatest sum.

    >>> greatest_sum(np.array([-1.0, 2.0, -0.5, 3.0, -4.0, 1.0]))
    (1, 4)
    """
    total = np.concatenate([[0.0], gains.cumsum()])
    lowest = np.minimum.accumulate(total)
    end = int((total - lowest).argmax())
    return int(total[: end + 1].argmin()), end

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
from vaehub_timeseries.anomalies.ends import Event, settle, widened
from vaehub_timeseries.impute.anomalies import standard_scores
from vaehub_timeseries.impute.blend import CalibratedBlend
from vaehub_timeseries.impute.experts import SMALLEST, Floats, Mask
from vaehub_timeseries.impute.fitted import Fitted, all_experts
from vaehub_timeseries.impute.predictive import Predictive
from vaehub_timeseries.impute.scaled import ScaledSeries

NEAR = 0.5  # of the strength of the strongest detection: what belongs to its event
CELLS = 192  # of a window of the closed form
MOST = 0.3  # of the cells of a channel that may be left out as odd


class Findings(NamedTuple):
    """Events, z (T, M) of cells left out one by one, and what is expected where the events are, given all cells outside of them."""

    events: list[Event]
    scores: list[Floats]
    expected: Predictive


def find_events(whole: Fitted, data: ScaledSeries, false_alarms: float) -> Findings:
    """The events of series, at so many false ones a step."""
    fitted = quick(whole)
    blend, threshold = fitted.blend(data), -np.log10(false_alarms)
    channels = tuple(np.flatnonzero(fitted.numeric).tolist())
    scores, odd = standard_scores(fitted, data, blend)
    events = merged(detect(fitted, data, blend, scores, odd, threshold), channels)
    if events:
        events = merged(detect(fitted, data, blend, scores, with_events(odd, events), threshold), channels)
    around = [widened(event, len(data.series[event.series])) for event in events]
    z = departures(data, expected_without(fitted, data, blend, with_events(odd, around, most=1.0)))
    settled = [settle(event, z[event.series], scores[event.series]) for event in events]
    events = sorted(across_channels([event for event in settled if event]), key=lambda e: (e.series, e.start, e.end))
    return Findings(events, scores, expected_without(fitted, data, blend, with_events(odd, events, most=1.0)))


def expected_without(fitted: Fitted, data: ScaledSeries, blend: CalibratedBlend, hidden: Sequence[Mask]) -> Predictive:
    """What all cells but the hidden ones (T, M) let expect."""
    rest = [np.where(cells, np.nan, values) for cells, values in zip(hidden, data.series, strict=True)]
    return fitted.predict(replace(data, series=rest), blend)


def departures(data: ScaledSeries, expected: Predictive) -> list[Floats]:
    """z (T, M) of what is not as expected."""
    parts = zip(data.series, expected.centre, expected.deviation, strict=True)
    return [(values - centre) / np.maximum(deviation, SMALLEST) for values, centre, deviation in parts]


def quick(fitted: Fitted) -> Fitted:
    """The closed form alone, in windows of CELLS cells at most: dozens of predictions are asked for, and more of either moves little."""
    if fitted.model is None or fitted.model.process is None:
        return fitted
    model = fitted.model.closed_form(CELLS)
    count = len(all_experts(fitted.linear, model))
    held_out = fitted.held_out._replace(means=fitted.held_out.means[:count], sds=fitted.held_out.sds[:count])
    return replace(fitted, model=model, held_out=held_out, cache={})


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


def merged(detections: Sequence[Detection], channels: tuple[int, ...]) -> list[Event]:
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


def as_event(group: Sequence[Detection], channels: tuple[int, ...]) -> Event:
    """One event of one channel: all that is at least half as strong as the strongest; its kind is that of the strongest which
    fills half of it, or else is longest."""
    best = max(d.strength for d in group)
    strong = [d for d in group if d.strength >= NEAR * best]
    start, end = min(d.start for d in strong), max(d.end for d in strong)
    filling = [d for d in strong if 2 * (d.end - d.start) >= end - start]
    if not filling:
        filling = [d for d in strong if d.end - d.start == max(s.end - s.start for s in strong)]
    first = group[0]
    shown = channels if first.channel == ALL else (first.channel,)
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

"""Events: detections that overlap, as one, with the strongest reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from vaehub_timeseries.anomalies.detectors import Detection, detect
from vaehub_timeseries.impute.anomalies import standard_scores
from vaehub_timeseries.impute.experts import Mask
from vaehub_timeseries.impute.fitted import Fitted, all_experts
from vaehub_timeseries.impute.scaled import ScaledSeries

NEAR = 0.5  # of the strength of the strongest: what belongs to the event
MOST_HIDDEN = 0.3  # of the cells of a channel that may be odd


class Event(NamedTuple):
    """Steps start … end - 1 of some channels of a series."""

    series: int
    channels: tuple[int, ...]
    start: int
    end: int
    kind: str
    strength: float


def without_network(fitted: Fitted) -> Fitted:
    """The closed form alone: a network, which is last, costs most and moves little."""
    if fitted.model is None or fitted.model.process is None:
        return fitted
    model = replace(fitted.model, run=None)
    count = len(all_experts(fitted.linear, model))
    held_out = fitted.held_out._replace(means=fitted.held_out.means[:count], sds=fitted.held_out.sds[:count])
    return replace(fitted, model=model, held_out=held_out)


def find_events(whole: Fitted, data: ScaledSeries, false_alarms: float) -> list[Event]:
    """The events of series, found twice: the second time everything is predicted without what the first time found."""
    fitted = without_network(whole)
    blend = fitted.blend(data)
    scores, odd = standard_scores(fitted, data, blend)
    threshold = -np.log10(false_alarms)
    events = merged(detect(fitted, data, blend, scores, odd, threshold), len(fitted.columns))
    again = with_events(odd, events)
    if any((a != o).any() for a, o in zip(again, odd, strict=True)):
        events = merged(detect(fitted, data, blend, scores, again, threshold), len(fitted.columns))
    return events


def with_events(odd: Sequence[Mask], events: Sequence[Event]) -> list[Mask]:
    """The odd cells and those of the strongest events, as long as enough of each channel is left."""
    out = [cells.copy() for cells in odd]
    left = MOST_HIDDEN * sum(map(len, odd)) - np.sum([cells.sum(0) for cells in odd], axis=0)
    for event in sorted(events, key=lambda e: -e.strength):
        for channel in event.channels:
            if left[channel] >= event.end - event.start:
                out[event.series][event.start : event.end, channel] = True
                left[channel] -= event.end - event.start
    return out


def merged(detections: Sequence[Detection], channels: int) -> list[Event]:
    """Overlapping detections of a channel as one event, then events of several channels that share most of their time."""
    events: list[Event] = []
    keys = sorted({(d.series, d.channel) for d in detections})
    for series, channel in keys:
        own = sorted((d for d in detections if (d.series, d.channel) == (series, channel)), key=lambda d: d.start)
        group: list[Detection] = []
        for d in own:
            if group and d.start >= max(g.end for g in group):
                events.append(as_event(group, channels))
                group = []
            group.append(d)
        events.append(as_event(group, channels))
    return sorted(across_channels(events), key=lambda e: (e.series, e.start))


def as_event(group: Sequence[Detection], channels: int) -> Event:
    """One event: the extent of what is at least half as strong as the strongest, the kind of the strongest that fills half of it."""
    best = max(d.strength for d in group)
    strong = [d for d in group if d.strength >= NEAR * best]
    start, end = min(d.start for d in strong), max(d.end for d in strong)
    filling = [d for d in strong if d.end - d.start >= (end - start) / 2] or strong
    kind = max(filling, key=lambda d: d.strength).kind
    first = group[0]
    return Event(first.series, tuple(range(channels)) if first.channel < 0 else (first.channel,), start, end, kind, best)


def across_channels(events: Sequence[Event]) -> list[Event]:
    """Events of which one lies half in the other, as one."""
    out: list[Event] = []
    for event in sorted(events, key=lambda e: -e.strength):
        for i, other in enumerate(out):
            shared = min(event.end, other.end) - max(event.start, other.start)
            if other.series == event.series and 2 * shared >= min(event.end - event.start, other.end - other.start):
                strong = event.channels if event.strength >= NEAR * other.strength else ()
                out[i] = other._replace(channels=tuple(sorted({*other.channels, *strong})))
                break
        else:
            out.append(event)
    return out

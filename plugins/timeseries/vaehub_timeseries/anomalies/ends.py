"""Where an event begins and ends, in which channels it is, and of what kind, once it is compared with what lies outside of it.

Letters of shapes: T steps, M channels, K of them in the event.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vaehub_timeseries.anomalies.windows import CLIP
from vaehub_timeseries.impute.experts import SMALLEST, Floats, Mask

WIDER = 0.5  # of an event's length, on either side, in which its ends are looked for
SHORTEST = 4  # steps of an event whose ends are looked for
PART = 0.25  # of the excess of the oddest channel: less is no part of the event
EXPLAINED = 0.5  # of the mean square of z: so much makes the kind
USUAL, QUIET = 1.0, 0.5  # mean squares of z: less is not more than usual, more is not quiet
OWN_ENDS = ("spike", "stuck")


class Event(NamedTuple):
    """Steps start … end - 1 of some channels of a series, the oddest first; strength: see `Detection`."""

    series: int
    channels: tuple[int, ...]
    start: int
    end: int
    kind: str
    strength: float


def widened(event: Event, steps: int) -> Event:
    """The event with steps more on either side."""
    more = int(WIDER * (event.end - event.start)) if has_soft_ends(event) else 0
    return event._replace(start=max(event.start - more, 0), end=min(event.end + more, steps))


def has_soft_ends(event: Event) -> bool:
    """Whether its ends are those of windows; spikes and runs have their own."""
    return event.end - event.start >= SHORTEST and event.kind not in OWN_ENDS


def settle(event: Event, departures: Floats, scores: Floats) -> Event | None:
    """The event with its own ends, channels and kind; None where nothing is odd in it once it is predicted from outside.

    Arguments:
        event: As its detectors saw it.
        departures: z (T, M) of all cells of the series, predicted from what lies outside of events and their surroundings.
        scores: z (T, M) of cells left out one by one.
    """
    if not has_soft_ends(event):
        return event
    of_readings = event.kind.startswith("variance")
    squares = np.minimum(np.nan_to_num((scores if of_readings else departures) ** 2), CLIP**2)
    event = with_ends(event, squares[:, list(event.channels)].sum(1) * (-1 if event.kind == "variance down" else 1))
    means = squares[event.start : event.end, list(event.channels)].mean(0)
    if means.min() > QUIET if event.kind == "variance down" else means.max() < USUAL:
        return None
    excess = np.abs(means - 1)
    order = [int(i) for i in np.argsort(-excess, kind="stable") if excess[i] >= PART * excess.max()]
    event = event._replace(channels=tuple(event.channels[i] for i in order))
    if event.kind == "variance down":
        return event
    at = slice(event.start, event.end)
    return event._replace(kind=kind_of(event, departures[at], scores[at]))


def kind_of(event: Event, departures: Floats, scores: Floats) -> str:
    """Of which kind z (T, M) of the event's steps are: a level, a line, or neither; in several channels alike it is collective."""
    z, single = departures[:, event.channels[0]], scores[:, event.channels[0]]
    seen = ~np.isnan(z)
    z, position = z[seen], np.linspace(-1, 1, len(z))[seen]
    square = max(float((z**2).mean()), 1.0)
    level = float(z.mean()) ** 2 / square
    line = float(((z - z.mean()) * position).mean()) ** 2 / max(float((position**2).mean()), SMALLEST) / square
    if level + line < EXPLAINED:
        return "variance up" if np.nanmean(single**2) > square else "change of rhythm"
    if line > level / 4:
        return "drift"
    return "collective" if len(event.channels) > 1 else "level shift"


def with_ends(event: Event, evidence: Floats) -> Event:
    """The stretch that differs most from what is around it: the greatest sum of what is above the middle of both.

    "Continuous Inspection Schemes" (Page, 1954), doi:10.1093/biomet/41.1-2.100. evidence: (T,).
    """
    wide = widened(event, len(evidence))
    steps = np.arange(wide.start, wide.end)
    inside: Mask = (steps >= event.start) & (steps < event.end)
    around = evidence[wide.start : wide.end]
    if inside.all() or around[inside].mean() <= around[~inside].mean():
        return event
    start, end = greatest_sum(around - (around[inside].mean() + around[~inside].mean()) / 2)
    found = event._replace(start=wide.start + start, end=wide.start + end)
    return found if end - start >= SHORTEST and found.start < event.end and event.start < found.end else event


def greatest_sum(gains: Floats) -> tuple[int, int]:
    """First step and step after the last of the stretch (…) with the greatest sum.

    >>> greatest_sum(np.array([-1.0, 2.0, -0.5, 3.0, -4.0, 1.0]))
    (1, 4)
    """
    total = np.concatenate([[0.0], gains.cumsum()])
    lowest = np.minimum.accumulate(total)
    end = int((total - lowest).argmax())
    return int(total[: end + 1].argmin()), end

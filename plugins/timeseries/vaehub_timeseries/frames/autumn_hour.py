"""The hour that comes twice when clocks go back, in stamps without a zone: told apart by the order of the rows.

Letters of shapes: R rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub_timeseries.frames.stamps import Numbers, Stamps, in_utc, on_the_clock

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
ZONES = ("Europe/Berlin", "Europe/London", "Europe/Athens", "America/New_York")  # of each rule by which clocks are changed, one


def with_autumn_hours(stamps: Stamps, series: Ints) -> Stamps:
    """The stamps on a clock that is changed, where rows are in order and what is there twice is the hour that a rule repeats.

    The first time round is summer time, the second is winter time. Else the stamps as they are.

    Arguments:
        stamps: Of the rows (R,).
        series: Which series each row belongs to (R,), that has one reading at a time.

    Returns:
        Stamps in the zone of the rule, which write themselves without it; warns once that it is so.
    """
    if stamps.unit != "ns" or stamps.zone is not None:
        return stamps
    order = np.argsort(series, kind="stable")
    group, wall = series[order], pd.DatetimeIndex(stamps.at[order])
    again = pd.DataFrame({"series": group, "at": wall}).duplicated().to_numpy()
    if not again.any():
        return stamps
    for zone in ZONES:
        at = in_zone(wall, group, again, zone)
        if at is not None:
            first = wall[again][0]
            warnings.warn(
                f"{first:%Y-%m-%d %H:%M} is there twice, as when clocks go back: the first is read as summer time, the second as winter time "
                f"(the rule of {zone}); give stamps with a zone, if that is wrong",
                UserWarning,
                stacklevel=2,
            )
            utc = np.empty_like(stamps.at)
            utc[order] = at
            return replace(stamps, at=utc, write=writer(stamps, zone), zone=zone)
    return stamps


def in_zone(wall: pd.DatetimeIndex, group: Ints, again: Bools, zone: str) -> Ints | None:
    """Nanoseconds in UTC (R,) of rows sorted by series; None where the rule of the zone does not explain all that is there again."""
    ambiguous = wall.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward").isna()
    if not ambiguous[again].all():
        return None
    back = np.concatenate([[False], (np.diff(group) == 0) & (np.diff(wall.asi8) <= 0)])
    night = pd.Series(back).groupby([group, wall.normalize()]).cumsum().to_numpy()
    local = wall.tz_localize(zone, ambiguous=night == 0, nonexistent="NaT")
    if local.isna().any():
        return None
    at = in_utc(local)
    return at if ((np.diff(at) > 0) | (np.diff(group) != 0)).all() else None


def writer(stamps: Stamps, zone: str) -> Callable[[Numbers], list[pd.Index]]:
    """Nanoseconds in UTC as the stamps write what a clock in the zone shows."""
    return lambda ns: stamps.write(in_utc(on_the_clock(ns, zone).tz_localize(None)))

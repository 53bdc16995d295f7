"""Times as numbers, and back as the frame writes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub import UsageError
from vaehub_timeseries.frames.labels import column_label
from vaehub_timeseries.frames.schema import Key

Numbers: TypeAlias = NDArray[Any]  # int64 or float64


@dataclass(frozen=True)
class Stamps:
    """at (R,): nanoseconds in UTC ("ns"), numbers of the frame's own ("number"), or the place in the entity ("row").

    write: such numbers as the frame's own keys, one index for each; local: as stamps on the wall clock.
    """

    at: Numbers
    unit: str
    write: Callable[[Numbers], list[pd.Index]]
    zone: tzinfo | str | None = None

    def local(self, at: Numbers) -> pd.DatetimeIndex:
        """Numbers as stamps: without a zone where the frame has none."""
        return on_the_clock(at, self.zone)


def on_the_clock(at: Numbers, zone: tzinfo | str | None) -> pd.DatetimeIndex:
    """Nanoseconds as stamps in a zone, or in none."""
    index = pd.DatetimeIndex(np.asarray(at, "datetime64[ns]"))
    return index if zone is None else index.tz_localize("UTC").tz_convert(zone)


def in_utc(index: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Nanoseconds since 1970, in UTC."""
    plain = index if index.tz is None else index.tz_convert("UTC").tz_localize(None)
    return np.asarray(plain.as_unit("ns").asi8)


def nanoseconds(index: pd.DatetimeIndex, key: Key) -> NDArray[np.int64]:
    """Nanoseconds in UTC. Raises UsageError where the stamps lie too far off for that."""
    try:
        at = in_utc(index)
    except pd.errors.OutOfBoundsDatetime:
        at = np.array([-(2**63), 2**63 - 1])
    if int(at.max()) - int(at.min()) > 2**63 - 1:
        raise UsageError(
            f"{column_label(key.label)}: stamps from {index.min()} to {index.max()} span more than 292 years, or lie beyond 1677 to 2262; mend them"
        )
    return at

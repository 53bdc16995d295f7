"""How long a window is, unless the user says so."""

from __future__ import annotations

from collections.abc import Sequence

from vaehub_timeseries.impute.experts import Floats

CELLS = 512  # of a window
LONGEST = 48  # steps


def default_window(series: Sequence[Floats]) -> int:
    """As many steps as CELLS allow, LONGEST at most, and no longer than the longest series."""
    channels: int = max(1, series[0].shape[1])
    return max(1, min(LONGEST, max(map(len, series)), CELLS // channels))

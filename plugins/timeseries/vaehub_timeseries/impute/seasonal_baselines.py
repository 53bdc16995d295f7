"""What anyone would try first where a table has a rhythm: the same phase of the last period, and the mean of the others.

Letters of shapes: T steps, C channels, K periods, B phases.
"""

from __future__ import annotations

import numpy as np

from vaehub_timeseries.impute.experts import Floats
from vaehub_timeseries.model.season import Phases


def same_phase(values: Floats, period: float) -> tuple[Floats, Floats]:
    """Seasonal naive and seasonal mean of every cell (T, C): the last observed value before it at its phase (the next, if there is none),
    and the mean of all other periods; NaN where there is no other.

    >>> naive, mean = same_phase(np.array([[1.0], [5.0], [3.0], [5.0], [np.nan], [5.0]]), 2)
    >>> naive[4, 0].item(), mean[4, 0].item()
    (3.0, 2.0)
    """
    phases = Phases.of(values, period, 1)
    folded, seen = phases.values, ~np.isnan(phases.values)
    number = np.arange(len(folded))[:, None, None]
    before = np.maximum.accumulate(np.where(seen, number, -1), 0)
    after = np.minimum.accumulate(np.where(seen, number, len(folded))[::-1], 0)[::-1]
    before = np.concatenate([np.full_like(before[:1], -1), before[:-1]])
    after = np.concatenate([after[1:], np.full_like(after[:1], len(folded))])
    nearest = np.where(before >= 0, before, after)
    naive = np.where(nearest < len(folded), np.take_along_axis(folded, nearest.clip(0, len(folded) - 1), 0), np.nan)
    count = seen.sum(0) - seen
    total = np.nansum(folded, 0) - np.where(seen, folded, 0.0)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return phases.at_steps(naive), phases.at_steps(mean)

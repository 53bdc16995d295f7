"""Backtest of a forecast: the ends of series are held out, with nothing observed after them.

Letters of shapes: T steps, M channels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaehub_timeseries.impute.experts import Expert, Floats
from vaehub_timeseries.impute.held_out import HeldOut, predict_held_out

ORIGINS = 24  # forecasts that are tried
CONTEXT = 2_000  # steps before the origin that they may use


def backtest(experts: Sequence[Expert], series: Sequence[Floats], steps: int) -> HeldOut | None:
    """Forecast `steps` from earlier origins, evenly spaced over the later half of all series; None where no series is long enough."""
    places = [(values, origin) for values in series for origin in origins(len(values), steps)]
    if not places:
        return None
    chosen = np.linspace(0, len(places) - 1, min(ORIGINS, len(places))).round().astype(int)
    cut = [values[max(0, origin - CONTEXT) : origin + steps] for values, origin in (places[i] for i in chosen)]
    hidden = [np.arange(len(values)) >= len(values) - steps for values in cut]
    return predict_held_out(
        experts, cut, [np.repeat(h[:, None], values.shape[1], 1) for h, values in zip(hidden, cut, strict=True)]
    )


def origins(length: int, steps: int) -> list[int]:
    """Ends of the past: in the later half of a series, each with `steps` after it."""
    first, last = max(1, length // 2), length - steps
    return sorted(set(np.linspace(first, last, ORIGINS).round().astype(int).tolist())) if last >= first else []

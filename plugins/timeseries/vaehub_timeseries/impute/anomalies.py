"""How surprising every observed cell is, given all others.

score = |value - its prediction from the other cells| / calibrated sd. Letters of shapes: T steps, C channels of the frame, M of them known to
the model.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vaehub_timeseries.frames import Panel
from vaehub_timeseries.impute.experts import SMALLEST, Floats, Integers
from vaehub_timeseries.impute.fitted import Fitted
from vaehub_timeseries.impute.scaled import Scaled, widened

FOLDS = 10  # cells that are predicted at a time are this many steps apart in their channel
TURN = 3  # steps by which the next channel's are later: neighbours in a row are not left out together


def surprises(fitted: Fitted, panel: Panel) -> list[Floats]:
    """The score of every observed cell (T, C), NaN where nothing is observed or the model knows nothing."""
    data = fitted.data(panel)
    return [widened(score, fitted.known) for score in scored(fitted, data)]


def scored(fitted: Fitted, data: Scaled) -> list[Floats]:
    """The score of every observed cell (T, M)."""
    tuned, folds = fitted.tuned(data), [fold(values) for values in data.series]
    scores = [np.full(values.shape, np.nan) for values in data.series]
    for number in range(FOLDS):
        left_out = [(f == number) & ~np.isnan(values) for f, values in zip(folds, data.series, strict=True)]
        rest = [np.where(cells, np.nan, values) for cells, values in zip(left_out, data.series, strict=True)]
        outlook = fitted.believe(replace(data, series=rest), tuned)
        for i, cells in enumerate(left_out):
            scores[i][cells] = (np.abs(data.series[i] - outlook.centre[i]) / np.maximum(outlook.deviation[i], SMALLEST))[cells]
    return scores


def fold(values: Floats) -> Integers:
    """In which round each cell (T, M) is left out."""
    steps, channels = values.shape
    return np.asarray((np.arange(steps)[:, None] + TURN * np.arange(channels)) % FOLDS)

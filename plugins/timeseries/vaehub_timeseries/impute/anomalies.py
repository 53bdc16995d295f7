"""How surprising every observed cell is, given all others.

score = |value - its prediction from the other cells| / calibrated sd. Letters of shapes: T steps, C channels of the frame, M of them modelled.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vaehub_timeseries.frames import Panel
from vaehub_timeseries.impute.experts import SMALLEST, Floats, Integers
from vaehub_timeseries.impute.fitted import Fitted
from vaehub_timeseries.impute.scaled import ScaledSeries, with_all_channels

FOLDS = 10  # cells that are predicted at a time are this many steps apart in their channel
CHANNEL_SHIFT = 3  # steps by which the next channel's are later: neighbours in a row are not left out together


def anomaly_scores(fitted: Fitted, panel: Panel) -> list[Floats]:
    """The score of every observed cell (T, C), NaN where nothing is observed or the model knows nothing."""
    data = fitted.data(panel)
    return [with_all_channels(score, fitted.modelled) for score in scaled_scores(fitted, data)]


def scaled_scores(fitted: Fitted, data: ScaledSeries) -> list[Floats]:
    """The score of every observed cell (T, M)."""
    blend, folds = fitted.blend(data), [fold_numbers(values) for values in data.series]
    scores = [np.full(values.shape, np.nan) for values in data.series]
    for number in range(FOLDS):
        left_out = [(f == number) & ~np.isnan(values) for f, values in zip(folds, data.series, strict=True)]
        rest = [np.where(cells, np.nan, values) for cells, values in zip(left_out, data.series, strict=True)]
        predictive = fitted.predict(replace(data, series=rest), blend)
        for i, cells in enumerate(left_out):
            scores[i][cells] = (np.abs(data.series[i] - predictive.centre[i]) / np.maximum(predictive.deviation[i], SMALLEST))[
                cells
            ]
    return scores


def fold_numbers(values: Floats) -> Integers:
    """In which round each cell (T, M) is left out."""
    steps, channels = values.shape
    return np.asarray((np.arange(steps)[:, None] + CHANNEL_SHIFT * np.arange(channels)) % FOLDS)

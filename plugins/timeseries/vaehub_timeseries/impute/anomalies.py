"""How surprising every observed cell is, given all others.

z = (value - its prediction from the other cells) / calibrated sd. Cells that are odd spoil the prediction of those beside them ("swamping",
Barnett & Lewis, Outliers in Statistical Data, 1978), so that everything is predicted twice, the second time without the cells found odd.
Letters of shapes: T steps, C channels of the frame, M of them modelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import ndtr

from vaehub_timeseries.frames import Panel
from vaehub_timeseries.impute.blend import CalibratedBlend
from vaehub_timeseries.impute.experts import SMALLEST, Floats, Integers, Mask
from vaehub_timeseries.impute.fitted import Fitted
from vaehub_timeseries.impute.groups import EDGES
from vaehub_timeseries.impute.scaled import ScaledSeries, with_all_channels

ROUNDS = 10  # cells that are predicted at a time are this many steps apart in their channel
CHANNEL_SHIFT = 3  # steps by which the next channel's are later: neighbours in a row are not left out together
ODD = 5.0  # |z| of a cell that says nothing about its neighbours
TAIL = 0.0025  # and at either end this share of the errors on held-out cells must be nearer


def anomaly_scores(fitted: Fitted, panel: Panel) -> list[Floats]:
    """The score |z| of every observed cell (T, C), NaN where nothing is observed or the model knows nothing."""
    data = fitted.data(panel)
    scores, _ = standard_scores(fitted, data, fitted.blend(data))
    return [with_all_channels(np.abs(z), fitted.modelled) for z in scores]


def standard_scores(fitted: Fitted, data: ScaledSeries, blend: CalibratedBlend) -> tuple[list[Floats], list[Mask]]:
    """z of every observed cell (T, M), predicted without the cells that are odd; and which those are."""
    rounds = [round_numbers(values) for values in data.series]
    limit = odd_limit(blend)
    odd = [np.zeros(values.shape, dtype=bool) for values in data.series]
    first = left_out_scores(fitted, data, blend, rounds, ROUNDS, odd)
    odd = [np.abs(z) > limit for z in first]
    if any(cells.any() for cells in odd):
        return left_out_scores(fitted, data, blend, rounds, ROUNDS, odd), odd
    return first, odd


def left_out_scores(
    fitted: Fitted, data: ScaledSeries, blend: CalibratedBlend, rounds: Sequence[Integers], count: int, odd: Sequence[Mask]
) -> list[Floats]:
    """z of every observed cell (T, M), predicted in its round (T, M), 0 … count - 1, from the cells of the others that are not odd."""
    scores = [np.full(values.shape, np.nan) for values in data.series]
    for number in range(count):
        left_out = [part == number for part in rounds]
        rest = [np.where(out | cells, np.nan, x) for out, cells, x in zip(left_out, odd, data.series, strict=True)]
        predictive = fitted.predict(replace(data, series=rest), blend)
        for i, out in enumerate(left_out):
            z = (data.series[i] - predictive.centre[i]) / np.maximum(predictive.deviation[i], SMALLEST)
            scores[i][out] = z[out]
    return scores


def odd_limit(blend: CalibratedBlend) -> Floats:
    """|z| (M,) beyond which a cell is odd; further out in columns whose errors have long tails."""
    channels = len(blend.linear_only)
    table = blend.table(np.array([TAIL, *ndtr([-1.0, 1.0]), 1 - TAIL]), np.zeros(channels, dtype=bool))
    low, left, right, high = table.reshape(channels, len(EDGES), 4)[:, 0].T  # of gaps of one step
    tails: Floats = np.maximum(np.abs(low), np.abs(high)) / np.maximum((right - left) / 2, SMALLEST)
    return np.maximum(ODD, tails)


def round_numbers(values: Floats) -> Integers:
    """In which round each cell (T, M) is left out."""
    steps, channels = values.shape
    return np.asarray((np.arange(steps)[:, None] + CHANNEL_SHIFT * np.arange(channels)) % ROUNDS)

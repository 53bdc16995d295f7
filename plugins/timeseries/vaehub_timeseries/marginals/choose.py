"""Which transform each channel gets: the power at which its neighbours in time and in the row predict it best.

A power other than 1 is taken where a linear prediction on its scale, learnt on every other block of the data and brought back, has a smaller
absolute error on the other blocks by more than NOISE standard errors. "An Analysis of Transformations" (Box & Cox, 1964),
doi:10.1111/j.2517-6161.1964.tb00553.x. Letters of shapes: T steps, C channels, n observed cells of one channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vaehub_timeseries.frames import Channel
from vaehub_timeseries.marginals.bounds import Bound, Pair, find_bounds
from vaehub_timeseries.marginals.transform import Floats, Marginals, joined

SKEWED = 0.7  # skewness, below which no power is tried
SOFT = 0.1  # of a standard deviation: how near an open bound the scale bends
POWERS, PILED_POWERS = (0.5, 1 / 3, 0.0), (0.5, 1 / 3)  # tried beside 1; the logarithm cannot hold a bound that is reached
NOISE, GAIN = 2.0, 0.01  # standard errors, and the share of the error, by which a power must win
BLOCKS = 16  # of the data, every other one of which tests what was learnt on the rest
CELLS, FEWEST, IN_ALL = (
    4_000,
    200,
    60_000,
)  # cells of a channel that are tried, at most and at least, and of all channels together
OTHERS = 12  # channels that are used beside a cell's own neighbours in time
RIDGE = 1e-3


def learn_marginals(series: Sequence[Floats], channels: Sequence[Channel], given: Sequence[Pair | None]) -> Marginals | None:
    """The transform of every channel of series (T_i, C), NaN where unobserved; None where no channel has any.

    Arguments:
        series: In the user's units.
        channels: What each channel is.
        given: The bounds that the user gives of each, None where they are to be found.
    """
    cells = np.concatenate(list(series))
    parts = [bounded(cells[:, c], channel, given[c]) for c, channel in enumerate(channels)]
    skewed = [c for c, part in enumerate(parts) if may_be_powered(cells[:, c], channels[c], part)]
    rows = min(CELLS, IN_ALL // max(1, len(skewed)))
    for c in skewed:
        parts[c] = best_power(series, c, parts[c], rows)
    marginals = joined(parts)
    return marginals if marginals.changed.any() else None


def bounded(values: Floats, channel: Channel, given: Pair | None) -> Marginals:
    """The bounds of one channel (T,), on a straight scale."""
    observed = values[~np.isnan(values)]
    low, high = find_bounds(observed, channel, given)
    centre, spread = (observed.mean(), observed.std()) if len(observed) else (0.0, 1.0)
    plain = Marginals.plain(np.array([centre]), np.array([spread if spread > 0 else 1.0]))
    return with_bounds(plain, low, high)


def with_bounds(plain: Marginals, low: Bound, high: Bound) -> Marginals:
    """The same within bounds: ended where data pile up, bent where they do not."""
    soft = SOFT * plain.spread
    return replace(
        plain,
        lower=np.array([low.at]),
        upper=np.array([high.at]),
        soft_lower=soft * (np.isfinite(low.at) and not low.pile),
        soft_upper=soft * (np.isfinite(high.at) and not high.pile),
        pile_lower=np.array([float(low.pile)]),
        pile_upper=np.array([float(high.pile)]),
    )


def may_be_powered(values: Floats, channel: Channel, part: Marginals) -> bool:
    """Whether a channel (T,) is skewed to the right above its lower bound, or above 0."""
    inside = values[values > max(part.lower[0], -np.inf)]
    if channel.kind not in ("float", "int") or len(inside) < FEWEST or np.isfinite(part.upper[0]):
        return False
    lowest = part.lower[0] if np.isfinite(part.lower[0]) else 0.0
    if np.nanmin(values) < lowest or (np.isinf(part.lower[0]) and np.nanmin(values) <= 0):
        return False
    apart = inside - inside.mean()
    return bool((apart**3).mean() > SKEWED * (apart**2).mean() ** 1.5)


def powered(part: Marginals, power: float, values: Floats) -> Marginals:
    """The same on another scale: of x above the lower bound, or above 0."""
    origin = part.lower if np.isfinite(part.lower[0]) else np.zeros(1)
    unit = np.median(values[values > origin[0]]) - origin
    return replace(part, power=np.array([power]), origin=origin, unit=unit, lower=origin, soft_lower=np.zeros(1))


def best_power(series: Sequence[Floats], channel: int, part: Marginals, rows: int) -> Marginals:
    """The power, 1 among them, that predicts the cells of a channel best."""
    values, around = neighbourhoods(series, channel, rows)
    powers = PILED_POWERS if part.pile_lower[0] else POWERS
    plain, best, gained = prediction_errors(part, values, around), part, 0.0
    for power in powers:
        candidate = powered(part, power, values[:, 0])
        gain = plain - prediction_errors(candidate, values, around)
        block = np.array([part.mean() for part in np.array_split(gain, BLOCKS)])
        beyond_noise = block.mean() > NOISE * block.std(ddof=1) / np.sqrt(BLOCKS)
        if beyond_noise and gain.mean() > max(gained, GAIN * plain.mean()):
            best, gained = candidate, gain.mean()
    return best


def neighbourhoods(series: Sequence[Floats], channel: int, rows: int) -> tuple[Floats, Floats]:
    """Observed cells of a channel with the one before and the one after (n, 3), and the standardised other channels beside them (n, D)."""
    triples, beside = [], []
    for values in series:
        at = np.flatnonzero(~np.isnan(values[:, channel]))
        if len(at) > 2:
            own = values[at, channel]
            triples.append(np.stack([own[1:-1], own[:-2], own[2:]], 1))
            beside.append(np.delete(values[at[1:-1]], channel, 1))
    if not triples:
        return np.zeros((0, 3)), np.zeros((0, 0))
    own, others = np.concatenate(triples), np.concatenate(beside)
    chosen = slice(0, None) if len(own) <= rows else spread_out(len(own), rows)
    return own[chosen], closest(own[chosen, 0], others[chosen])


def spread_out(count: int, rows: int) -> NDArray[np.intp]:
    """So many of the numbers 0 … count - 1, evenly spaced."""
    return np.linspace(0, count - 1, rows).astype(np.intp)


def closest(own: Floats, others: Floats) -> Floats:
    """The standardised channels that go with a channel (n,) most, 0 where they are not observed."""
    seen = ~np.isnan(others)
    count = np.maximum(seen.sum(0), 1)
    mean = np.where(seen, others, 0.0).sum(0) / count
    apart = np.where(seen, others - mean, 0.0)
    deviation = np.sqrt((apart**2).sum(0) / count)
    scaled = apart / np.where(deviation > 0, deviation, 1.0)
    strength = np.abs((own - own.mean()) @ scaled)
    return np.asarray(scaled[:, np.argsort(-strength, kind="stable")[:OTHERS]])


def prediction_errors(part: Marginals, values: Floats, around: Floats) -> Floats:
    """Absolute errors (n,), in the user's units, of a linear prediction on the scale of a channel, each block by what the others teach."""
    y = part.forward(values.reshape(-1, 1)).reshape(values.shape)
    level, size = y[:, 0].mean(), max(y[:, 0].std(), 1e-12)
    y = (y - level) / size
    features = np.column_stack([np.ones(len(y)), y[:, 1:], y[:, 1] * y[:, 2], around])
    half = (np.arange(len(y)) * BLOCKS // max(1, len(y))) % 2 == 1
    guess = np.zeros(len(y))
    for test in (half, ~half):
        x, target = features[~test], y[~test, 0]
        weights = np.linalg.solve(x.T @ x + RIDGE * len(x) * np.eye(x.shape[1]), x.T @ target)
        middle = np.median(target - x @ weights)
        guess[test] = features[test] @ weights + middle
    back = part.inverse((guess * size + level)[:, None])[:, 0]
    return np.asarray(np.abs(back - values[:, 0]))

"""Patterns of missing values: made up (completely at random, at random, not at random, runs, blocks, rows) or taken from the data.

Letters of shapes: N windows, T steps, C channels. Every mask is boolean, True = hidden, and is drawn from the generator given.
"""

from __future__ import annotations

import numpy as np

from vaehub import UsageError
from vaehub_timeseries.gaps import Floats, Gaps, Integers, Mask, PlacedGaps, gap_lengths

__all__ = ["blocks", "gap_lengths", "mar", "mcar", "mixture", "mnar", "rows", "runs", "transplant"]

STEEPNESS = 3.0  # of the logistic curves: one standard deviation changes the odds of being hidden by e^3
BISECTIONS = 60
LONGEST_RUN = 24  # made-up runs, where the data have no gaps that could tell


def mcar(shape: tuple[int, ...], rate: float, rng: np.random.Generator) -> Mask:
    """Missing completely at random: every cell alike, with probability `rate`.

    Arguments:
        shape: Of the mask, such as (T, C).
        rate: Probability that a cell is hidden, 0..1.
        rng: What the mask is drawn from.

    Returns:
        The mask, True = hidden.

    Raises:
        UsageError: `rate` is not in 0..1.

    >>> round(float(mcar((1000, 10), 0.3, np.random.default_rng(0)).mean()), 1)
    0.3
    """
    return rng.random(shape) < _checked(rate)


def rows(shape: tuple[int, ...], rate: float, rng: np.random.Generator) -> Mask:
    """Whole steps (…, T, C), all channels at once, with probability `rate`; arguments as of `mcar`.

    >>> hidden = rows((100, 3), 0.3, np.random.default_rng(0))
    >>> bool((hidden.any(1) == hidden.all(1)).all())
    True
    """
    hidden = rng.random((*shape[:-1], 1)) < _checked(rate)
    return np.broadcast_to(hidden, shape).copy()


def runs(shape: tuple[int, ...], rate: float, length: int, rng: np.random.Generator) -> Mask:
    """Runs of `length` steps in one channel; runs that meet make longer ones. Arguments as of `blocks`.

    >>> hidden = runs((1000, 3), 0.3, 12, np.random.default_rng(0))
    >>> int(gap_lengths(hidden[12:-12])[hidden[12:-12]].max()) >= 12
    True
    """
    return blocks(shape, rate, length, 1, rng)


def blocks(shape: tuple[int, ...], rate: float, length: int, width: int, rng: np.random.Generator) -> Mask:
    """Blocks of `length` steps and `width` neighbouring channels, drawn so that a cell is hidden with probability `rate`.

    Arguments:
        shape: Of the mask (…, T, C).
        rate: Probability that a cell is hidden, 0..1.
        length: Steps of a block.
        width: Channels of a block.
        rng: What the mask is drawn from.

    Returns:
        The mask (…, T, C), True = hidden.

    Raises:
        UsageError: `rate` is not in 0..1, or a size is below 1.

    >>> round(float(blocks((1000, 10), 0.3, 5, 2, np.random.default_rng(0)).mean()), 1)
    0.3
    """
    *many, steps, channels = shape
    length, width = min(_positive("length", length), steps), min(_positive("width", width), channels)
    corner = -np.expm1(np.log1p(-_checked(rate)) / (length * width)) if rate < 1 else 1.0
    corners = rng.random((*many, steps + length - 1, channels + width - 1)) < corner
    return _dilated(_dilated(corners, length, -2), width, -1)


def mar(values: Floats, rate: float, rng: np.random.Generator) -> Mask:
    """Missing at random: half of the channels stay whole, and decide by a random logistic function of theirs what the others lose.

    Arguments:
        values: (…, T, C), NaN = already missing: these are not hidden again, and count as the channel's mean where they decide.
        rate: Share of its cells that each of the other channels loses, on average, 0..1.
        rng: What the mask is drawn from.

    Returns:
        The mask (…, T, C), True = hidden.

    Raises:
        UsageError: there is a single channel, or `rate` is not in 0..1.

    >>> rng = np.random.default_rng(0)
    >>> mar(rng.normal(size=(1000, 4)), 0.3, rng).mean(0).round(1)
    array([0. , 0.3, 0. , 0.3])
    """
    channels = values.shape[-1]
    if channels < 2:
        raise UsageError("mar: needs two channels or more, one decides what another loses; use mcar or mnar")
    order = rng.permutation(channels)
    deciding, losing = order[: (channels + 1) // 2], order[(channels + 1) // 2 :]
    weights = rng.standard_normal((len(deciding), len(losing)))
    hidden = np.zeros(values.shape, dtype=bool)
    lost = _standardised(np.nan_to_num(_standardised(values[..., deciding])) @ weights)
    hidden[..., losing] = _logistic(lost, np.isnan(values[..., losing]), rate, rng)
    return hidden


def mnar(values: Floats, rate: float, rng: np.random.Generator) -> Mask:
    """Missing not at random, self-masking: the higher a value in its channel, the likelier it is hidden; `rate` of each channel.

    Arguments:
        values: (…, T, C), NaN = already missing: these are not hidden again.
        rate: Share of its cells that each channel loses, on average, 0..1.
        rng: What the mask is drawn from.

    Returns:
        The mask (…, T, C), True = hidden.

    Raises:
        UsageError: `rate` is not in 0..1.

    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(1000, 1))
    >>> hidden = mnar(x, 0.3, rng)
    >>> bool(x[hidden].mean() > x[~hidden].mean())
    True
    """
    return _logistic(_standardised(values), np.isnan(values), rate, rng)


def transplant(observed: Mask, fraction: float, rng: np.random.Generator) -> Mask:
    """Hide about `fraction` of the observed cells (T, C) with the data's own gaps, laid elsewhere in time.

    Gaps that begin at one step, in whatever channels, stay together. One gap takes at most half of what is observed in its channel.
    Channels whose own gaps hide less than half of `fraction` get some of the lengths of the others. Data without gaps get points, runs and
    rows in equal parts.

    Arguments:
        observed: (T, C), True where a cell is observed.
        fraction: Share of the observed cells to hide, 0..1.
        rng: What the mask is drawn from.

    Returns:
        The mask (T, C), True = hidden; only observed cells are.

    Raises:
        UsageError: `fraction` is not in 0..1.

    >>> observed = np.arange(1000)[:, None] % 10 > 2  # gaps of three steps
    >>> hidden = transplant(observed, 0.1, np.random.default_rng(0))
    >>> bool((hidden & ~observed).any()), round(float(hidden[observed].mean()), 2)
    (False, 0.1)
    """
    _checked(fraction)
    half = observed.sum(0) // 2
    gaps = Gaps.of(~observed).capped(half)
    if not len(gaps.start):
        return mixture(observed.shape, fraction, rng) & observed
    wanted = fraction * observed.sum()
    laid = _random_events(gaps, observed, wanted, rng)
    hidden = _closest_mask(laid, observed, wanted)
    short = np.where(half > 0, (0.5 * fraction * observed.sum(0) - hidden.sum(0)).clip(0), 0)
    if short.sum() < 1:
        return hidden
    hidden = _closest_mask(laid, observed, wanted - short.sum())
    return hidden | _shared(gaps.length, observed & ~hidden, short, rng)


def _random_events(gaps: Gaps, observed: Mask, wanted: float, rng: np.random.Generator) -> PlacedGaps:
    """Random events, gaps that begin together, at random places: enough of them to hide so many observed cells."""
    events, together = np.unique(gaps.start, return_inverse=True)
    worth = np.bincount(together, gaps.length * observed.mean(0)[gaps.channel])
    chosen = rng.integers(len(events), size=1 + int(3 * wanted / worth.mean()))
    return gaps.placed(together, chosen, rng.random(len(chosen)), len(observed))


def _shared(lengths: Integers, observed: Mask, short: Floats, rng: np.random.Generator) -> Mask:
    """About short (C,) more observed cells of each channel, hidden by gaps of lengths that any channel has, one each at the least."""
    steps, count = len(observed), observed.sum(0)
    many = 2 * int(np.ceil(short.sum()))
    channel = np.append(rng.permutation(np.flatnonzero(short)), rng.choice(len(short), many, p=short / short.sum()))
    length = np.minimum(rng.choice(lengths, len(channel)), np.maximum(count[channel] // 2, 1))
    observed_steps = np.nonzero(observed.T)[1]  # steps of the observed cells, channel by channel
    cell = observed_steps[(count.cumsum() - count)[channel] + (rng.random(len(channel)) * count[channel]).astype(np.int64)]
    start = (cell - (rng.random(len(channel)) * length).astype(np.int64)).clip(0, steps - length)
    return _closest_mask(PlacedGaps(np.arange(len(channel)), Gaps(start, channel, length)), observed, short.sum())


def mixture(shape: tuple[int, ...], rate: float, rng: np.random.Generator) -> Mask:
    """Points, runs of 2 to 24 steps and whole rows in equal parts; a cell is hidden with probability `rate`. Arguments as of `mcar`.

    >>> round(float(mixture((5000, 10), 0.3, np.random.default_rng(0)).mean()), 1)
    0.3
    """
    each = 1.0 - (1.0 - _checked(rate)) ** (1 / 3)
    length = int(rng.integers(2, max(3, min(LONGEST_RUN, shape[-2] // 4) + 1)))
    return mcar(shape, each, rng) | runs(shape, each, length, rng) | rows(shape, each, rng)


def _closest_mask(laid: PlacedGaps, observed: Mask, wanted: float) -> Mask:
    """The mask of the first events that hide nearest to so many observed cells, by bisection."""
    low, high = 0, int(laid.event[-1]) + 1
    while high - low > 1:
        middle = (low + high) // 2
        enough = (laid.mask(middle, observed.shape) & observed).sum() >= wanted
        low, high = (low, middle) if enough else (middle, high)
    fewer, more = (laid.mask(n, observed.shape) & observed for n in (low, high))
    return fewer if wanted - fewer.sum() < more.sum() - wanted else more


def _dilated(corners: Mask, size: int, axis: int) -> Mask:
    """Cells with a True among the `size` up to them along an axis, which gets shorter by size - 1."""
    counts = np.moveaxis(corners, axis, -1).cumsum(-1)
    counts = np.concatenate([np.zeros_like(counts[..., :1]), counts], -1)
    return np.moveaxis(counts[..., size:] > counts[..., :-size], -1, axis)


def _standardised(values: Floats) -> Floats:
    """Mean 0 and variance 1 in every channel, NaN left out; a channel without variance is 0."""
    flat = values.reshape(-1, values.shape[-1])
    observed = ~np.isnan(flat)
    count = np.maximum(observed.sum(0), 1)
    centred = values - np.where(observed, flat, 0).sum(0) / count
    variance = np.nansum(centred.reshape(flat.shape) ** 2, 0) / count
    standard: Floats = centred / np.sqrt(np.where(variance > 0, variance, 1))
    return standard


def _logistic(score: Floats, missing: Mask, rate: float, rng: np.random.Generator) -> Mask:
    """Hidden with probability σ(3·score + b), b such that the probability is `rate` on average over a channel's observed cells."""
    _checked(rate)
    score = np.where(missing, -np.inf, STEEPNESS * score)
    return rng.random(score.shape) < _sigmoid(score + _intercept(score, rate))


def _intercept(score: Floats, rate: float) -> Floats:
    """b (C,) with mean σ(score + b) = rate over the finite scores of each channel, by bisection."""
    flat = score.reshape(-1, score.shape[-1])
    wanted = rate * np.isfinite(flat).sum(0)
    low, high = np.full(flat.shape[1], -100.0), np.full(flat.shape[1], 100.0)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        over = _sigmoid(flat + middle).sum(0) > wanted
        low, high = np.where(over, low, middle), np.where(over, middle, high)
    return np.asarray((low + high) / 2)


def _sigmoid(score: Floats) -> Floats:
    """1 / (1 + exp(-score)), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * score)))


def _checked(rate: float) -> float:
    """A rate in 0..1. Raises UsageError for others."""
    if not 0 <= rate <= 1:
        raise UsageError(f"rate of missing values {rate}: give a number from 0 to 1")
    return rate


def _positive(name: str, size: int) -> int:
    """A number of cells. Raises UsageError below 1."""
    if size < 1:
        raise UsageError(f"{name} of missing blocks {size}: give 1 or more")
    return size

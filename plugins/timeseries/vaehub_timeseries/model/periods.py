"""Which periods a table has: candidates of the calendar and of the autocorrelation, kept where the same phase of other periods predicts.

Letters of shapes: T steps, C channels, K periods.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from vaehub import UsageError
from vaehub_timeseries.impute.experts import Floats

DAY = 86_400e9  # ns
CALENDAR = {"D": DAY, "W": 7 * DAY, "Y": 365.2425 * DAY, "YE": 365.2425 * DAY}
LEAST_STEPS, LEAST_PERIODS = 4, 3  # of a period, and how many of it a series must hold
MOST = 3  # rhythms at once
SURE, SURE_FREE = 3.0, 5.0  # standard errors by which a period must reduce the squared error; a free one is the best of many
GAIN = 0.03  # share of the variance that a rhythm must explain
PEAK = 0.1  # by how much a peak of the autocorrelation must stand above the valley before it
HIGH, CANDIDATES = 0.5, 12  # share of the highest peak, and how many peaks as high as that are tried
PRIMES, ENOUGH = (2, 3, 5, 7), 0.9  # parts of a period that are tried, and the share of its gain that one must have
CELLS = 250_000  # that are looked at


def found_periods(series: Sequence[Floats], step: float | None) -> tuple[float, ...]:
    """Periods in steps, the shortest first.

    Arguments:
        series: (T_i, C) each, NaN = missing.
        step: Nanoseconds between two steps, for day, week and year as candidates; None where time is no calendar.
    """
    longest = max(series, key=len)
    rest = longest[: max(1, CELLS // longest.shape[1])]
    found: list[float] = []
    calendar = [] if step is None else sorted({CALENDAR[name] / step for name in ("D", "W", "Y")})
    for period in (p for p in calendar if is_possible(p, len(rest))):
        if rhythm_gain(rest, period, SURE):
            found.append(period)
            rest = without_rhythm(rest, period)
    while len(found) < MOST:
        peak = next((peak for peak in autocorrelation_peaks(rest) if rhythm_gain(rest, peak, SURE_FREE)), None)
        if peak is None:
            break
        period = fundamental(rest, peak)
        found.append(period)
        rest = without_rhythm(rest, period)
    return tuple(sorted(found))


def is_possible(period: float, steps: int) -> bool:
    """Whether so many steps hold enough periods of enough steps."""
    return LEAST_STEPS <= period <= steps / LEAST_PERIODS


def fundamental(values: Floats, period: float) -> float:
    """A whole number of steps in place of a period, or a fraction of that, if it takes away nearly as much.

    Multiples of a rhythm are rhythms, and their peaks may be higher.
    """
    least = ENOUGH * rhythm_gain(values, period, SURE_FREE)
    for part in (1, *PRIMES) if period != round(period) else PRIMES:
        shorter = float(round(period)) / part
        if shorter >= LEAST_STEPS and shorter == round(shorter) and rhythm_gain(values, shorter, SURE_FREE) >= least:
            return fundamental(values, shorter)
    return period


def rhythm_gain(values: Floats, period: float, sure: float) -> float:
    """By how much the mean of the other periods predicts a period better than its level does: squared errors, summed over channels.

    Only channels count where it does so by `sure` standard errors and by GAIN of the variance; 0 means that the period is no rhythm.
    Levels are moving averages over a period, so that a walk, whose neighbouring periods are alike too, has no rhythm. The squared errors of
    whole periods are compared, which are nearly independent.
    """
    folded = folded_about_level(values, period)
    seen = ~np.isnan(folded)
    count, total = seen.sum(0), np.nansum(folded, 0)
    others = (total - np.where(seen, folded, 0.0)) / np.maximum(count - seen, 1)
    used = seen & (count - seen > 0)
    before = np.where(used, folded, 0.0) ** 2
    gain = (before - np.where(used, folded - others, 0.0) ** 2).sum(1)  # (K, C)
    spread = gain.std(0, ddof=1) * np.sqrt(len(gain))
    explained = gain.sum(0) / np.maximum(before.sum((0, 1)), 1e-12)
    sound = (gain.sum(0) > sure * spread) & (explained > GAIN)
    return float(np.where(sound, gain.sum(0) / np.maximum(used.sum((0, 1)), 1), 0.0).sum())


def folded_about_level(values: Floats, period: float) -> Floats:
    """Periods (K, B, C) of a series less its moving average over a period."""
    whole = max(1, round(period))
    rest = values - moving_average(values, whole)
    number = (np.arange(len(rest)) // period).astype(np.int64)
    phase = (np.arange(len(rest)) - number * period).astype(np.int64)
    out = np.full((number[-1] + 1, int(np.ceil(period)), rest.shape[1]), np.nan)
    out[number, phase] = rest
    return out


def moving_average(values: Floats, width: int) -> Floats:
    """Mean of the observed among `width` steps about each (T, C); at the ends of those that there are, NaN where nothing is observed."""
    seen = ~np.isnan(values)
    padded = np.vstack([np.zeros((1, values.shape[1])), np.where(seen, values, 0.0)]).cumsum(0)
    counts = np.vstack([np.zeros((1, values.shape[1])), seen]).cumsum(0)
    first = (np.arange(len(values)) - width // 2).clip(0)
    last = (first + width).clip(0, len(values))
    first = (last - width).clip(0)
    count = counts[last] - counts[first]
    return np.where(count > 0, (padded[last] - padded[first]) / np.maximum(count, 1), np.nan)


def without_rhythm(values: Floats, period: float) -> Floats:
    """The series less the mean of every phase."""
    folded = folded_about_level(values, period)
    with np.errstate(invalid="ignore"):
        profile = np.nansum(folded, 0) / np.maximum((~np.isnan(folded)).sum(0), 1)
    phase = (np.arange(len(values)) % period).astype(np.int64)
    return np.asarray(values - profile[phase.clip(0, len(profile) - 1)])


def autocorrelation_peaks(values: Floats) -> Iterator[float]:
    """The lags of high peaks of the mean autocorrelation, the shortest first, each sharpened at its multiples."""
    most = len(values) // LEAST_PERIODS
    if most < LEAST_STEPS:
        return
    correlation = autocorrelation(values, len(values) // 2)
    lags = np.arange(LEAST_STEPS, most + 1)
    lags = lags[lags < len(correlation) - 1]
    here = correlation[lags]
    valley = np.minimum.accumulate(correlation)[lags]
    peak = (here >= correlation[lags - 1]) & (here > correlation[lags + 1]) & (here - valley > PEAK) & (here > PEAK)
    if peak.any():
        candidates = lags[peak]
        high = candidates[correlation[candidates] > HIGH * correlation[candidates].max()]
        for lag in high[:CANDIDATES]:  # multiples of a period are peaks as well, hence the shortest first
            yield sharpened(correlation, int(lag))


def sharpened(correlation: Floats, lag: int) -> float:
    """A period that need not be whole, from the peak nearest to its last multiple."""
    period, reach = float(lag), max(1, lag // 8)
    for multiple in range(2, 33):
        centre = round(period * multiple)
        if centre + reach >= len(correlation):
            break
        part = correlation[centre - reach : centre + reach + 1]
        place = int(part.argmax())
        if place in (0, 2 * reach):
            break
        period = (centre - reach + place) / multiple
    return float(round(period)) if abs(period - round(period)) < 0.1 else period


def autocorrelation(values: Floats, lags: int) -> Floats:
    """At lags 0 … lags - 1, of the pairs that are observed, after a slow level is taken out; the mean over channels."""
    rest = values - moving_average(values, max(2, len(values) // LEAST_PERIODS))
    seen = ~np.isnan(rest)
    size = 1 << int(np.ceil(np.log2(2 * len(rest))))
    x, m = (np.fft.rfft(part, size, axis=0) for part in (np.where(seen, rest, 0.0), seen.astype(float)))
    products, pairs = (np.fft.irfft(np.abs(f) ** 2, size, axis=0)[:lags] for f in (x, m))
    covariance = np.where(pairs > 0.5, products / np.maximum(pairs, 0.5), 0.0)
    variance = covariance[0]
    return np.asarray((covariance / np.where(variance > 0, variance, 1.0)).mean(1))


def periods_in_steps(season: object, step: float | None) -> tuple[float, ...] | None:
    """The option `season` as periods in steps: None where they are to be found, none at all for False.

    Raises:
        UsageError: a period is neither a number of steps nor a length of time, or lengths of time where there are no stamps.
    """
    if season is None:
        return None
    if season is False:
        return ()
    entries = list(season) if isinstance(season, list | tuple) else [season]
    return tuple(sorted(_in_steps(entry, step) for entry in entries))


def _in_steps(entry: object, step: float | None) -> float:
    """One period in steps."""
    wrong = UsageError(f"season={entry!r}: give a number of steps, a length of time such as 'D', 'W' or '12h', or False")
    if isinstance(entry, str):
        if step is None:
            raise UsageError(f"season={entry!r}: a length of time needs stamps; give a number of steps")
        try:
            length = CALENDAR.get(entry) or float(pd.Timedelta(entry).value)
        except ValueError:
            raise wrong from None
        period = length / step
    elif isinstance(entry, int | float | np.number) and not isinstance(entry, bool):
        period = float(entry)
    else:
        raise wrong
    if not 2 <= period < np.inf:
        raise UsageError(f"season={entry!r}: a period must be 2 steps or longer")
    return period

"""Equal readings in a row: how long a run is beside the usual runs of its column."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vaehub_timeseries.impute.experts import Floats, Integers

SHORTEST = 4  # readings: fewer equal ones are nothing to speak of
LEVELS = (0.5, 0.75)  # of the steps beyond that length: a quarter of odd runs does not matter
TRUSTED = 20  # runs that have come at least as far, for the law to hold there
OWN_LAW = 10  # runs of more than one reading that make a value one that comes back, such as the zeros of the night


class Runs(NamedTuple):
    """Runs of equal observed values of a column: first step, length, value, and how many runs of its kind are usual: each (R,)."""

    start: Integers
    length: Integers
    value: Floats

    @classmethod
    def of(cls, values: Floats) -> Runs:
        """The runs of a column (T,); a gap ends one."""
        seen = ~np.isnan(values)
        begins = seen & ~np.concatenate([[False], seen[1:] & (values[1:] == values[:-1])])
        start = np.flatnonzero(begins)
        number = np.cumsum(begins) - 1
        return cls(start, np.bincount(number[seen], minlength=len(start)).astype(np.int64), values[start])


def run_rarity(runs: Runs) -> Floats:
    """-log10 of the probability that a run is as long as it is (R,), by the law of its value where that comes back, else of all others."""
    rarity = np.zeros(len(runs.length))
    long = runs.length > 1
    values, code = np.unique(runs.value, return_inverse=True)
    back = np.bincount(code[long], minlength=len(values)) >= OWN_LAW
    for number in np.flatnonzero(back):
        own = code == number
        rarity[own] = length_rarity(runs.length[own])
    others = ~back[code]
    rarity[others] = length_rarity(runs.length[others])
    return np.where(runs.length >= SHORTEST, rarity, 0.0)


def length_rarity(lengths: Integers) -> Floats:
    """-log10 P(length >= n) for every n of these lengths.

    As the lengths are up to a length u that enough runs reach, then geometric: P(n) = P(u) c^(n - u). c is the share of those that go on at u, or
    what quartiles of their steps beyond u say, if that is more.
    """
    if not len(lengths):
        return np.zeros(0)
    ordered, count = np.sort(lengths), len(lengths)
    trusted = max(1, min(TRUSTED, count // 2))
    far = int(ordered[-trusted])
    beyond = ordered[ordered >= far] - far
    going_on = float(np.count_nonzero(beyond) + 0.5) / (len(beyond) + 1)
    for level, steps in zip(LEVELS, np.quantile(beyond, LEVELS).tolist(), strict=True):
        going_on = max(going_on, float((1 - level) ** (1 / steps)) if steps > 0 else 0.0)
    within = np.minimum(lengths, far)
    survival = (count - np.searchsorted(ordered, within, "left")) / count
    return np.asarray(-np.log10(survival) - (lengths - within) * np.log10(going_on))

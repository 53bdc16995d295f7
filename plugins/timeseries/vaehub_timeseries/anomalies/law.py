"""The usual law of a statistic, from data that may hold anomalies, and how rare a value is under it.

Location and scale are the median and the quartiles, which a quarter of odd values cannot carry away (Huber, Robust Statistics, 1981); beyond
them the tails of a Student t, since those of real residuals are longer than the normal distribution's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from vaehub_timeseries.impute.experts import Floats, Mask

FREEDOM = 10.0  # of the Student t
QUARTERS = (0.25, 0.5, 0.75)
ENOUGH = 12  # values that make a law


@dataclass(frozen=True)
class Law:
    """Median, and scales of the lower and the upper side."""

    median: float
    below: float
    above: float
    freedom: float

    @classmethod
    def of(cls, values: Floats, usual: Mask, floor: float, freedom: float = FREEDOM) -> Law | None:
        """The law of those that are `usual`, of all where these are few; `floor`: the least scale. None of too few values."""
        chosen = values[usual] if usual.sum() >= ENOUGH else values
        if len(chosen) < ENOUGH:
            return None
        low, middle, high = np.quantile(chosen, QUARTERS)
        freedom = min(freedom, len(chosen) / 4)
        unit = float(student.ppf(0.75, freedom))
        both = (high - low) / 2
        return cls(float(middle), *(max(float(side), both / 2, floor) / unit for side in (middle - low, high - middle)), freedom)

    def standardised(self, values: Floats) -> Floats:
        """Distances from the median in scales of their side."""
        away = values - self.median
        return np.asarray(away / np.where(away < 0, self.below, self.above))

    def rarity(self, values: Floats) -> Floats:
        """-log10 of the probability of a value at least as far from the median, on its side."""
        return np.asarray(-student.logsf(np.abs(self.standardised(values)), self.freedom) / np.log(10))

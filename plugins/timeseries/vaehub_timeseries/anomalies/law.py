"""The usual law of a statistic, from data that may hold anomalies, and how rare a value is under it.

Location and scale are the median and the quartiles, which a quarter of odd values cannot carry away (Huber, Robust Statistics, 1981); beyond
them the tails of a Student t, since those of real residuals are longer than the normal distribution's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from vaehub_timeseries.impute.experts import SMALLEST, Floats, Mask

FREEDOM = 20.0  # degrees of freedom of the Student t of means over many cells
FREEDOMS = np.array([2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0, 20.0, 30.0])  # among which those of single cells are
FAR = 0.98  # the quantile that says which
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
    def of(cls, values: Floats, usual: Mask, floor: float, own_tails: bool = False) -> Law | None:
        """The law of values (n,), None where there are too few.

        Arguments:
            values: Of a statistic.
            usual: Those (n,) that the law is of; all are taken where these are too few.
            floor: Least scale.
            own_tails: Whether the values say how long the tails are.
        """
        chosen = values[usual] if usual.sum() >= ENOUGH else values
        if len(chosen) < ENOUGH:
            return None
        low, middle, high = np.quantile(chosen, QUARTERS)
        freedom = min(shown_freedom(chosen, high - low) if own_tails else FREEDOM, len(chosen) / 4)
        unit = float(student.ppf(0.75, freedom))
        both = float(high - low) / 2
        below, above = (max(float(side), both / 2, floor) / unit for side in (middle - low, high - middle))
        return cls(float(middle), below, above, freedom)

    def standardised(self, values: Floats) -> Floats:
        """Distances from the median in scales of their side."""
        away = values - self.median
        return np.asarray(away / np.where(away < 0, self.below, self.above))

    def rarity(self, values: Floats) -> Floats:
        """-log10 of the probability of a value at least as far from the median, on its side."""
        return np.asarray(-student.logsf(np.abs(self.standardised(values)), self.freedom) / np.log(10))


def shown_freedom(values: Floats, between_quartiles: float) -> float:
    """The degrees of freedom of the Student t that reaches as far as these values do, beside its quartiles."""
    reach = float(np.diff(np.quantile(values, [1 - FAR, FAR]))[0]) / max(between_quartiles, SMALLEST)
    ratios = student.ppf(FAR, FREEDOMS) / student.ppf(QUARTERS[2], FREEDOMS)
    return float(np.interp(-reach, -ratios, FREEDOMS))

"""The empirical law of a column: to scores of a standard normal distribution, and back to values that the column may have.

Letters of shapes: C channels, n observed cells of one, Q quantiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

Floats = NDArray[np.float64]
QUANTILES = 401
MOST_VALUES, REPEATS = 1_000, 3  # distinct values that are kept as they are, where each is there so often on average


def normal_scores(cells: Floats) -> Floats:
    """Cells (R, C) as quantiles of the standard normal by their rank in the column, NaN where unobserved; equal cells share one."""
    out = np.full(cells.shape, np.nan)
    for c in range(cells.shape[1]):
        seen = ~np.isnan(cells[:, c])
        out[seen, c] = ndtri((rankdata(cells[seen, c]) - 0.5) / max(int(seen.sum()), 1))
    return out


@dataclass(frozen=True)
class Law:
    """Quantiles (Q,) of a column at even levels, and the values (V,) it may have; none where any between two quantiles will do.

    >>> Law.of(np.array([0.0, 0.0, 0.0, 1.0] * 5)).values_at(np.array([0.1, 0.9])).tolist()
    [0.0, 1.0]
    """

    quantiles: Floats
    support: Floats

    @classmethod
    def of(cls, observed: Floats) -> Law:
        """The law of observed cells (n,); 0 where there are none."""
        if not len(observed):
            return cls(np.zeros(QUANTILES), np.zeros(1))
        distinct = np.unique(observed)
        kept = len(distinct) <= min(MOST_VALUES, len(observed) / REPEATS)
        levels = np.linspace(0, 1, QUANTILES)
        return cls(np.quantile(observed, levels), distinct if kept else np.zeros(0))

    def values_at(self, levels: Floats) -> Floats:
        """The quantile at each level (…) between 0 and 1, on the support."""
        values = np.interp(levels, np.linspace(0, 1, len(self.quantiles)), self.quantiles)
        if not len(self.support):
            return np.asarray(values)
        return np.asarray(self.support[np.searchsorted((self.support[1:] + self.support[:-1]) / 2, values)])


def laws_of(series: Sequence[Floats]) -> list[Law]:
    """The law of every channel of series (T_i, C)."""
    cells = np.concatenate(list(series))
    return [Law.of(column[~np.isnan(column)]) for column in cells.T]

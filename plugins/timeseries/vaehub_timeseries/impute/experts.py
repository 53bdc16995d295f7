"""What an expert is and what it believes of missing cells.

Letters of shapes: T steps of a series, C channels, K experts, n draws. Values are in scaled units, NaN = missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

SMALLEST = 1e-6  # of a standard deviation, in scaled units


@dataclass(frozen=True)
class Belief:
    """Mean and standard deviation of every cell (T, C): the value and 0 where it is observed, finite and sd > 0 elsewhere."""

    mean: Floats
    sd: Floats

    def ignorant(self, channels: Mask) -> Belief:
        """The same, with mean 0 and sd 1, as before anything was seen, in some channels (C,)."""
        return Belief(np.where(channels, 0.0, self.mean), np.where(channels, 1.0, self.sd))


class Expert(Protocol):
    """Something that has a belief about missing cells and can draw them together."""

    @property
    def name(self) -> str:
        """Under which its errors are reported."""

    def predict(self, series: Sequence[Floats]) -> list[Belief]:
        """The belief about every series (T, C)."""

    def draw(self, series: Sequence[Floats], n: int, seed: int) -> list[Floats]:
        """n joint draws (n, T, C) of every series; observed cells are the values."""


def blend(means: Floats, sds: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Mean and sd of the mixture Σ w N(m, s²): m = Σ w m_k, s² = Σ w (s_k² + m_k²) - m². Shapes (K, …) -> (…)."""
    mean = (weights * means).sum(0)
    variance = (weights * (sds**2 + (means - mean) ** 2)).sum(0)
    return mean, np.sqrt(variance)


def believed(values: Floats, mean: Floats, sd: Floats) -> Belief:
    """A belief with the observed cells of `values` put in, and sd kept above 0 elsewhere."""
    missing = np.isnan(values)
    return Belief(np.where(missing, mean, values), np.where(missing, np.maximum(sd, SMALLEST), 0.0))

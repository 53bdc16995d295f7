"""What an expert is, and its prediction of missing cells.

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
class Prediction:
    """Mean and standard deviation of every cell (T, C): the value and 0 where it is observed, finite and sd > 0 elsewhere."""

    mean: Floats
    sd: Floats

    def reset(self, channels: Mask) -> Prediction:
        """The same, but mean 0 and sd 1, the prior, in some channels (C,)."""
        return Prediction(np.where(channels, 0.0, self.mean), np.where(channels, 1.0, self.sd))


class Expert(Protocol):
    """A model that predicts missing cells and can draw them jointly."""

    @property
    def name(self) -> str:
        """Under which its errors are reported."""

    def predict(self, series: Sequence[Floats]) -> list[Prediction]:
        """The prediction of every series (T, C)."""

    def draw(self, series: Sequence[Floats], n: int, seed: int) -> list[Floats]:
        """n joint draws (n, T, C) of every series; observed cells are the values."""


class ClosedForm(Expert, Protocol):
    """An expert that is exact under a Gaussian process, whose beliefs a network can correct in windows of so many `steps`."""

    @property
    def steps(self) -> int:
        """Of a window."""


def mixture_moments(means: Floats, sds: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Mean and sd of the mixture Σ w N(m, s²): m = Σ w m_k, s² = Σ w (s_k² + m_k²) - m². Shapes (K, …) -> (…)."""
    mean = (weights * means).sum(0)
    variance = (weights * (sds**2 + (means - mean) ** 2)).sum(0)
    return mean, np.sqrt(variance)


def with_observed(values: Floats, mean: Floats, sd: Floats) -> Prediction:
    """A prediction with the observed cells of `values` put in, and sd kept above 0 elsewhere."""
    missing = np.isnan(values)
    return Prediction(np.where(missing, mean, values), np.where(missing, np.maximum(sd, SMALLEST), 0.0))

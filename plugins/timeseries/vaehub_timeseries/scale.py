"""The scale that models work in: every channel with mean 0 and standard deviation 1, learnt from observed cells alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import FiniteFloat

from vaehub import files

FLOOR = 1e-12  # of a standard deviation, as a share of the largest value: below it a channel counts as constant


@dataclass(frozen=True)
class Scaler:
    """x -> (x - mean) / sd per channel; mean 0 and sd 1 where nothing is observed, sd 1 where a channel is constant.

    >>> Scaler.fit([np.array([[1.0], [np.nan], [3.0]])]).scale(np.array([[4.0]])).tolist()
    [[2.0]]
    """

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]

    @classmethod
    def fit(cls, series: Sequence[NDArray[np.float64]]) -> Scaler:
        """Mean and sd of the observed cells of series (T_i, C)."""
        cells = np.concatenate(list(series))
        observed = ~np.isnan(cells)
        count = np.maximum(observed.sum(0), 1)
        size = np.where(observed, np.abs(cells), 0.0).max(0, initial=0.0)
        unit = np.where(size > 0, size, 1.0)  # so that squares of huge values stay finite
        mean = np.where(observed, cells / unit, 0.0).sum(0) / count
        sd = np.sqrt(np.where(observed, (cells / unit - mean) ** 2, 0.0).sum(0) / count)
        return cls(mean * unit, np.where(sd > FLOOR, sd, 1.0 / unit) * unit)

    def scale(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values (…, C) in units of the model."""
        return (values - self.mean) / self.sd

    def unscale(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values (…, C) in units of the user."""
        return values * self.sd + self.mean

    def to_json(self) -> dict[str, Any]:
        """Two lists of numbers."""
        return {"mean": self.mean.tolist(), "sd": self.sd.tolist()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Scaler:
        """What `to_json` gave. Raises ValueError or KeyError where it is damaged."""
        mean, sd = (np.array(files.validated_json(list[FiniteFloat], value[name]), np.float64) for name in ("mean", "sd"))
        if mean.shape != sd.shape or not (sd > 0).all():
            raise ValueError(f"{len(mean)} means and {len(sd)} standard deviations, which must be above 0")
        return cls(mean, sd)

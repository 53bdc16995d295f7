"""The scale that models work in: every channel with mean 0 and standard deviation 1, learnt from observed cells alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import FiniteFloat

from vaehub import files
from vaehub_timeseries.marginals.transform import Marginals

FLOOR = 1e-12  # of a standard deviation, as a share of the largest value: below it a channel counts as constant


@dataclass(frozen=True)
class Scaler:
    """x -> (t(x) - mean) / sd per channel; mean 0 and sd 1 where nothing is observed, sd 1 where a channel is constant.

    t is the transform of `marginals`, which ends at the bounds of a channel; x itself where there are none.

    >>> Scaler.fit([np.array([[1.0], [np.nan], [3.0]])]).scale(np.array([[4.0]])).tolist()
    [[2.0]]
    """

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    marginals: Marginals | None = None

    @classmethod
    def fit(cls, series: Sequence[NDArray[np.float64]], marginals: Marginals | None = None) -> Scaler:
        """Mean and sd of the observed cells of series (T_i, C), once they are transformed."""
        cells = np.concatenate(list(series))
        if marginals is not None:
            cells = marginals.forward(cells)
        observed = ~np.isnan(cells)
        count = np.maximum(observed.sum(0), 1)
        size = np.where(observed, np.abs(cells), 0.0).max(0, initial=0.0)
        unit = np.where(size > 0, size, 1.0)  # so that squares of huge values stay finite
        mean = np.where(observed, cells / unit, 0.0).sum(0) / count
        sd = np.sqrt(np.where(observed, (cells / unit - mean) ** 2, 0.0).sum(0) / count)
        return cls(mean * unit, np.where(sd > FLOOR, sd, 1.0 / unit) * unit, marginals)

    def scale(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values (…, C) in units of the model."""
        return ((values if self.marginals is None else self.marginals.forward(values)) - self.mean) / self.sd

    def unscale(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values (…, C) in units of the user, within the bounds of their channels."""
        plain = values * self.sd + self.mean
        return plain if self.marginals is None else self.marginals.inverse(plain)

    @property
    def spread(self) -> NDArray[np.float64]:
        """The standard deviation of every channel (C,) in units of the user, which errors are measured in."""
        return self.sd if self.marginals is None else self.marginals.spread

    @property
    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The bounds of every channel (C,) in units of the user, infinite where there are none."""
        if self.marginals is None:
            return np.full(len(self.mean), -np.inf), np.full(len(self.mean), np.inf)
        return self.marginals.lower, self.marginals.upper

    @property
    def ends(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The bounds at which data pile up (C,), in units of the model, infinite where there are none."""
        if self.marginals is None:
            return np.full(len(self.mean), -np.inf), np.full(len(self.mean), np.inf)
        low, high = self.marginals.ends()
        return (low - self.mean) / self.sd, (high - self.mean) / self.sd

    def take(self, index: NDArray[Any]) -> Scaler:
        """The scale of some channels, or of the channel of each of some cells."""
        return Scaler(self.mean[index], self.sd[index], None if self.marginals is None else self.marginals.take(index))

    @property
    def rows(self) -> NDArray[np.float64]:
        """All parameters (P, C), none where no channel is transformed."""
        return np.zeros((0, len(self.mean))) if self.marginals is None else np.vstack([self.mean, self.sd, self.marginals.rows])

    @classmethod
    def of_rows(cls, rows: NDArray[np.float64]) -> Scaler:
        """The scale whose `rows`, not none, these are."""
        return cls(rows[0], rows[1], Marginals.of_rows(rows[2:]))

    def to_json(self) -> dict[str, Any]:
        """Lists of numbers."""
        plain = {"mean": self.mean.tolist(), "sd": self.sd.tolist()}
        return plain if self.marginals is None else {**plain, "marginals": self.marginals.to_json()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Scaler:
        """What `to_json` gave. Raises ValueError or KeyError where it is damaged."""
        mean, sd = (np.array(files.validated_json(list[FiniteFloat], value[name]), np.float64) for name in ("mean", "sd"))
        if mean.shape != sd.shape or not (sd > 0).all():
            raise ValueError(f"{len(mean)} means and {len(sd)} standard deviations, which must be above 0")
        marginals = None if value.get("marginals") is None else Marginals.from_json(value["marginals"])
        if marginals is not None and len(marginals.power) != len(mean):
            raise ValueError(f"{len(marginals.power)} marginals of {len(mean)} channels")
        return cls(mean, sd, marginals)

"""Numbers of molecules brought to mean 0 and deviation 1, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from pydantic import FiniteFloat
from torch import Tensor

from vaehub import Json, files

NUMBERS = ("means", "deviations")


@final
class Scales:
    """Mean and standard deviation of each column, over the training rows; unknown values (NaN) are left out.

    Arguments:
        names: of P columns.
        means: of each.
        deviations: of each, above 0.

    >>> scales = Scales.of(["logp"], np.array([[1.0], [3.0], [np.nan]]))
    >>> scales.scaled(torch.tensor([3.0])).tolist(), scales.units(torch.tensor([-1.0])).tolist()
    ([1.0], [1.0])
    """

    def __init__(self, names: Sequence[str], means: Sequence[float], deviations: Sequence[float]) -> None:
        self.names, self.means, self.deviations = tuple(names), torch.tensor(means), torch.tensor(deviations)

    @staticmethod
    def of(names: Sequence[str], values: np.ndarray) -> Scales:
        """The scales of values (N, P)."""
        if not names:
            return Scales((), (), ())
        deviations = np.nanstd(values, 0)
        return Scales(names, np.nanmean(values, 0).tolist(), np.where(deviations > 0, deviations, 1.0).tolist())

    def scaled(self, values: Tensor) -> Tensor:
        """(v - mean) / deviation of values (…, P)."""
        return (values - self.means.to(values.device)) / self.deviations.to(values.device)

    def units(self, scaled: Tensor) -> Tensor:
        """Values (…, P) in their own units."""
        return scaled * self.deviations.to(scaled.device) + self.means.to(scaled.device)

    def state(self) -> Json:
        """Small JSON."""
        return {"names": list(self.names), "means": self.means.tolist(), "deviations": self.deviations.tolist()}

    @staticmethod
    def restore(state: Json) -> Scales:
        """What `state` gave. Raises ValueError or KeyError where it is damaged."""
        names, means, deviations = (
            files.validated_json(list[str], state["names"]),
            *(files.validated_json(list[FiniteFloat], state[key]) for key in NUMBERS),
        )
        if not len(names) == len(means) == len(deviations) or min(deviations, default=1) <= 0:
            raise ValueError(f"{len(names)} names, {len(means)} means and {len(deviations)} deviations, which must be above 0")
        return Scales(names, means, deviations)

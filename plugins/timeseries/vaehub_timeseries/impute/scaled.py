"""Series in the user's units and in the model's: scaled, and without the channels that the model never saw.

Letters of shapes: T steps, C channels of the frame, M of them modelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaehub_timeseries.impute.experts import Floats, Mask
from vaehub_timeseries.impute.linear import Neighbours
from vaehub_timeseries.marginals.censoring import CensoredCells
from vaehub_timeseries.scale import Scaler


@dataclass(frozen=True)
class ScaledSeries:
    """series (T, M) for the model, raw (T, C) as they came; `fill`: the value of a cell in a channel that was never observed.

    limits: cells of which only limits are known, for each series; none, if there are no such cells.
    """

    raw: Sequence[Floats]
    series: Sequence[Floats]
    scaler: Scaler
    modelled: Mask  # (C,)
    fill: float
    causal: bool
    limits: Sequence[CensoredCells] = ()

    @classmethod
    def of(cls, raw: Sequence[Floats], scaler: Scaler, modelled: Mask, fill: float, causal: bool) -> ScaledSeries:
        """Scale the modelled channels."""
        return cls(
            raw, [np.ascontiguousarray(scaler.scale(values)[:, modelled]) for values in raw], scaler, modelled, fill, causal
        )

    @property
    def ends(self) -> tuple[Floats, Floats]:
        """The bounds (M,) at which data pile up, in scaled units."""
        low, high = self.scaler.ends
        return low[self.modelled], high[self.modelled]

    def unscaled(self, series: Sequence[Floats]) -> list[Floats]:
        """Series (T, M) of the model as the user's (T, C): observed cells are the values, all else is finite."""
        return [self._unscaled_one(raw, values) for raw, values in zip(self.raw, series, strict=True)]

    def _unscaled_one(self, raw: Floats, values: Floats) -> Floats:
        """Channels that the model does not know are interpolated linearly where they are observed, and `fill` where not."""
        whole = np.where(self.modelled, with_all_channels(values, self.modelled), 0.0)
        neighbours = Neighbours.of(raw, self.causal)
        beyond = np.where(neighbours.isolated, self.fill, neighbours.interpolate(raw))
        guess = self.scaler.unscale(whole)
        return np.where(np.isnan(raw), np.where(self.modelled & np.isfinite(guess), guess, beyond), raw)


def with_all_channels(values: Floats, modelled: Mask) -> Floats:
    """Modelled channels (…, M) among all (…, C), the others NaN."""
    whole = np.full((*values.shape[:-1], len(modelled)), np.nan)
    whole[..., modelled] = values
    return whole

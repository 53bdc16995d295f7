"""Series in the user's units and in the model's: scaled, and without the channels that the model never saw.

Letters of shapes: T steps, C channels of the frame, M of them known to the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaehub_timeseries.impute.experts import Floats, Mask
from vaehub_timeseries.impute.linear import Around
from vaehub_timeseries.scale import Scaler


@dataclass(frozen=True)
class Scaled:
    """series (T, M) for the model, raw (T, C) as they came; `fill` is what a cell gets that nothing is known of."""

    raw: Sequence[Floats]
    series: Sequence[Floats]
    scaler: Scaler
    known: Mask  # (C,)
    fill: float
    causal: bool

    @classmethod
    def of(cls, raw: Sequence[Floats], scaler: Scaler, known: Mask, fill: float, causal: bool) -> Scaled:
        """Scale the known channels."""
        return cls(raw, [np.ascontiguousarray(scaler.scale(values)[:, known]) for values in raw], scaler, known, fill, causal)

    def unscaled(self, series: Sequence[Floats]) -> list[Floats]:
        """Series (T, M) of the model as the user's (T, C): observed cells are the values, all else is finite."""
        return [self._one(raw, values) for raw, values in zip(self.raw, series, strict=True)]

    def _one(self, raw: Floats, values: Floats) -> Floats:
        """Channels that the model does not know are interpolated linearly where they are observed, and `fill` where not."""
        whole = np.where(self.known, widened(values, self.known), 0.0)
        around = Around.of(raw, self.causal)
        beyond = np.where(around.none, self.fill, around.interpolate(raw))
        guess = self.scaler.unscale(whole)
        return np.where(np.isnan(raw), np.where(self.known & np.isfinite(guess), guess, beyond), raw)


def widened(values: Floats, known: Mask) -> Floats:
    """Known channels (…, M) among all (…, C), the others NaN."""
    whole = np.full((*values.shape[:-1], len(known)), np.nan)
    whole[..., known] = values
    return whole

"""From the values of a channel to a scale on which it is nearer to Gaussian, and back to where every value lies within its bounds.

y = t(x) with t = ((x - origin) / unit)^power, or its logarithm where power is 0. A bound at which data pile up ends y: what lies beyond comes
back as the bound (a rectified, or censored, Gaussian). Towards another bound y goes to infinity as the inverse of softplus does, within
`soft` of it, and is a straight line farther away. Letters of shapes: C channels; every method takes values (…, C).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaehub import files

Floats = NDArray[np.float64]
NEAREST = 0.02  # of `soft`: no value counts as nearer to an open bound
SMALLEST = 1e-6  # of `unit`: no value counts as smaller where logarithms are taken


@dataclass(frozen=True)
class Marginals:
    """The transform of every channel, all arrays (C,).

    power: 1 is a straight line, 0 the logarithm; origin, unit: of the power; lower, upper: the bounds, infinite where there are none;
    soft_lower, soft_upper: how near a bound the line bends, in units of y, 0 where data pile up at it; pile_lower, pile_upper: 1 where a
    cell at the bound is known only to be there or beyond; centre, spread: mean and standard deviation of x, the units of errors.

    >>> marginals = Marginals.plain(np.array([2.0]), np.array([1.0]))
    >>> marginals.inverse(marginals.forward(np.array([[3.0]]))).tolist()
    [[3.0]]
    """

    power: Floats
    origin: Floats
    unit: Floats
    lower: Floats
    upper: Floats
    soft_lower: Floats
    soft_upper: Floats
    pile_lower: Floats
    pile_upper: Floats
    centre: Floats
    spread: Floats

    @classmethod
    def plain(cls, centre: Floats, spread: Floats) -> Marginals:
        """No transform and no bounds, of channels with this mean and standard deviation (C,)."""
        one, nothing, infinite = np.ones_like(centre), np.zeros_like(centre), np.full_like(centre, np.inf)
        return cls(one, nothing, one, -infinite, infinite, nothing, nothing, nothing, nothing, centre, spread)

    @property
    def changed(self) -> NDArray[np.bool_]:
        """The channels (C,) that have a transform or a bound."""
        return np.asarray((self.power != 1) | np.isfinite(self.lower) | np.isfinite(self.upper))

    @property
    def rows(self) -> Floats:
        """All parameters (P, C)."""
        return np.stack([np.asarray(row, np.float64) for row in astuple(self)])

    @classmethod
    def of_rows(cls, rows: Floats) -> Marginals:
        """Those whose `rows` these are."""
        return cls(*rows)

    def take(self, index: NDArray[Any]) -> Marginals:
        """Those of some channels, or of the channel of each of some cells."""
        return Marginals.of_rows(self.rows[:, index])

    def forward(self, values: Floats) -> Floats:
        """Values (…, C) on the scale of y; those beyond a bound count as at it."""
        out = np.array(values, np.float64)
        for c, one in self._each():
            out[..., c] = one.bent(one.powered(out[..., c].clip(one.lower, one.upper)))
        return out

    def inverse(self, y: Floats) -> Floats:
        """Values (…, C) within their bounds from the scale of y."""
        out = np.array(y, np.float64)
        for c, one in self._each():
            out[..., c] = one.unpowered(one.unbent(out[..., c])).clip(one.lower, one.upper)
        return out

    def ends(self) -> tuple[Floats, Floats]:
        """The bounds on the scale of y at which data pile up (C,), infinite where they do not."""
        low, high = np.full(len(self.power), -np.inf), np.full(len(self.power), np.inf)
        for c, one in self._each():
            low[c] = one.powered(one.lower) if one.pile_lower else -np.inf
            high[c] = one.bent(one.powered(one.upper)) if one.pile_upper else np.inf
        return low, high

    def _each(self) -> Iterator[tuple[Any, OneMarginal]]:
        """The channels that are changed, those with equal parameters at once."""
        places = np.flatnonzero(self.changed)
        if not len(places):
            return
        distinct, group = np.unique(self.rows[:-2, places], axis=1, return_inverse=True)
        for number, row in enumerate(distinct.T):
            at = places[group.reshape(-1) == number]
            yield at, OneMarginal(*(float(value) for value in row))

    def to_json(self) -> dict[str, Any]:
        """Lists of numbers, None for what is infinite."""
        return {f.name: [float(v) if np.isfinite(v) else None for v in vars(self)[f.name]] for f in fields(self)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Marginals:
        """What `to_json` gave. Raises ValueError, KeyError or TypeError where it is damaged."""
        missing = {"lower": -np.inf, "upper": np.inf}
        read = {f.name: files.validated_json(list[float | None], value[f.name]) for f in fields(cls)}
        made = {
            name: np.array([missing[name] if v is None and name in missing else v for v in row], np.float64)
            for name, row in read.items()
        }
        if len({len(row) for row in made.values()}) > 1 or any(np.isnan(row).any() for row in made.values()):
            raise ValueError("the marginals of the channels are of different lengths or have gaps")
        if not ((made["unit"] > 0).all() and (made["spread"] > 0).all() and (made["lower"] < made["upper"]).all()):
            raise ValueError("a unit or spread that is not above 0, or bounds in the wrong order")
        return cls(**made)


@dataclass(frozen=True)
class OneMarginal:
    """The transform of one channel; see `Marginals`."""

    power: float
    origin: float
    unit: float
    lower: float
    upper: float
    soft_lower: float
    soft_upper: float
    pile_lower: float
    pile_upper: float

    def powered(self, x: Any) -> Any:
        """t(x)."""
        if self.power == 1:
            return x
        ratio = (x - self.origin) / self.unit
        return np.log(np.maximum(ratio, SMALLEST)) if self.power == 0 else np.maximum(ratio, 0.0) ** self.power

    def unpowered(self, t: Any) -> Any:
        """x from t(x)."""
        if self.power == 1:
            return t
        ratio = np.exp(np.minimum(t, 500.0)) if self.power == 0 else np.maximum(t, 0.0) ** (1 / self.power)
        return self.origin + self.unit * ratio

    def bent(self, t: Any) -> Any:
        """y from t: towards -inf at an open lower bound, then towards inf at an open upper one."""
        if self.soft_lower:
            t = self.powered(self.lower) + stretched(t - self.powered(self.lower), self.soft_lower)
        if self.soft_upper:
            t = self._top - stretched(self._top - t, self.soft_upper)
        return t

    def unbent(self, y: Any) -> Any:
        """t from y."""
        if self.soft_upper:
            y = self._top - softplus(self._top - y, self.soft_upper)
        if self.soft_lower:
            y = self.powered(self.lower) + softplus(y - self.powered(self.lower), self.soft_lower)
        return y

    @property
    def _top(self) -> float:
        """The upper bound once the lower one is bent."""
        top = self.powered(self.upper)
        if self.soft_lower:
            top = self.powered(self.lower) + stretched(top - self.powered(self.lower), self.soft_lower)
        return float(top)


def softplus(y: Any, soft: float) -> Any:
    """soft log(1 + exp(y / soft)), which is above 0."""
    with np.errstate(invalid="ignore"):  # NaN, where nothing is observed, stays NaN
        return soft * np.logaddexp(0.0, y / soft)


def stretched(distance: Any, soft: float) -> Any:
    """The inverse of `softplus`."""
    ratio = np.maximum(distance / soft, NEAREST)
    return soft * (ratio + np.log(-np.expm1(-ratio)))


def joined(parts: Sequence[Marginals]) -> Marginals:
    """The channels of all parts, one after the other."""
    return Marginals.of_rows(np.concatenate([part.rows for part in parts], axis=1))

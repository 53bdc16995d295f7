"""Several objectives as one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from vaehub import UsageError
from vaehub_molecules.oracles.oracle import Composed, Oracle


@dataclass(frozen=True)
class Weighted(Composed):
    """Several oracles with a weight each; the weights add up to 1."""

    name: str
    parts: tuple[Oracle, ...]
    weights: tuple[float, ...]

    @property
    def made_of(self) -> tuple[Oracle, ...]:
        """The parts."""
        return self.parts


@final
@dataclass(frozen=True)
class Product(Weighted):
    """Π max(0, s_i)^(w_i / Σ w) of the scores s_i: 0 as soon as one is not positive."""

    @property
    def describe(self) -> str:
        """Every part on its own."""
        return "; ".join(
            f"{part.name}^{weight:g}: {part.describe}" for part, weight in zip(self.parts, self.weights, strict=True)
        )

    def of_parts(self, scores: Sequence[float]) -> float:
        """The weighted geometric mean."""
        return math.prod(math.pow(max(score, 0.0), weight) for score, weight in zip(scores, self.weights, strict=True))


@final
@dataclass(frozen=True)
class WeightedSum(Weighted):
    """Σ w_i s_i / Σ w of the scores s_i: they should be of one unit, or turned into desirabilities from 0 to 1."""

    @property
    def describe(self) -> str:
        """Every part on its own."""
        return "; ".join(
            f"{weight:g} {part.name}: {part.describe}" for part, weight in zip(self.parts, self.weights, strict=True)
        )

    def of_parts(self, scores: Sequence[float]) -> float:
        """The weighted arithmetic mean."""
        return sum(score * weight for score, weight in zip(scores, self.weights, strict=True))


def weighted(parts: Sequence[Oracle], weights: Sequence[float] | None = None) -> Oracle:
    """Π max(0, s_i)^(w_i / Σ w): one objective of several that are good when high and bad at 0.

    Arguments:
        parts: oracles with the scores s_i.
        weights: w_i above 0, one of each part; all alike, if not given.

    Raises:
        UsageError: for no parts, another number of weights than parts, and weights that are not positive.

    >>> from vaehub_molecules.oracles import oracle
    >>> weighted([oracle("qed"), oracle("logp")], [3, 1]).name
    'qed^0.75 * logp^0.25'
    """
    shares = shares_of(parts, weights)
    name = " * ".join(f"{part.name}^{share:.3g}" for part, share in zip(parts, shares, strict=True))
    return Product(name, tuple(parts), shares)


def summed(parts: Sequence[Oracle], weights: Sequence[float] | None = None) -> Oracle:
    """Σ w_i s_i / Σ w: one objective of several of one unit, of which one may stand in for another.

    Arguments:
        parts: oracles with the scores s_i.
        weights: w_i above 0, one of each part; all alike, if not given.

    Raises:
        UsageError: for no parts, another number of weights than parts, and weights that are not positive.

    >>> from vaehub_molecules.oracles import oracle
    >>> summed([oracle("qed"), oracle("hbd")], [3, 1]).name
    '0.75 qed + 0.25 hbd'
    """
    shares = shares_of(parts, weights)
    name = " + ".join(f"{share:.3g} {part.name}" for part, share in zip(parts, shares, strict=True))
    return WeightedSum(name, tuple(parts), shares)


def shares_of(parts: Sequence[Oracle], weights: Sequence[float] | None) -> tuple[float, ...]:
    """w_i / Σ w. Raises UsageError where the weights do not fit the parts."""
    given = [1.0] * len(parts) if weights is None else list(weights)
    if not parts or len(given) != len(parts):
        raise UsageError(f"{len(parts)} objectives and {len(given)} weights; give one weight for every objective")
    if bad := [weight for weight in given if not 0 < weight < math.inf]:
        raise UsageError(f"weight {bad[0]:g} of an objective; weights must be positive")
    return tuple(weight / sum(given) for weight in given)

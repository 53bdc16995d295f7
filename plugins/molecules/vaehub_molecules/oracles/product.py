"""Several objectives as one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from vaehub import UsageError
from vaehub_molecules.oracles.oracle import Oracle, as_float


@final
@dataclass(frozen=True)
class Product(Oracle):
    """Π max(0, s_i)^(w_i / Σ w) of the scores s_i."""

    name: str
    parts: tuple[Oracle, ...]
    weights: tuple[float, ...]

    @property
    def describe(self) -> str:
        """Every part on its own."""
        return "; ".join(
            f"{part.name}^{weight:g}: {part.describe}" for part, weight in zip(self.parts, self.weights, strict=True)
        )

    @property
    def code(self) -> str:
        """Of all parts that have some."""
        return " ".join(part.code for part in self.parts if part.code)

    def score(self, smiles: str) -> float:
        """The weighted geometric mean; 0 as soon as one score is not positive."""
        scores = [as_float(part.score(smiles)) for part in self.parts]
        return math.prod(math.pow(max(score, 0.0), weight) for score, weight in zip(scores, self.weights, strict=True))


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
    given = [1.0] * len(parts) if weights is None else list(weights)
    if not parts or len(given) != len(parts):
        raise UsageError(f"{len(parts)} objectives and {len(given)} weights; give one weight for every objective")
    if bad := [weight for weight in given if not 0 < weight < math.inf]:
        raise UsageError(f"weight {bad[0]:g} of an objective; weights must be positive")
    shares = tuple(weight / sum(given) for weight in given)
    name = " * ".join(f"{part.name}^{share:.3g}" for part, share in zip(parts, shares, strict=True))
    return Product(name, tuple(parts), shares)

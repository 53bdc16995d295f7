"""Weights of wide scale, such as seconds or plays, brought to one in which a few of them do not decide alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from vaehub import UsageError, arguments, hints

if TYPE_CHECKING:
    from vaehub import Json

Weights: TypeAlias = NDArray[np.float64]


@final
@dataclass(frozen=True)
class WeightTransform:
    """What the weight w of a pair counts, in units of the median u of all weights, so that seconds and milliseconds give the same lists.

    - log: log(1 + w/u) / log 2
    - cap: min(w, q) / u, q a percentile of all weights
    - confidence: (1 + alpha w/u) / (1 + alpha), as "Collaborative Filtering for Implicit Feedback Datasets" (Hu, Koren & Volinsky, 2008),
      doi:10.1109/ICDM.2008.22

    A median weight counts 1 with each of them. u and q are learnt where a model is fitted, of the interactions that
    are learnt from, and are used for histories and for later data as well.

    Arguments:
        kind: "log", "cap" or "confidence".
        alpha: of confidence.
        percentile: of cap, above 0 and at most 100.
        unit: u; None before it is fitted.
        most: q.

    Raises:
        UsageError: another kind, or a number out of its range.

    Example:
        >>> WeightTransform("log").fit(np.array([60.0, 120.0, 240.0]))(np.array([120.0, 360.0])).tolist()
        [1.0, 2.0]
        >>> WeightTransform("cap", percentile=50).fit(np.array([1.0, 2.0, 9.0]))(np.array([1.0, 9.0])).tolist()
        [0.5, 1.0]
    """

    kind: str
    alpha: float = 1.0
    percentile: float = 95.0
    unit: float | None = None
    most: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in FORMULAS:
            raise UsageError(f"weight_transform={self.kind!r}: {hints.did_you_mean(self.kind, FORMULAS)}")
        if not self.alpha > 0 or not 0 < self.percentile <= 100:
            raise UsageError(
                f"weight_transform: alpha={self.alpha}, percentile={self.percentile}: give alpha above 0, and a percentile above 0 and at most 100"
            )

    @staticmethod
    def of(given: str | WeightTransform | None) -> WeightTransform | None:
        """By its kind, or as it is. Raises UsageError for anything else."""
        if not isinstance(given, str | WeightTransform | None):
            raise arguments.wrong_argument("weight_transform", given, f"one of {', '.join(FORMULAS)} or a WeightTransform")
        return WeightTransform(given) if isinstance(given, str) else given

    def fit(self, weights: Weights) -> WeightTransform:
        """With unit and greatest weight of these (n,), where it has none."""
        if self.unit is not None:
            return self
        return replace(self, unit=float(np.median(weights)), most=float(np.percentile(weights, self.percentile)))

    def __call__(self, weights: NDArray[Any]) -> Weights:
        """What weights (n,) count, once it is fitted."""
        if self.unit is None or self.most is None:
            raise UsageError("weight_transform: not fitted yet; fit a model first")
        return FORMULAS[self.kind](self, weights.astype(np.float64), self.unit, self.most)

    def inverse(self, counts: NDArray[Any]) -> Weights:
        """The weights (n,) that count this much; of those that cap has cut off, the cap."""
        if self.unit is None:
            raise UsageError("weight_transform: not fitted yet; fit a model first")
        return INVERSES[self.kind](self, counts.astype(np.float64), self.unit).clip(np.finfo(np.float32).tiny)

    def to_json(self) -> Json:
        """As JSON."""
        return asdict(self)


Formula: TypeAlias = Callable[[WeightTransform, Weights, float, float], Weights]
FORMULAS: dict[str, Formula] = {
    "log": lambda how, weights, unit, most: np.log2(1 + weights / unit),
    "cap": lambda how, weights, unit, most: np.minimum(weights, most) / unit,
    "confidence": lambda how, weights, unit, most: (1 + how.alpha * weights / unit) / (1 + how.alpha),
}

INVERSES: dict[str, Callable[[WeightTransform, Weights, float], Weights]] = {
    "log": lambda how, counts, unit: unit * np.expm1(np.log(2) * counts),
    "cap": lambda how, counts, unit: unit * counts,
    "confidence": lambda how, counts, unit: unit * ((1 + how.alpha) * counts - 1) / how.alpha,
}

"""How like the training molecules drawn ones are, in figures and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean
from typing import final

COMPARED = {
    "mw": "weight",
    "logp": "logP",
    "qed": "QED",
    "sa": "SA",
}  # the properties that are compared, and what they are called
FEWER_KNOWN = (
    0.1  # share of molecules with unknown ring systems, beyond that of unseen molecules, above which a model is warned of
)
APART = 0.5  # standard deviations of W1 above which a model is warned of


@final
@dataclass(frozen=True)
class Likeness:
    """Drawn molecules beside training molecules.

    Arguments:
        count: molecules that were looked at.
        known_rings: share of them of which every ring system occurs among training molecules.
        unseen_share: the same share of unseen molecules that nobody drew: what is to be reached.
        distances: Wasserstein distance W1 of each property, in standard deviations of the training molecules.
        unknown: ring systems that do not occur, most frequent first.

    >>> Likeness(100, 0.41, 0.96, {"mw": 1.9, "logp": 1.2, "qed": 0.8, "sa": 0.4}, ()).line()
    'known ring systems 41.0% (unseen molecules 96.0%), W1 to training molecules in sd: weight 1.90, logP 1.20, QED 0.80, SA 0.40'
    """

    count: int
    known_rings: float
    unseen_share: float
    distances: Mapping[str, float]
    unknown: Sequence[str]

    @property
    def mean_distance(self) -> float:
        """Mean of the distances."""
        return fmean(self.distances.values())

    def line(self) -> str:
        """The figures in words."""
        if not self.count:
            return "known ring systems and W1: no valid molecule to measure"
        distances = ", ".join(f"{COMPARED[name]} {value:.2f}" for name, value in self.distances.items())
        rings = f"known ring systems {self.known_rings:.1%} (unseen molecules {self.unseen_share:.1%})"
        return f"{rings}, W1 to training molecules in sd: {distances}"

    @property
    def rings_are_odd(self) -> bool:
        """Whether more molecules than chance explains have ring systems that do not occur: n of them err by less than 1/√n."""
        return self.known_rings < self.unseen_share - FEWER_KNOWN - self.chance

    @property
    def odd_properties(self) -> list[str]:
        """Properties that are distributed otherwise, by more than chance explains: W1 of n molecules errs by less than 2/√n."""
        return [name for name, distance in self.distances.items() if distance > APART + 2 * self.chance]

    @property
    def chance(self) -> float:
        """1/√n."""
        return 1 / sqrt(max(self.count, 1))

    def warning(self) -> str:
        """What is wrong with drawn molecules, in a sentence; "" where nothing is."""
        faults = []
        if self.rings_are_odd:
            faults.append(
                f"{1 - self.known_rings:.0%} have ring systems that no training molecule has ({', '.join(self.unknown[:3])})"
            )
        if names := [COMPARED[name] for name in self.odd_properties]:
            faults.append(f"far from training molecules in {', '.join(names)}")
        if not faults:
            return ""
        return f"the drawn molecules are valid, but not like those trained on: {'; '.join(faults)}. See `vaehub doctor RUN`, or train longer"

"""Objectives with a direction or a transform: what is wanted of a value that is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from vaehub_molecules.oracles.oracle import Composed, Oracle
from vaehub_molecules.oracles.transforms import Transform

MINIMISE = "min:"  # before the name of an objective


@final
@dataclass(frozen=True)
class Transformed(Composed):
    """The desirability of a value. The value itself stays in the tables."""

    oracle: Oracle
    transform: Transform

    @property
    def name(self) -> str:  # type: ignore[override]  # it follows from its parts
        """NAME:TRANSFORM."""
        return f"{self.oracle.name}:{self.transform}"

    @property
    def label(self) -> str:
        """The same of the label."""
        return f"{self.oracle.label}:{self.transform}"

    @property
    def describe(self) -> str:
        """The transform, and what it is of."""
        return f"{type(self.transform).__name__.lower()} {self.transform} of {self.oracle.describe}"

    @property
    def made_of(self) -> tuple[Oracle, ...]:
        """The oracle."""
        return (self.oracle,)

    def of_parts(self, scores: Sequence[float]) -> float:
        """The transform of its score."""
        return self.transform(scores[0])


@final
@dataclass(frozen=True)
class Minimised(Composed):
    """-v of a value v, so that low values are the best. The value itself stays in the tables."""

    oracle: Oracle

    @property
    def name(self) -> str:  # type: ignore[override]  # it follows from its parts
        """min:NAME."""
        return MINIMISE + self.oracle.name

    @property
    def label(self) -> str:
        """The same of the label."""
        return MINIMISE + self.oracle.label

    @property
    def describe(self) -> str:
        """What is minimised."""
        return f"minus {self.oracle.describe}"

    @property
    def made_of(self) -> tuple[Oracle, ...]:
        """The oracle."""
        return (self.oracle,)

    def of_parts(self, scores: Sequence[float]) -> float:
        """Minus its score."""
        return -scores[0]

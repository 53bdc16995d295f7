"""What is maximised: one objective, a weighted product of several, or several at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

from vaehub import UsageError
from vaehub_molecules.oracles import Oracle, as_oracle, weighted
from vaehub_molecules.oracles.functions import Score
from vaehub_molecules.oracles.oracle import as_float

Objective: TypeAlias = str | Oracle | Score
COLUMNS = ("call", "smiles", "score", "front", "time", "by", "parent", "hit", "error")  # of the tables of a search


@final
@dataclass(frozen=True)
class Goal:
    """Canonical SMILES -> values to maximise."""

    names: tuple[str, ...]  # of all objectives
    oracles: tuple[Oracle, ...]  # one for each value: each objective, or the product of all

    def __call__(self, smiles: str) -> tuple[float, ...]:
        """The values of one molecule."""
        return tuple(as_float(oracle.score(smiles)) for oracle in self.oracles)

    @property
    def code(self) -> tuple[str, ...]:
        """Digests of the functions of the user's."""
        return tuple(oracle.code for oracle in self.oracles)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the values in tables; one that would be that of another column gets a word before it."""
        several = tuple(f"objective {name}" if name in COLUMNS else name for name in self.names)
        return several if len(self.oracles) > 1 else ("score",)


def goal_of(objective: Objective | Sequence[Objective], weights: Sequence[float] = ()) -> Goal:
    """The goal of what a user gave. Raises UsageError where an objective has no such name, or the weights do not fit."""
    oracles = [as_oracle(each) for each in objective] if isinstance(objective, (list, tuple)) else [as_oracle(objective)]  # type: ignore[arg-type]
    names = tuple(oracle.name for oracle in oracles)
    if not oracles:
        raise UsageError("objective: none is given; name at least one")
    if len(set(names)) < len(names):
        raise UsageError(f"objective: {', '.join(names)}: a name is given twice; give each objective once, under its own name")
    return Goal(names, (weighted(oracles, weights),) if weights else tuple(oracles))

"""What is maximised: one objective, a product or a sum of several, or several at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, final, get_args

from vaehub import UsageError, hints, jobs
from vaehub_molecules.oracles import Oracle, as_oracle, summed, weighted
from vaehub_molecules.oracles.functions import Score
from vaehub_molecules.oracles.oracle import as_float
from vaehub_molecules.oracles.transformed import Minimised

Objective: TypeAlias = str | Oracle | Score
Combination: TypeAlias = Literal["pareto", "product", "sum"]
COLUMNS = ("call", "smiles", "score", "front", "time", "by", "parent", "hit", "error")  # of the tables of a search


class Scores(NamedTuple):
    """What a call gives of one molecule: the values to maximise, and what was measured for them, where that is something else."""

    values: tuple[float, ...]
    measured: tuple[float, ...] = ()


@final
@dataclass(frozen=True)
class Goal:
    """Canonical SMILES -> values to maximise."""

    names: tuple[str, ...]  # of all objectives
    oracles: tuple[Oracle, ...]  # one for each value: each objective, or what several are combined to
    labels: tuple[str, ...]  # of all objectives, for tables
    combination: Combination = "pareto"

    def __call__(self, smiles: str) -> Scores:
        """The values of one molecule. Each oracle measures once, however often its value is needed."""
        return self._scores([as_float(each.score(smiles)) for each in self.measured])

    def of_batch(self, molecules: Sequence[str], folder: Path) -> list[jobs.Answer[Scores]]:
        """The values of several molecules, or why there are none. Raises what makes the whole call worthless; `folder` is for files."""
        columns = [each.scores(molecules, folder) for each in self.measured]
        answers = []
        for row in zip(*columns, strict=True):
            errors = [answer.error for answer in row if answer.failure]
            values = [answer.value for answer in row if answer.value is not None]
            answers.append(
                jobs.Answer[Scores](None, errors[0], jobs.Failure.RAISED) if errors else jobs.Answer(self._scores(values))
            )
        return answers

    def _scores(self, measured: Sequence[float]) -> Scores:
        """The values to maximise, from one value of each that is measured."""
        by_oracle = list(zip(self.measured, measured, strict=True))
        values = [
            oracle.combined([next(value for other, value in by_oracle if other == each) for each in oracle.measured])
            for oracle in self.oracles
        ]
        return Scores(tuple(values), tuple(measured) if self.measured != self.oracles else ())

    @cached_property
    def measured(self) -> tuple[Oracle, ...]:
        """What has to be measured, each once."""
        found: list[Oracle] = []
        for each in (each for oracle in self.oracles for each in oracle.measured):
            if each not in found:
                found.append(each)
        return tuple(found)

    @property
    def batched(self) -> bool:
        """Whether something takes many molecules in one call."""
        return any(each.batched for each in self.measured)

    @property
    def code(self) -> tuple[str, ...]:
        """Digests of what users wrote."""
        return tuple(oracle.code for oracle in self.oracles)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the values in tables; one that would be that of another column gets a word before it."""
        return column_names(self.labels) if len(self.oracles) > 1 else ("score",)

    @property
    def measured_columns(self) -> tuple[str, ...]:
        """Names of what is measured in tables, where that is something else than the values."""
        return column_names([each.label for each in self.measured]) if self.measured != self.oracles else ()


def column_names(labels: Sequence[str]) -> tuple[str, ...]:
    """Labels as names of columns, none of them that of another column, nor twice."""
    found: list[str] = []
    for label in labels:
        name = f"objective {label}" if label in COLUMNS else label
        found.append(name if name not in found else f"{name} {found.count(name) + 1}")
    return tuple(found)


def goal_of(
    objective: Objective | Sequence[Objective],
    weights: Sequence[float] = (),
    combination: Combination | None = None,
    minimise: bool = False,
) -> Goal:
    """The goal of what a user gave; several objectives with weights are a product where nothing else is said.

    Raises:
        UsageError: where an objective has no such name, or the weights or the combination do not fit.
    """
    oracles = [as_oracle(each) for each in objective] if isinstance(objective, (list, tuple)) else [as_oracle(objective)]  # type: ignore[arg-type]
    oracles = [Minimised(each) for each in oracles] if minimise else oracles
    names = tuple(oracle.name for oracle in oracles)
    if not oracles:
        raise UsageError("objective: none is given; name at least one")
    if len(set(names)) < len(names):
        raise UsageError(f"objective: {', '.join(names)}: a name is given twice; give each objective once, under its own name")
    chosen: Combination = combination or ("product" if weights else "pareto")
    if chosen not in get_args(Combination):
        raise UsageError(f"combine={chosen!r}: {hints.did_you_mean(str(chosen), get_args(Combination))}")
    if chosen == "pareto" and weights:
        raise UsageError(
            "weights are of a product or a sum; of a Pareto front there are none: leave them out, or combine otherwise"
        )
    values = {
        "pareto": lambda: oracles,
        "product": lambda: [weighted(oracles, weights or None)],
        "sum": lambda: [summed(oracles, weights or None)],
    }
    return Goal(names, tuple(values[chosen]()), tuple(oracle.label for oracle in oracles), chosen)

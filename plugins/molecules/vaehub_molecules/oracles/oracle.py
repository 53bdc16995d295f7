"""What an oracle is: a score of a molecule, the higher the better."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from vaehub import hints, jobs
from vaehub_molecules.chem.fingerprints import parse_molecule
from vaehub_molecules.oracles.terms import Term


class Oracle(ABC):
    """Scores molecules; picklable, so that worker processes can have one each."""

    name: str  # what a command line calls it
    batched: bool = False  # whether it takes many molecules in one call

    @property
    def label(self) -> str:
        """What its column in a table is called."""
        return self.name

    @property
    @abstractmethod
    def describe(self) -> str:
        """Its formula and source, for people."""

    @property
    def code(self) -> str:
        """A digest of what a user wrote, so that a search with a changed function is another search; "" where the name says all."""
        return ""

    @property
    def measured(self) -> tuple[Oracle, ...]:
        """What is measured for its score: itself, unless the score is made of other oracles'."""
        return (self,)

    def combined(self, values: Sequence[float]) -> float:
        """The score, from the values of what is measured."""
        (value,) = values
        return value

    @abstractmethod
    def score(self, smiles: str) -> float:
        """The score of a molecule in canonical SMILES. Raises whatever the scoring raises, ValueError where RDKit cannot read it."""

    def scores(self, molecules: Sequence[str], folder: Path) -> list[jobs.Answer[float]]:
        """The scores of several molecules, in order, each a value or why there is none.

        Arguments:
            molecules: N canonical SMILES.
            folder: for files that are needed no longer than the call.

        Raises:
            whatever makes the whole call worthless.
        """
        return [answer_of(self.score, smiles) for smiles in molecules]


class Composed(Oracle):
    """A score that is made of other oracles'."""

    @property
    @abstractmethod
    def made_of(self) -> tuple[Oracle, ...]:
        """The oracles that it is made of."""

    @abstractmethod
    def of_parts(self, scores: Sequence[float]) -> float:
        """The score, from those of the parts."""

    @property
    def measured(self) -> tuple[Oracle, ...]:
        """What is measured for all parts."""
        return tuple(each for part in self.made_of for each in part.measured)

    @property
    def code(self) -> str:
        """Of all parts that have some."""
        return " ".join(part.code for part in self.made_of if part.code)

    def combined(self, values: Sequence[float]) -> float:
        """The score, each part taking as many values as it measures."""
        left = iter(values)
        return self.of_parts([part.combined([next(left) for _ in part.measured]) for part in self.made_of])

    def score(self, smiles: str) -> float:
        """The score, of everything that is measured."""
        return self.combined([as_float(each.score(smiles)) for each in self.measured])


def answer_of(score: Callable[[Any], Any], given: Any) -> jobs.Answer[float]:
    """A score as a number, or why there is none."""
    try:
        return jobs.Answer(as_float(score(given)))
    except Exception as error:
        return jobs.Answer(None, hints.reason(error), jobs.Failure.RAISED)


def as_float(score: Any) -> float:
    """A score as a number; also an array, a tensor, a list or a column of one, as models of scikit-learn and PyTorch give.

    Raises:
        TypeError: where it is no number, or several; text is none, nor is True or False.

    >>> as_float(np.array([[0.5]]))
    0.5
    """
    try:
        single = np.ravel(score)[0] if np.ndim(score) and np.size(score) == 1 else score
        if isinstance(single, str | bytes | bool | np.bool_):
            raise TypeError
        return float(single)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"gave {hints.quoted(score)}, which is not one number") from error


@final
@dataclass(frozen=True)
class Formula(Oracle):
    """A term of the molecule, as RDKit reads it."""

    name: str
    term: Term
    source: str

    @property
    def describe(self) -> str:
        """The formula as it is computed, then the source."""
        return f"{self.term} ({self.source})"

    def score(self, smiles: str) -> float:
        """The value of the term. Raises ValueError where RDKit cannot read the molecule."""
        return self.term(parse_molecule(smiles))

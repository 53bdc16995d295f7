"""What an oracle is: a score of a molecule, the higher the better."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from vaehub import hints
from vaehub_molecules.chem.fingerprints import parse_molecule
from vaehub_molecules.oracles.terms import Term


class Oracle(ABC):
    """Scores molecules; picklable, so that worker processes can have one each."""

    name: str  # what a command line calls it

    @property
    @abstractmethod
    def describe(self) -> str:
        """Its formula and source, for people."""

    @property
    def code(self) -> str:
        """A digest of what a user wrote, so that a search with a changed function is another search; "" where the name says all."""
        return ""

    @abstractmethod
    def score(self, smiles: str) -> float:
        """The score of a molecule in canonical SMILES. Raises whatever the scoring raises, ValueError where RDKit cannot read it."""


def as_float(score: Any) -> float:
    """A score as a number; also an array, a tensor, a list or a column of one, as models of scikit-learn and PyTorch give.

    Raises:
        TypeError: where it is no number, or several.

    >>> as_float(np.array([[0.5]]))
    0.5
    """
    try:
        return float(np.ravel(score)[0] if np.ndim(score) and np.size(score) == 1 else score)
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

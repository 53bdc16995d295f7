"""Terms of terms: a value turned into a score in [0, 1], and several scores into one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from rdkit.Chem import Mol

from vaehub_molecules.oracles.terms import Term


@final
@dataclass(frozen=True)
class Near(Term):
    """exp(-((v - mean) / width)² / 2)."""

    term: Term
    mean: float
    width: float

    def __call__(self, mol: Mol) -> float:
        """1 at the mean."""
        return gaussian(self.term(mol), self.mean, self.width)

    def __str__(self) -> str:
        """near(v; mean, width)."""
        return f"near({self.term}; {self.mean:g}, {self.width:g})"


@final
@dataclass(frozen=True)
class AtMost(Term):
    """1 up to a limit, beyond it `Near`."""

    term: Term
    limit: float
    width: float

    def __call__(self, mol: Mol) -> float:
        """1 up to the limit."""
        return gaussian(max(self.term(mol), self.limit), self.limit, self.width)

    def __str__(self) -> str:
        """at_most(v; limit, width)."""
        return f"at_most({self.term}; {self.limit:g}, {self.width:g})"


@final
@dataclass(frozen=True)
class AtLeast(Term):
    """1 from a limit on, below it `Near`."""

    term: Term
    limit: float
    width: float

    def __call__(self, mol: Mol) -> float:
        """1 from the limit on."""
        return gaussian(min(self.term(mol), self.limit), self.limit, self.width)

    def __str__(self) -> str:
        """at_least(v; limit, width)."""
        return f"at_least({self.term}; {self.limit:g}, {self.width:g})"


@final
@dataclass(frozen=True)
class Clipped(Term):
    """min(1, max(0, v / enough))."""

    term: Term
    enough: float

    def __call__(self, mol: Mol) -> float:
        """1 where there is enough."""
        return min(1.0, max(0.0, self.term(mol) / self.enough))

    def __str__(self) -> str:
        """min(1, v / enough)."""
        return f"min(1, {self.term} / {self.enough:g})"


@final
@dataclass(frozen=True)
class GeometricMean(Term):
    """(Π v)^(1/n)."""

    terms: tuple[Term, ...]

    def __call__(self, mol: Mol) -> float:
        """The geometric mean."""
        return math.prod(term(mol) for term in self.terms) ** (1 / len(self.terms))

    def __str__(self) -> str:
        """The product under its root."""
        return f"[{' · '.join(map(str, self.terms))}]^(1/{len(self.terms)})"


@final
@dataclass(frozen=True)
class ArithmeticMean(Term):
    """Σ v / n."""

    terms: tuple[Term, ...]

    def __call__(self, mol: Mol) -> float:
        """The arithmetic mean."""
        return sum(term(mol) for term in self.terms) / len(self.terms)

    def __str__(self) -> str:
        """The sum over its number."""
        return f"[{' + '.join(map(str, self.terms))}] / {len(self.terms)}"


def gaussian(value: float, mean: float, width: float) -> float:
    """exp(-((value - mean) / width)² / 2)."""
    return math.exp(-0.5 * ((value - mean) / width) ** 2)

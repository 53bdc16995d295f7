"""Python functions of many molecules at once, as models of machine learning like them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, final

from vaehub import jobs
from vaehub_molecules.oracles.oracle import Oracle, answer_of, as_float

BatchScore: TypeAlias = Callable[[list[str]], Sequence[Any]]


@final
@dataclass(frozen=True)
class BatchFunction(Oracle):
    """A function of a list of canonical SMILES that gives as many numbers; it can still be called as a function."""

    name: str
    function: BatchScore
    batched = True

    def __call__(self, molecules: list[str]) -> Sequence[Any]:
        """What the function gives."""
        return self.function(molecules)

    @property
    def describe(self) -> str:
        """Its docstring."""
        return " ".join((self.function.__doc__ or "a function of the user's, of many molecules").split())

    @property
    def code(self) -> str:
        """By what it computes."""
        return jobs.digest_of_code(self.function)

    def score(self, smiles: str) -> float:
        """The number of one molecule."""
        return as_float(self.values([smiles])[0])

    def scores(self, molecules: Sequence[str], folder: Path) -> list[jobs.Answer[float]]:
        """The numbers of several molecules."""
        return [answer_of(as_float, value) for value in self.values(molecules)]

    def values(self, molecules: Sequence[str]) -> list[Any]:
        """What the function gives, one thing a molecule. Raises ValueError for more or fewer."""
        values = list(self.function(list(molecules)))
        if len(values) != len(molecules):
            raise ValueError(f"gave {len(values)} values for {len(molecules)} molecules")
        return values


def batch(function: BatchScore) -> BatchFunction:
    """Declare that a function takes a list of SMILES and gives a list of numbers: it is then called with many molecules at once.

    Arguments:
        function: canonical SMILES -> as many numbers, higher is better; an array or a tensor will do.

    >>> @batch
    ... def length(molecules):
    ...     return [len(smiles) for smiles in molecules]
    >>> length(["CCO", "C"]), length.score("CCO")
    ([3, 1], 3.0)
    """
    return BatchFunction(str(getattr(function, "__name__", type(function).__name__)), function)

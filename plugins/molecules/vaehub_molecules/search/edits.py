"""Edits of the molecular graph itself, for steps that no code lies next to; they need no model."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import final

from rdkit.Chem import Mol, MolFromSmiles, MolToSmiles

from vaehub_molecules.graphs import cross, mutate
from vaehub_molecules.search.method import SearchState
from vaehub_molecules.search.proposers import Draft, Parents, Proposer


@final
@dataclass(frozen=True)
class Mutation(Proposer):
    """A good molecule with one thing changed."""

    name: str = "edits"

    def draft(self, state: SearchState, parents: Parents, count: int) -> Draft:
        """Children of one parent each."""
        rng = Random(state.seed_of(self.name))
        chosen = parents.draw(count, state.rng(self.name))
        return Draft(chosen, texts=[smiles_of(mutate(MolFromSmiles(smiles), rng)) for smiles in chosen])


@final
@dataclass(frozen=True)
class Crossover(Proposer):
    """Parts of two good molecules joined; some of the children are mutated, too.

    Arguments:
        mutated: chance that a child is mutated.
    """

    mutated: float = 0.5
    name: str = "crossover"

    def draft(self, state: SearchState, parents: Parents, count: int) -> Draft:
        """Children of two parents each."""
        numbers, rng = state.rng(self.name), Random(state.seed_of(self.name))
        first, second = parents.draw(count, numbers), parents.draw(count, numbers)
        return Draft(first, texts=[self._child(a, b, rng) for a, b in zip(first, second, strict=True)])

    def _child(self, first: str, second: str, rng: Random) -> str:
        made = cross(MolFromSmiles(first), MolFromSmiles(second), rng)
        return smiles_of(mutate(made, rng) if made is not None and rng.random() < self.mutated else made)


def smiles_of(mol: Mol | None) -> str:
    """Its canonical SMILES, "" of none."""
    return "" if mol is None else str(MolToSmiles(mol))

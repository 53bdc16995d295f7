"""Edits of the molecular graph itself, for steps that no code lies next to."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import final

from rdkit.Chem import Mol, MolFromSmiles, MolToSmiles

from vaehub_molecules.graphs import cross, mutate
from vaehub_molecules.search.method import SearchState
from vaehub_molecules.search.proposers import Draft, Parents, Proposer

MUTATION_ONLY = 0.2  # share of candidates with one parent
MUTATION_AFTER_CROSSOVER = 0.5  # chance of a mutation after a crossover


@final
@dataclass(frozen=True)
class Edits(Proposer):
    """Crossover of two parents and mutation."""

    name: str = "edits"

    def draft(self, state: SearchState, parents: Parents, count: int) -> Draft:
        """Children of parents."""
        numbers, rng = state.rng(self.name), Random(state.seed_of(self.name))
        first, second = parents.at(parents.draw(count, numbers)), parents.at(parents.draw(count, numbers))
        return Draft(first, texts=[child(a, b, rng) for a, b in zip(first, second, strict=True)])


def child(first: str, second: str, rng: Random) -> str:
    """A molecule made of two, or of the first alone; "" where it came to nothing."""
    parent = MolFromSmiles(first)
    if rng.random() < MUTATION_ONLY:
        return smiles_of(mutate(parent, rng))
    made = cross(parent, MolFromSmiles(second), rng)
    return smiles_of(mutate(made, rng) if made is not None and rng.random() < MUTATION_AFTER_CROSSOVER else made)


def smiles_of(mol: Mol | None) -> str:
    """Its canonical SMILES."""
    return "" if mol is None else str(MolToSmiles(mol))

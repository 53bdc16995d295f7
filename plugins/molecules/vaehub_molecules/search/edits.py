"""Edits of the molecular graph itself, for steps that no code lies next to."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import final

from vaehub_molecules.search.buffer import Proposal
from vaehub_molecules.search.method import State
from vaehub_molecules.search.proposers import Parents, Proposer

ALONE = 0.2  # share of candidates with one parent
CHANGED = 0.5  # chance of a mutation after a crossover


@final
@dataclass(frozen=True)
class Edits(Proposer):
    """Crossover of two parents and mutation, by the library mol_ga.

    "A graph-based genetic algorithm and generative model/Monte Carlo tree search" (Jensen, 2019), doi:10.1039/C8SC05372C; "Genetic
    algorithms are strong baselines for molecule generation" (Tripp & Hernández-Lobato, 2023), arXiv:2310.09267.
    """

    name: str = "edits"

    def propose(self, state: State, parents: Parents, count: int) -> list[Proposal]:
        """Children of parents."""
        numbers, rng = state.rng(self.name), Random(state.seed_of(self.name))
        pairs = zip(parents.draw(count, numbers).tolist(), parents.draw(count, numbers).tolist(), strict=True)
        return [Proposal(child(parents.smiles[a], parents.smiles[b], rng), self.name, parents.smiles[a]) for a, b in pairs]


def child(first: str, second: str, rng: Random) -> str:
    """A molecule made of two, or of the first alone; "" where it came to nothing."""
    from mol_ga.graph_ga.gen_candidates import mutate, reproduce  # type: ignore[import-untyped]

    made = mutate(first, rng) if rng.random() < ALONE else reproduce(first, second, CHANGED, rng)
    return made or ""

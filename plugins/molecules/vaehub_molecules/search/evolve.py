"""Evolution in the latent: the best molecules so far are parents, their noised and mixed codes the children; no surrogate."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import final

from vaehub.base import Json
from vaehub_molecules.search.begin import begin
from vaehub_molecules.search.buffer import Proposal
from vaehub_molecules.search.method import Method, State
from vaehub_molecules.search.proposers import Around, Cross, Parents, Samples


@final
@dataclass(frozen=True)
class Evolve(Method):
    """Mutation and crossover of codes, truncation selection."""

    population: int = 100
    children: int = 100  # calls a generation

    def options(self) -> Json:
        """The sizes."""
        return asdict(self)

    def propose(self, state: State) -> list[Proposal]:
        """A generation: half mutated, half crossed."""
        if chosen := begin(state, self.population):
            return chosen
        parents = Parents.of(state.codec, state.elites(self.population))
        if not parents.smiles:
            return state.admit(Samples().propose(state, parents, self.children))
        mutated = state.admit(Around().propose(state, parents, 2 * self.children), self.children // 2)
        crossed = Cross().propose(state, parents, 2 * self.children)
        return state.admit([*mutated, *crossed], self.children)

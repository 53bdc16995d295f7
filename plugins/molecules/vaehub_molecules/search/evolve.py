"""Evolution in the latent: the best molecules so far are parents, their noised and mixed codes the children; no surrogate."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import final

from vaehub import Json
from vaehub_molecules.search.buffer import Proposal
from vaehub_molecules.search.initial import initial_proposals
from vaehub_molecules.search.latent_proposers import Around, Cross, Samples
from vaehub_molecules.search.method import Method, SearchState
from vaehub_molecules.search.proposers import Parents, proposals


@final
@dataclass(frozen=True)
class Evolve(Method):
    """Mutation and crossover of codes, truncation selection."""

    population: int = 100
    children: int = 100  # calls a generation

    def options(self) -> Json:
        """The sizes."""
        return asdict(self)

    def propose(self, state: SearchState) -> list[Proposal]:
        """A generation: half mutated, half crossed."""
        if chosen := initial_proposals(state, self.population):
            return chosen
        parents = Parents(state.elites(self.population), state.space)
        if not parents.readable:
            return state.admit(proposals([(Samples(), self.children)], state, parents))
        mutated = state.admit(proposals([(Around(), 2 * self.children)], state, parents), self.children // 2)
        crossed = proposals([(Cross(), 2 * self.children)], state, parents)
        return state.admit([*mutated, *crossed], self.children)

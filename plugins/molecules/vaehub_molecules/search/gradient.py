"""Ascent from many starts: the model alone says where to go, the objective only judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import final

from vaehub import Json, UsageError
from vaehub_molecules.search.ascent import Ascent
from vaehub_molecules.search.buffer import Proposal
from vaehub_molecules.search.heads import OwnHeads, head_columns
from vaehub_molecules.search.method import Method, SearchState
from vaehub_molecules.search.proposers import Parents

LONG = Ascent()


@final
@dataclass(frozen=True)
class Gradient(Method):
    """Each round climbs from `starts` molecules: the leads, else of the pool; then half from the best so far. Starts are called too."""

    starts: int = 40
    ascent: Ascent = LONG

    def options(self) -> Json:
        """Everything that decides the paths."""
        return asdict(self)

    def start(self, state: SearchState) -> None:
        """Raise UsageError where the model has no head for an objective."""
        if not head_columns(state.space, state.objectives):
            heads = ", ".join(state.space.property_names) or "none"
            wanted = ", ".join(state.objectives)
            raise UsageError(
                f"method=gradient: the model predicts {heads}, not {wanted}; train it with that property, or use hybrid"
            )

    def propose(self, state: SearchState) -> list[Proposal]:
        """The starts that were not called yet, and what ascent makes of each."""
        starts = self._starts(state)
        parents = Parents(starts, state.space)
        if not parents.readable:
            return state.admit([Proposal(smiles, "start") for smiles in starts])
        seed = state.seed_of("gradient")
        heads = OwnHeads.of(state.space, head_columns(state.space, state.objectives), seed)
        paths = self.ascent.paths(state.space, parents.codes, heads, seed)
        texts = [state.space.molecules(z, seed=state.seed) for z in reversed(paths)]
        children = [Proposal(t, "gradient", p) for row in texts for t, p in zip(row, parents.readable, strict=True) if t != p]
        return state.admit([*(Proposal(smiles, "start") for smiles in starts if smiles not in state.buffer), *children])

    def _starts(self, state: SearchState) -> Sequence[str]:
        """Molecules to climb from in this round."""
        if state.round == 0 and state.leads:
            return state.leads
        best = state.elites(self.starts // 2)
        others = state.pool.random_places(self.starts - len(best), state.rng("starts"))
        return list(dict.fromkeys([*best, *(state.pool.smiles[i] for i in others)]))

"""Proposers of the model: codes near those of good molecules, between them, from the prior, and along an ascent."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
import torch

from vaehub_molecules.search.ascent import Ascent
from vaehub_molecules.search.heads import AscentHeads, FittedHeads, OwnHeads, head_columns
from vaehub_molecules.search.method import SearchState
from vaehub_molecules.search.proposers import Draft, Parents, Proposer

SHORT = Ascent(steps=15, stops=3)


class LatentProposer(Proposer):
    """A proposer whose molecules the model writes; it has no part in a search without one."""

    def fits(self, state: SearchState) -> bool:
        """Whether there is a model."""
        return state.model is not None

    @abstractmethod
    def draft(self, state: SearchState, parents: Parents, count: int) -> Draft:
        """About `count` codes."""


@final
@dataclass(frozen=True)
class Around(LatentProposer):
    """z + r s e: noise around a parent, of a radius r drawn log-uniformly, in units of the spread s of codes."""

    nearest: float = 0.3
    farthest: float = 1.5
    temperatures: tuple[float, ...] = (0.0, 0.7)
    name: str = "around"

    def draft(self, state: SearchState, parents: Parents, count: int) -> Draft:
        """Noised parents."""
        rng = state.rng(self.name)
        z, smiles = parents.draw_codes(count, rng)
        radii = np.exp(rng.uniform(np.log(self.nearest), np.log(self.farthest), (len(z), 1)))
        return Draft(smiles, z + torch.from_numpy(radii).to(z) * parents.noise(len(z), rng), self.temperatures)


@final
@dataclass(frozen=True)
class Cross(LatentProposer):
    """A code between two parents: each dimension from one or the other, or a point on the line, and a little noise."""

    jitter: float = 0.3
    temperatures: tuple[float, ...] = (0.3, 0.8)
    name: str = "cross"

    def draft(self, state: SearchState, parents: Parents, count: int) -> Draft:
        """Mixed parents."""
        rng = state.rng(self.name)
        (z, smiles), (other, _) = parents.draw_codes(count, rng), parents.draw_codes(count, rng)
        share = np.where(rng.random((len(z), 1)) < 0.5, rng.random((len(z), 1)), rng.random(z.shape) < 0.5)
        weight = torch.from_numpy(share).to(z)
        mixed = weight * z + (1 - weight) * other + self.jitter * parents.noise(len(z), rng)
        return Draft(smiles, mixed, self.temperatures)


@final
@dataclass(frozen=True)
class Samples(LatentProposer):
    """Draws of the model, which has been tuned on the best molecules, from its prior."""

    temperature: float = 1.0
    name: str = "samples"

    def draft(self, state: SearchState, parents: Parents, count: int) -> Draft:
        """Draws of the prior."""
        return Draft([""] * count, parents.space.prior(count, state.seed_of(self.name)), (self.temperature,))


@final
@dataclass(frozen=True)
class Climb(LatentProposer):
    """Ascent from parents: of the model's own property heads where it has one for each objective, else of heads fitted to the calls so far.

    Arguments:
        ascent: how far and how fast.
        learnt_from: calls that heads are fitted to: half the best, half the latest.
    """

    ascent: Ascent = SHORT
    learnt_from: int = 300
    name: str = "gradient"

    def draft(self, state: SearchState, parents: Parents, count: int) -> Draft:
        """Codes along the ascent."""
        z, smiles = parents.draw_codes(-(-count // self.ascent.stops), state.rng(self.name))
        if not smiles:
            return Draft([], z)
        paths = self.ascent.paths(parents.space, z, self._heads(state, parents), state.seed_of(self.name))
        return Draft(smiles * len(paths), torch.cat(paths))

    def _heads(self, state: SearchState, parents: Parents) -> AscentHeads:
        if columns := head_columns(parents.space, state.objectives):
            return OwnHeads.of(parents.space, columns, state.seed_of(self.name))
        y, half = state.targets(), self.learnt_from // 2
        chosen = dict.fromkeys([*np.argsort(-y, kind="stable")[:half].tolist(), *range(max(0, len(y) - half), len(y))])
        rows = [row for row in chosen if parents.space.can_read(state.buffer.calls[row].smiles)]
        return FittedHeads.of(parents.space, [state.buffer.calls[row].smiles for row in rows], y[rows])

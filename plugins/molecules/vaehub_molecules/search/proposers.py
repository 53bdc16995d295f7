"""Where new molecules come from: each draws codes near those of good molecules and has the model write them.

Letters of shapes: N molecules, L latent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
import torch
from torch import Tensor

from vaehub_molecules.search.ascent import Ascent, head_columns
from vaehub_molecules.search.buffer import Proposal
from vaehub_molecules.search.method import SearchState

if TYPE_CHECKING:
    from vaehub_molecules.use.latent_space import LatentSpace

SHORT = Ascent(steps=15, stops=3)
PRIOR = 512  # draws by which the spread of codes is measured


@final
@dataclass(frozen=True)
class Parents:
    """Good molecules, best first, as a model sees them."""

    space: LatentSpace
    smiles: list[str]
    codes: Tensor  # (N, L)
    spread: Tensor  # (L,) standard deviation of codes under the prior
    decay: float  # the chance of rank i is in proportion to 1 / (decay N + i)

    @classmethod
    def of(cls, space: LatentSpace, molecules: Sequence[str], decay: float = 0.05) -> Parents:
        """Those that the model can read."""
        readable = [smiles for smiles in molecules if space.can_read(smiles)]
        prior = space.prior(PRIOR, 0)
        codes = space.encode(readable) if readable else prior[:0]
        return cls(space, readable, codes, prior.std(0), decay)

    def draw(self, count: int, rng: np.random.Generator) -> Tensor:
        """Places (count,) of parents, better ones more often."""
        chances = 1 / (self.decay * len(self.smiles) + np.arange(len(self.smiles)))
        return torch.from_numpy(rng.choice(len(self.smiles), count, p=chances / chances.sum())).to(self.codes.device)

    def at(self, places: Tensor) -> list[str]:
        """The molecules at these places."""
        return [self.smiles[place] for place in places.tolist()]

    def noise(self, count: int, rng: np.random.Generator) -> Tensor:
        """Standard normal (count, L) in units of the spread of codes."""
        return standard_normal((count, len(self.spread)), rng).to(self.codes) * self.spread


@final
@dataclass(frozen=True)
class Draft:
    """Molecules that a proposer wants: codes that are still to be written, or, from one that needs no model, what it wrote itself."""

    parents: Sequence[str]  # N, "" where there is none
    z: Tensor | None = None  # (N, L)
    temperatures: Sequence[float] = (0.0,)  # of rows by turns
    texts: Sequence[str] = ()  # N, where there is no z

    def row_temperatures(self) -> Tensor:
        """The temperature of every row (N,)."""
        return torch.tensor(self.temperatures).repeat(-(-len(self.parents) // len(self.temperatures)))[: len(self.parents)]


class Proposer(ABC):
    """A source of molecules."""

    name: str

    def fits(self, state: SearchState) -> bool:
        """Whether it can work with this model and objective."""
        return True

    @abstractmethod
    def draft(self, state: SearchState, parents: Parents, count: int) -> Draft:
        """About `count` molecules."""


def proposals(sources: Sequence[tuple[Proposer, int]], state: SearchState, parents: Parents) -> list[Proposal]:
    """So many molecules of each source, those of codes written all at once; "" where the model wrote nothing valid."""
    drafts = [source.draft(state, parents, count) for source, count in sources]
    texts = iter(decoded([draft for draft in drafts if draft.z is not None], state, parents))
    return [
        Proposal(text, source.name, parent)
        for (source, _), draft in zip(sources, drafts, strict=True)
        for parent, text in zip(draft.parents, draft.texts if draft.z is None else texts, strict=False)
    ]


def decoded(drafts: Sequence[Draft], state: SearchState, parents: Parents) -> list[str]:
    """What the model makes of codes, one draft after another."""
    if not drafts:
        return []
    z, row_temperatures = (
        torch.cat([draft.z for draft in drafts if draft.z is not None]),
        torch.cat([draft.row_temperatures() for draft in drafts]),
    )
    return parents.space.molecules(z, row_temperatures, state.seed_of("written"))


@final
@dataclass(frozen=True)
class Around(Proposer):
    """z + r s e: noise around a parent, of a radius r drawn log-uniformly, in units of the spread s of codes."""

    nearest: float = 0.3
    farthest: float = 1.5
    temperatures: tuple[float, ...] = (0.0, 0.7)
    name: str = "around"

    def draft(self, state: SearchState, parents: Parents, count: int) -> Draft:
        """Noised parents."""
        rng = state.rng(self.name)
        places = parents.draw(count, rng)
        radii = np.exp(rng.uniform(np.log(self.nearest), np.log(self.farthest), (count, 1)))
        z = parents.codes[places] + torch.from_numpy(radii).to(parents.codes) * parents.noise(count, rng)
        return Draft(parents.at(places), z, self.temperatures)


@final
@dataclass(frozen=True)
class Cross(Proposer):
    """A code between two parents: each dimension from one or the other, or a point on the line, and a little noise."""

    jitter: float = 0.3
    temperatures: tuple[float, ...] = (0.3, 0.8)
    name: str = "cross"

    def draft(self, state: SearchState, parents: Parents, count: int) -> Draft:
        """Mixed parents."""
        rng = state.rng(self.name)
        first, second = parents.draw(count, rng), parents.draw(count, rng)
        share = np.where(rng.random((count, 1)) < 0.5, rng.random((count, 1)), rng.random((count, len(parents.spread))) < 0.5)
        weight = torch.from_numpy(share).to(parents.codes)
        z = weight * parents.codes[first] + (1 - weight) * parents.codes[second] + self.jitter * parents.noise(count, rng)
        return Draft(parents.at(first), z, self.temperatures)


@final
@dataclass(frozen=True)
class Samples(Proposer):
    """Draws of the model, which has been tuned on the best molecules, from its prior."""

    temperature: float = 1.0
    name: str = "samples"

    def draft(self, state: SearchState, parents: Parents, count: int) -> Draft:
        """Draws of the prior."""
        return Draft([""] * count, parents.space.prior(count, state.seed_of(self.name)), (self.temperature,))


@final
@dataclass(frozen=True)
class Climb(Proposer):
    """Ascent of the model's own property heads from parents, where it has heads for all objectives."""

    ascent: Ascent = SHORT
    name: str = "gradient"

    def fits(self, state: SearchState) -> bool:
        """Whether there are heads to climb."""
        return bool(head_columns(state.space, state.objectives))

    def draft(self, state: SearchState, parents: Parents, count: int) -> Draft:
        """Codes along the ascent."""
        places = parents.draw(-(-count // self.ascent.stops), state.rng(self.name))
        columns = head_columns(parents.space, state.objectives)
        paths = self.ascent.paths(parents.space, parents.codes[places], columns, state.seed_of(self.name))
        return Draft(parents.at(places.repeat(len(paths))), torch.cat(paths))


def standard_normal(shape: tuple[int, ...], rng: np.random.Generator) -> Tensor:
    """Standard normal numbers."""
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))

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

from vaehub_molecules.search.ascent import Ascent, columns_of
from vaehub_molecules.search.buffer import Proposal
from vaehub_molecules.search.method import State

if TYPE_CHECKING:
    from vaehub_molecules.use.codec import Codec

SHORT = Ascent(steps=15, stops=3)
PRIOR = 512  # draws by which the spread of codes is measured


@final
@dataclass(frozen=True)
class Parents:
    """Good molecules, best first, as a model sees them."""

    codec: Codec
    smiles: list[str]
    codes: Tensor  # (N, L)
    spread: Tensor  # (L,) standard deviation of codes under the prior
    decay: float  # the chance of rank i is in proportion to 1 / (decay N + i)

    @classmethod
    def of(cls, codec: Codec, molecules: Sequence[str], decay: float = 0.05) -> Parents:
        """Those that the model can read."""
        known = [smiles for smiles in molecules if codec.knows(smiles)]
        prior = codec.prior(PRIOR, 0)
        codes = codec.encode(known) if known else prior[:0]
        return cls(codec, known, codes, prior.std(0), decay)

    def draw(self, count: int, rng: np.random.Generator) -> Tensor:
        """Places (count,) of parents, better ones more often."""
        chances = 1 / (self.decay * len(self.smiles) + np.arange(len(self.smiles)))
        return torch.from_numpy(rng.choice(len(self.smiles), count, p=chances / chances.sum())).to(self.codes.device)

    def noise(self, count: int, rng: np.random.Generator) -> Tensor:
        """Standard normal (count, L) in units of the spread of codes."""
        return normal((count, len(self.spread)), rng).to(self.codes) * self.spread


class Proposer(ABC):
    """A source of molecules, which are neither canonical nor known to be valid."""

    name: str

    def fits(self, state: State) -> bool:
        """Whether it can work with this model and objective."""
        return True

    @abstractmethod
    def propose(self, state: State, parents: Parents, count: int) -> list[Proposal]:
        """About `count` molecules; "" where the model wrote nothing valid."""


@final
@dataclass(frozen=True)
class Around(Proposer):
    """z + r s e: noise around a parent, of a radius r drawn log-uniformly, in units of the spread s of codes."""

    nearest: float = 0.3
    farthest: float = 1.5
    temperatures: tuple[float, ...] = (0.0, 0.7)
    name: str = "around"

    def propose(self, state: State, parents: Parents, count: int) -> list[Proposal]:
        """Decodes of noised parents."""
        rng = state.rng(self.name)
        places = parents.draw(count, rng)
        radii = np.exp(rng.uniform(np.log(self.nearest), np.log(self.farthest), (count, 1)))
        z = parents.codes[places] + torch.from_numpy(radii).to(parents.codes) * parents.noise(count, rng)
        return written(parents, z, places, self, self.temperatures, state)


@final
@dataclass(frozen=True)
class Cross(Proposer):
    """A code between two parents: each dimension from one or the other, or a point on the line, and a little noise."""

    jitter: float = 0.3
    temperatures: tuple[float, ...] = (0.3, 0.8)
    name: str = "cross"

    def propose(self, state: State, parents: Parents, count: int) -> list[Proposal]:
        """Decodes of mixed parents."""
        rng = state.rng(self.name)
        first, second = parents.draw(count, rng), parents.draw(count, rng)
        share = np.where(rng.random((count, 1)) < 0.5, rng.random((count, 1)), rng.random((count, len(parents.spread))) < 0.5)
        weight = torch.from_numpy(share).to(parents.codes)
        z = weight * parents.codes[first] + (1 - weight) * parents.codes[second] + self.jitter * parents.noise(count, rng)
        return written(parents, z, first, self, self.temperatures, state)


@final
@dataclass(frozen=True)
class Samples(Proposer):
    """Draws of the model, which has been tuned on the best molecules, from its prior."""

    temperature: float = 1.0
    name: str = "samples"

    def propose(self, state: State, parents: Parents, count: int) -> list[Proposal]:
        """Decodes of the prior."""
        seed = state.seed_of(self.name)
        z = parents.codec.prior(count, seed)
        return [Proposal(smiles, self.name) for smiles in parents.codec.molecules(z, temperature=self.temperature, seed=seed)]


@final
@dataclass(frozen=True)
class Climb(Proposer):
    """Ascent of the model's own property heads from parents, where it has heads for all objectives."""

    ascent: Ascent = SHORT
    name: str = "gradient"

    def fits(self, state: State) -> bool:
        """Whether there are heads to climb."""
        return bool(columns_of(state.codec, state.objectives))

    def propose(self, state: State, parents: Parents, count: int) -> list[Proposal]:
        """Decodes along the ascent."""
        places = parents.draw(-(-count // self.ascent.stops), state.rng(self.name))
        columns = columns_of(parents.codec, state.objectives)
        paths = self.ascent.paths(parents.codec, parents.codes[places], columns, state.seed_of(self.name))
        return written(parents, torch.cat(paths), places.repeat(len(paths)), self, (0.0,), state)


def written(
    parents: Parents, z: Tensor, places: Tensor, by: Proposer, temperatures: Sequence[float], state: State
) -> list[Proposal]:
    """Decodes of codes (N, L), an equal share at each temperature, with the parents whose places are given."""
    out: list[Proposal] = []
    for k, temperature in enumerate(temperatures):
        part = slice(k, None, len(temperatures))
        texts = parents.codec.molecules(z[part], temperature=temperature, seed=state.seed_of(f"{by.name}{k}"))
        out += [Proposal(text, by.name, parents.smiles[i]) for text, i in zip(texts, places[part].tolist(), strict=True)]
    return out


def normal(shape: tuple[int, ...], rng: np.random.Generator) -> Tensor:
    """Standard normal numbers."""
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))

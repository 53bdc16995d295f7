"""What a proposer is: a source of new molecules, made of the good ones so far."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaehub import UsageError
from vaehub_molecules.search.buffer import Proposal
from vaehub_molecules.search.method import NO_MODEL, SearchState
from vaehub_molecules.search.surrogate import Surrogate

if TYPE_CHECKING:
    from vaehub_molecules.use.latent_space import LatentSpace

PRIOR = 512  # draws by which the spread of codes is measured


@final
@dataclass(frozen=True)
class Parents:
    """Good molecules, best first, and what is known of them.

    Arguments:
        smiles: the molecules.
        model: that may write others, where there is one.
        surrogate: of the calls so far, where there is one.
        decay: the chance of rank i among N is in proportion to 1 / (decay N + i).
    """

    smiles: Sequence[str]
    model: LatentSpace | None = None
    surrogate: Surrogate | None = None
    decay: float = 0.05

    def ranks(self, among: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Ranks (count,) among so many, low ones more often; (0,) where there is none."""
        if not among:
            return np.zeros(0, dtype=np.int64)
        chances = 1 / (self.decay * among + np.arange(among))
        return rng.choice(among, count, p=chances / chances.sum())

    def draw(self, count: int, rng: np.random.Generator) -> list[str]:
        """So many of the molecules, better ones more often; none where there is none."""
        return [self.smiles[rank] for rank in self.ranks(len(self.smiles), count, rng)]

    @property
    def space(self) -> LatentSpace:
        """The model. Raises UsageError where there is none."""
        if self.model is None:
            raise UsageError(NO_MODEL)
        return self.model

    @cached_property
    def readable(self) -> list[str]:
        """Those that the model can read."""
        return [smiles for smiles in self.smiles if self.space.can_read(smiles)]

    @cached_property
    def codes(self) -> Tensor:
        """(N, L) of those that the model can read."""
        return self.space.encode(self.readable) if self.readable else self.spread.new_empty(0, len(self.spread))

    @cached_property
    def spread(self) -> Tensor:
        """(L,) standard deviation of codes under the prior."""
        return self.space.prior(PRIOR, 0, rereads=0).std(0)

    def draw_codes(self, count: int, rng: np.random.Generator) -> tuple[Tensor, list[str]]:
        """Codes (count, L) of parents, better ones more often, and their molecules; (0, L) where there is none."""
        ranks = self.ranks(len(self.readable), count, rng)
        return self.codes[torch.from_numpy(ranks).to(self.codes.device)], [self.readable[rank] for rank in ranks]

    def noise(self, count: int, rng: np.random.Generator) -> Tensor:
        """Standard normal (count, L) in units of the spread of codes."""
        return torch.from_numpy(rng.standard_normal((count, len(self.spread)), dtype=np.float32)).to(self.spread) * self.spread


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

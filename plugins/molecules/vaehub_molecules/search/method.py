"""What a search method is, and what it may know."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, final

import numpy as np

from vaehub import Json, UsageError
from vaehub_molecules.chem.canonical import canonical_or_empty
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.search.buffer import Buffer, Floats, Proposal
from vaehub_molecules.search.constraints import Constraints
from vaehub_molecules.search.pareto import chebyshev

if TYPE_CHECKING:
    from vaehub_molecules.search.pool import Pool
    from vaehub_molecules.use.latent_space import LatentSpace

NO_MODEL = "run: this method needs a model; give one, or use hybrid, which can do with a pool and edits"


class Method(ABC):
    """Proposes what to score next, as a function of the state alone: a killed search then goes on as if nothing had been.

    >>> class Screen(Method):
    ...     def propose(self, state):
    ...         return state.admit([Proposal(smiles, "screen") for smiles in state.pool.smiles], state.calls_left)
    >>> Screen().options()
    {}
    """

    def start(self, state: SearchState) -> None:
        """Called before the first round: forget an earlier search. Raises UsageError where this model or objective does not fit."""

    def options(self) -> Json:
        """What it was made with: a search that is taken up again must have the same."""
        return {}

    @abstractmethod
    def propose(self, state: SearchState) -> Sequence[Proposal]:
        """Molecules that `state.admit` let through, the most promising first; at most `state.calls_left` of them are scored.

        What it draws comes from `state.rng` or `state.seed_of`. What it keeps must follow from the calls so far (a model tuned on them).
        """


@final
@dataclass
class SearchState:
    """A search as it stands at the start of a round."""

    model: LatentSpace | None  # None: a search with pool and edits alone
    objectives: tuple[str, ...]  # their names
    leads: tuple[str, ...]
    pool: Pool
    constraints: Constraints
    policy: Policy
    seed: int
    budget: int
    buffer: Buffer = field(default_factory=Buffer)
    round: int = 0
    batches: list[int] = field(default_factory=list)  # number of calls in each round so far
    _admissible: set[str] = field(default_factory=set)  # molecules known to be within the constraints

    @property
    def space(self) -> LatentSpace:
        """The model. Raises UsageError where there is none."""
        if self.model is None:
            raise UsageError(NO_MODEL)
        return self.model

    @property
    def calls_left(self) -> int:
        """Calls that are left."""
        return self.budget - len(self.buffer)

    def seed_of(self, purpose: str) -> int:
        """A seed that depends on the search's seed, the round and the purpose only."""
        return int(self._sequence(purpose).generate_state(1, np.uint32)[0])

    def rng(self, purpose: str) -> np.random.Generator:
        """Random numbers that depend on the search's seed, the round and the purpose only."""
        return np.random.default_rng(self._sequence(purpose))

    def _sequence(self, purpose: str) -> np.random.SeedSequence:
        return np.random.SeedSequence([self.seed, self.round, zlib.crc32(purpose.encode())])

    def targets(self, end: int | None = None) -> Floats:
        """(N,) what to maximise, of the first `end` calls; failed calls get the worst value seen, several objectives a weighting that turns."""
        values = self.buffer.values()[:end]
        if np.isnan(values).all():
            return np.zeros(len(values))
        weights = np.random.default_rng([self.seed, len(values)]).dirichlet(np.ones(values.shape[1]))
        scores = chebyshev(values, weights)
        return np.where(np.isnan(scores), np.nanmin(scores), scores)

    @property
    def standing(self) -> str:
        """How the search stands, for a line of progress: the best value of each objective."""
        values = self.buffer.values()
        if np.isnan(values).all():
            return "no value yet"
        return f"best {', '.join(f'{value:.4g}' for value in np.nanmax(values, 0))}"

    def elites(self, count: int, end: int | None = None) -> list[str]:
        """The best molecules so far, best first; the leads stand in where there are too few."""
        answered = [i for i, call in enumerate(self.buffer.calls[:end]) if not call.answer.error]
        scores = self.targets(end)
        best = sorted(answered, key=lambda i: (-scores[i], i))[:count]
        found = [self.buffer.calls[i].smiles for i in best]
        present = set(found)
        return found + [lead for lead in self.leads if lead not in present][: count - len(found)]

    def admit(self, proposals: Iterable[Proposal], limit: int | None = None) -> list[Proposal]:
        """Those of canonical proposals that may be called, each once: valid (not ""), not called before, within the constraints.

        The others are counted by reason. Looks at no more once there are `limit`.
        """
        out: dict[str, Proposal] = {}
        for proposal in proposals:
            if limit is not None and len(out) >= limit:
                break
            if reason := self._refusal(proposal.smiles, out):
                self.buffer.refusals[reason] += 1
            else:
                out[proposal.smiles] = proposal
        return list(out.values())

    def admit_untrusted(self, proposals: Sequence[Proposal]) -> list[Proposal]:
        """`admit` for what a method put forward, of which nothing is taken on trust."""
        smiles = canonical_or_empty([proposal.smiles for proposal in proposals], self.policy)
        return self.admit([replace(p, smiles=s) for p, s in zip(proposals, smiles, strict=True)], self.calls_left)

    def _refusal(self, smiles: str, chosen: Container[str]) -> str:
        """Why a molecule may not be called, "" where it may."""
        if not smiles:
            return "invalid"
        if smiles in self.buffer or smiles in chosen:
            return "duplicate"
        if smiles not in self._admissible:
            if reason := self.constraints.violation(smiles):
                return reason
            self._admissible.add(smiles)
        return ""

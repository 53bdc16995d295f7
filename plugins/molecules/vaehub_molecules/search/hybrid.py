"""The default: the model proposes around the best molecules, a Gaussian process on fingerprints chooses, the model learns from the best.

After "Return of the Latent Space COWBOYS" (Moss et al., 2025), arXiv:2507.03910: the surrogate sees molecules, not codes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from vaehub import Json
from vaehub_molecules.chem.fingerprints import fingerprints
from vaehub_molecules.search.buffer import Proposal
from vaehub_molecules.search.decoration import Decorations
from vaehub_molecules.search.edits import Edits
from vaehub_molecules.search.initial import initial_calls, initial_proposals, pool_places
from vaehub_molecules.search.method import Method, SearchState
from vaehub_molecules.search.pool import FingerprintCache
from vaehub_molecules.search.proposers import Around, Climb, Cross, Parents, Proposer, Samples, proposals
from vaehub_molecules.search.surrogate import Surrogate, fit, ucb_batch

if TYPE_CHECKING:
    from vaehub_molecules.use.latent_space import LatentSpace

PROPOSERS: tuple[Proposer, ...] = (Around(), Cross(), Samples(), Climb(), Edits(), Decorations())


@final
@dataclass(frozen=True)
class HybridOptions:
    """What a hybrid search can be set by."""

    initial: int = 200  # calls before there is a surrogate; a tenth of the budget where that is less
    batch: int = 50  # calls a round …
    growth: float = 0.02  # … or this share of the calls so far, where that is more
    candidates: int = 1000  # that the model writes a round
    screen: int = 20_000  # molecules of the pool that the surrogate ranks
    screens: int = 6  # rounds in which it does so
    elites: int = 100  # parents
    best: int = 800  # calls that the surrogate learns from: the best …
    latest: int = 400  # … and the latest
    boldest: float = 1.0  # standard deviations that the boldest place of a batch adds to the mean
    tune_every: int = 500  # calls between tunings of the model
    tune_on: int = 200  # best molecules that it is tuned on
    tune_steps: int = 40
    tune_rate: float = 3e-4
    floor: float = 0.1  # the least share of candidates that a proposer gets
    memory: int = 600  # latest calls by which success is judged


@final
class Hybrid(Method):
    """Candidates of several proposers, each with a share that follows its success, ranked by upper confidence bounds.

    Arguments:
        settings: sizes of batches, of the surrogate and of the tuning.
        proposers: where candidates come from.

    >>> Hybrid(HybridOptions(batch=90)).options()["batch"]
    90
    """

    def __init__(self, settings: HybridOptions = HybridOptions(), proposers: Sequence[Proposer] = PROPOSERS) -> None:
        self.settings, self.proposers = settings, proposers
        self._tuned: tuple[int, LatentSpace] | None = None
        self._fingerprints = FingerprintCache()

    def start(self, state: SearchState) -> None:
        """Forget what was learnt in an earlier search."""
        self._tuned, self._fingerprints = None, FingerprintCache()

    def options(self) -> Json:
        """All settings, and the proposers."""
        return asdict(self.settings) | {"proposers": [repr(proposer) for proposer in self.proposers]}

    def propose(self, state: SearchState) -> list[Proposal]:
        """Begin with leads and the pool, then rank candidates."""
        if (chosen := initial_proposals(state, self.settings.initial)) or not len(state.buffer):
            return chosen
        surrogate = self._surrogate(state)
        candidates = state.admit(self._candidates(state))
        if self._screens_pool(state):
            candidates = state.admit([*candidates, *self._best_of_pool(state, surrogate)])
        if not candidates:
            return []
        mean, deviation = surrogate.predict(fingerprints([proposal.smiles for proposal in candidates]))
        count = max(self.settings.batch, int(self.settings.growth * len(state.buffer)))
        return [candidates[i] for i in ucb_batch(mean, deviation, count, self.settings.boldest)]

    def _screens_pool(self, state: SearchState) -> bool:
        """Whether the pool is still screened in this round."""
        return int((np.cumsum(state.batches) > initial_calls(state, self.settings.initial)).sum()) < self.settings.screens

    def _best_of_pool(self, state: SearchState, surrogate: Surrogate) -> list[Proposal]:
        """The most promising molecules of the pool."""
        places = pool_places(state, self.settings.screen)
        if not places:
            return []
        mean, deviation = surrogate.predict(state.pool.rows(places))
        order = np.argsort(-(mean + self.settings.boldest * deviation), kind="stable")
        return state.admit([Proposal(state.pool.smiles[places[i]], "pool") for i in order], 4 * self.settings.batch)

    def _candidates(self, state: SearchState) -> list[Proposal]:
        """Candidates of the tuned model, from every proposer that fits."""
        parents = Parents.of(self._model(state), state.elites(self.settings.elites))
        if not parents.smiles:
            return proposals([(Samples(), self.settings.candidates)], state, parents)
        fitting = [proposer for proposer in self.proposers if proposer.fits(state)]
        return proposals(list(zip(fitting, self._shares(state, fitting), strict=True)), state, parents)

    def _shares(self, state: SearchState, fitting: Sequence[Proposer]) -> list[int]:
        """How many candidates each proposer writes: by the share of its latest calls that are among the elites, never under the floor."""
        best = set(state.elites(self.settings.elites))
        latest = [call.proposal for call in state.buffer.calls[-self.settings.memory :]]
        calls, hits = Counter(p.by for p in latest), Counter(p.by for p in latest if p.smiles in best)
        rates = np.array([(hits[p.name] + 1) / (calls[p.name] + 10) for p in fitting])
        shares = self.settings.floor + (1 - self.settings.floor * len(fitting)) * rates / rates.sum()
        return [int(share * self.settings.candidates) for share in shares]

    def _surrogate(self, state: SearchState) -> Surrogate:
        """The process of the best and the latest calls."""
        y = state.targets()
        order = np.argsort(-y, kind="stable")[: self.settings.best]
        kept = np.union1d(order, np.arange(max(0, len(y) - self.settings.latest), len(y)))
        return fit(self._fingerprints.of([state.buffer.calls[i].smiles for i in kept]), y[kept])

    def _model(self, state: SearchState) -> LatentSpace:
        """The model, tuned again on the best molecules after every `tune_every` calls, from where the last tuning left it."""
        done, space = self._tuned or (0, state.space)
        for turn in range(done + 1, len(state.buffer) // self.settings.tune_every + 1):
            space = self._tune(state, space, turn)
            self._tuned = (turn, space)
        return space

    def _tune(self, state: SearchState, space: LatentSpace, turn: int) -> LatentSpace:
        elites = [
            smiles for smiles in state.elites(self.settings.tune_on, turn * self.settings.tune_every) if space.can_read(smiles)
        ]
        if not elites:
            return space
        return space.tuned(elites, None, self.settings.tune_steps, self.settings.tune_rate, state.seed + turn)

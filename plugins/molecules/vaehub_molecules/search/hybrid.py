"""The default: several proposers share the calls by what each has brought, and a Gaussian process on fingerprints chooses among what they want.

After "Return of the Latent Space COWBOYS" (Moss et al., 2025), arXiv:2507.03910: the surrogate sees molecules, not codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from vaehub import Json
from vaehub_molecules.chem.fingerprints import fingerprints
from vaehub_molecules.search.bandit import Bandit
from vaehub_molecules.search.batch import diverse_batch
from vaehub_molecules.search.buffer import Proposal
from vaehub_molecules.search.decoration import Decorations
from vaehub_molecules.search.edits import Crossover, Mutation
from vaehub_molecules.search.initial import initial_proposals
from vaehub_molecules.search.latent_proposers import Around, Climb, Cross, LatentProposer, Samples
from vaehub_molecules.search.method import Method, SearchState
from vaehub_molecules.search.pool import FingerprintCache
from vaehub_molecules.search.proposers import Parents, Proposer, proposals
from vaehub_molecules.search.screen import Screen
from vaehub_molecules.search.surrogate import Surrogate, fit

if TYPE_CHECKING:
    from vaehub_molecules.use.latent_space import LatentSpace

PROPOSERS: tuple[Proposer, ...] = (Screen(), Mutation(), Crossover(), Decorations(), Around(), Cross(), Samples(), Climb())


@final
@dataclass(frozen=True)
class HybridOptions:
    """What a hybrid search can be set by."""

    initial: int = 20  # calls before there is a surrogate
    smallest: int = 10  # calls a round, …
    early: float = 0.05  # … or this share of the calls so far, where that is more, …
    batch: int = 50  # … but not over this, …
    growth: float = 0.02  # … or this share, where even that is more
    ratio: int = 20  # candidates for each call …
    candidates: int = 1000  # … but not over this a round
    elites: int = 100  # parents
    best: int = 800  # calls that the surrogate learns from: the best …
    latest: int = 400  # … and the latest
    boldest: float = 1.0  # standard deviations that the boldest place of a batch adds to the mean
    alike: float = 0.3  # the largest share of a batch with one scaffold
    tune_every: int = 500  # calls between tunings of the model
    tune_on: int = 200  # best molecules that it is tuned on
    tune_steps: int = 40
    tune_rate: float = 3e-4
    memory: int = 600  # latest calls by which proposers are judged

    def calls_of_round(self, calls: int) -> int:
        """Calls of a round after so many."""
        return max(self.smallest, min(int(self.early * calls), self.batch), int(self.growth * calls))


@final
class Hybrid(Method):
    """Each round shares its calls among proposers by a bandit and gives each share to the highest upper confidence bounds.

    Arguments:
        settings: sizes of batches, of the surrogate and of the tuning.
        proposers: where candidates come from.

    >>> Hybrid(HybridOptions(batch=90)).options()["batch"]
    90
    """

    def __init__(self, settings: HybridOptions = HybridOptions(), proposers: Sequence[Proposer] = PROPOSERS) -> None:
        self.settings, self.proposers = settings, proposers
        self.bandit = Bandit(settings.memory)
        self._tuned: tuple[int, LatentSpace] | None = None
        self._fingerprints = FingerprintCache()

    def start(self, state: SearchState) -> None:
        """Forget what was learnt in an earlier search."""
        self._tuned, self._fingerprints = None, FingerprintCache()

    def options(self) -> Json:
        """All settings, and the proposers."""
        return asdict(self.settings) | {"proposers": [repr(proposer) for proposer in self.proposers]}

    def propose(self, state: SearchState) -> list[Proposal]:
        """Begin with leads and the pool, then share out the calls."""
        if (chosen := initial_proposals(state, self.settings.initial)) or not len(state.buffer):
            return chosen
        fitting = [proposer for proposer in self.proposers if proposer.fits(state)]
        count = self.settings.calls_of_round(len(state.buffer))
        slots = self.bandit.slots(state, [proposer.name for proposer in fitting], count)
        writing = [(proposer, slots[proposer.name]) for proposer in fitting if slots[proposer.name]]
        surrogate = self._surrogate(state)
        parents = Parents(state.elites(self.settings.elites), self._model(state, writing), surrogate)
        ratio = max(1, min(self.settings.ratio, self.settings.candidates // count))
        wanted = [(proposer, ratio * share) for proposer, share in writing]
        candidates = state.admit(proposals(wanted, state, parents))
        if not candidates:
            return []
        mean, deviation = surrogate.predict(fingerprints([proposal.smiles for proposal in candidates]))
        chosen_rows = diverse_batch(candidates, mean, deviation, slots, self.settings.boldest, self.settings.alike)
        return [candidates[row] for row in chosen_rows]

    def _surrogate(self, state: SearchState) -> Surrogate:
        """The process of the best and the latest calls."""
        y = state.targets()
        order = np.argsort(-y, kind="stable")[: self.settings.best]
        kept = np.union1d(order, np.arange(max(0, len(y) - self.settings.latest), len(y)))
        return fit(self._fingerprints.of([state.buffer.calls[i].smiles for i in kept]), y[kept])

    def _model(self, state: SearchState, writing: Sequence[tuple[Proposer, int]]) -> LatentSpace | None:
        """The model, where somebody writes with it, tuned on the best molecules after every `tune_every` calls, from where it was left."""
        if state.model is None or not any(isinstance(proposer, LatentProposer) for proposer, _ in writing):
            return None
        done, space = self._tuned or (0, state.model)
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

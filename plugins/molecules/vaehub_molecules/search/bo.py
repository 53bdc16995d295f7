"""Bayesian optimisation in the latent, within a trust region around the best code."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor

from vaehub import Json, UsageError, seeded
from vaehub_molecules.search.buffer import Floats, Proposal
from vaehub_molecules.search.initial import first_proposals, initial_proposals
from vaehub_molecules.search.method import Method, SearchState
from vaehub_molecules.search.proposers import PRIOR

MISSING = "method=bo: needs botorch; install it with `pip install 'vaehub-molecules[bo]'`, or use hybrid"


@final
@dataclass(frozen=True)
class TrustRegion(Method):
    """TuRBO: a process on the codes of the calls nearest to the best one, Thompson samples within a box that grows and shrinks.

    "Scalable Global Optimization via Local Bayesian Optimization" (Eriksson et al., 2019), arXiv:1910.01739. The box is centred at the
    best code; its side doubles after 3 rounds that improve the best value, halves after `patience` that do not, and starts anew below the
    least. Sides are in spreads of codes under the prior.
    """

    initial: int = 200
    batch: int = 50
    candidates: int = 1000
    points: int = 300  # calls that the process sees
    widest: float = 3.2
    usual: float = 1.6
    least: float = 0.05
    patience: int = 5

    def options(self) -> Json:
        """The sizes."""
        return asdict(self)

    def start(self, state: SearchState) -> None:
        """Raise UsageError where botorch is not installed."""
        require_botorch()

    def propose(self, state: SearchState) -> list[Proposal]:
        """Molecules of the codes that Thompson samples put first."""
        if chosen := initial_proposals(state, self.initial):
            return chosen
        readable = [i for i, call in enumerate(state.buffer) if state.space.can_read(call.smiles)]
        if len(readable) < 2:
            return first_proposals(state, self.batch)
        y = state.targets()
        centre = max(readable, key=lambda i: y[i])
        codes = state.space.encode([state.buffer.calls[i].smiles for i in readable])
        spread = state.space.prior(PRIOR, 0, rereads=0).std(0)
        z = self._chosen(codes / spread, y[readable], readable.index(centre), self.side(y, state.batches), state) * spread
        texts = state.space.molecules(z, seed=state.seed_of("bo"))
        parent = state.buffer.calls[centre].smiles
        return state.admit([Proposal(text, "bo", parent) for text in texts], self.batch)

    def side(self, y: Floats, batches: Sequence[int]) -> float:
        """The side of the box after these rounds, of which the first only begins: a function of the calls, so that nothing must be kept."""
        side, good, bad, best, end = self.usual, 0, 0, -np.inf, 0
        for calls in batches:
            end += calls
            better = y[:end].max(initial=-np.inf) > best + 1e-3 * abs(best)
            good, bad, best = (good + 1, 0, y[:end].max()) if better else (0, bad + 1, best)
            if good == 3 or not calls:  # without a call, all molecules of the box are known
                side, good, bad = min(2 * side, self.widest), 0, 0
            if bad == self.patience:
                side, bad = side / 2, 0
            side = self.usual if side < self.least else side
        return side

    def _chosen(self, codes: Tensor, y: Floats, centre: int, side: float, state: SearchState) -> Tensor:
        """Codes (4 · batch, L) of the best Thompson samples among candidates in the box."""
        near = (codes - codes[centre]).square().sum(1).argsort()[: self.points]
        box = self._box(codes[centre], side, state)
        with seeded("bo", state.seed, state.round):
            return thompson(codes[near], y[near.cpu().numpy()], box, 4 * self.batch)

    def _box(self, centre: Tensor, side: float, state: SearchState) -> Tensor:
        """Candidates (M, L): the centre with some of its dimensions, about 20 of them, moved within the box."""
        rng, width = state.rng("box"), len(centre)
        moved = torch.from_numpy(rng.random((self.candidates, width)) < min(20 / width, 1.0)).to(centre.device)
        steps = torch.from_numpy(rng.uniform(-side / 2, side / 2, (self.candidates, width))).to(centre)
        return centre + moved * steps


def require_botorch() -> None:
    """Import botorch. Raises UsageError where it is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch.jit.script, which its parts still use
        try:
            import botorch  # noqa: F401
        except ImportError:
            raise UsageError(MISSING) from None


def thompson(codes: Tensor, y: Floats, candidates: Tensor, count: int) -> Tensor:
    """The candidates that come first in samples of a process with Matérn kernel on codes (N, L) with values (N,), each once."""
    from botorch.fit import fit_gpytorch_mll
    from botorch.generation.sampling import MaxPosteriorSampling
    from botorch.models import SingleTaskGP
    from gpytorch.mlls import ExactMarginalLogLikelihood  # type: ignore[import-untyped]
    from linear_operator.utils.warnings import NumericalWarning  # type: ignore[import-untyped]

    every = torch.cat([codes, candidates]).double()
    low, high = every.amin(0), every.amax(0)
    cube = (every - low) / (high - low).clamp(min=1e-9)
    targets = torch.from_numpy((y - y.mean()) / max(float(y.std()), 1e-9))[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", NumericalWarning
        )  # neighbours that are nearly equal need jitter, which is what is warned of
        model = SingleTaskGP(cube[: len(codes)], targets)
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        with torch.no_grad():
            chosen: Tensor = MaxPosteriorSampling(model, replacement=False)(cube[len(codes) :], num_samples=count)
    return (low + chosen * (high - low)).to(candidates)

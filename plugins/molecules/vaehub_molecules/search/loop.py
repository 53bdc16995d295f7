"""The rounds of a search: propose, call, write down."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import final

from vaehub import jobs, signals
from vaehub_molecules.search.buffer import Call
from vaehub_molecules.search.calls import Calls
from vaehub_molecules.search.first_calls import FirstCalls
from vaehub_molecules.search.method import Method, SearchState
from vaehub_molecules.search.rounds import Batch, Rounds, answers

MAX_EMPTY_ROUNDS = 25  # rounds in a row without a new molecule, after which a search ends


@final
@dataclass
class SearchLoop:
    """One search until its budget is spent. Rounds that were written down are taken from there, so that no call is repeated."""

    state: SearchState
    method: Method
    rounds: Rounds
    calls: Calls
    progress: jobs.Stage  # counts calls
    first_calls: FirstCalls
    _start: float = field(default_factory=time.perf_counter)

    def run(self) -> None:
        """Every round."""
        self.method.start(self.state)
        self._start -= max((call.time for batch in self.rounds.batches for call in batch.calls.values()), default=0.0)
        empty = 0
        while self.state.calls_left and empty < MAX_EMPTY_ROUNDS:
            signals.rearm()
            empty = 0 if self._round() else empty + 1
            self.progress.reach(len(self.state.buffer), note=self.state.standing)
        if self.state.calls_left:
            calls = len(self.state.buffer)
            warnings.warn(
                f"no new molecule in {MAX_EMPTY_ROUNDS} rounds: the search ended after {calls:,} calls", UserWarning, stacklevel=2
            )

    def _round(self) -> int:
        """One round; the number of its calls."""
        batch = self._batch()
        self._call(batch)
        calls = [batch.calls[proposal.smiles] for proposal in batch.proposals]
        self.state.buffer.add(calls)
        self.state.batches.append(len(calls))
        self.state.round += 1
        return len(calls)

    def _batch(self) -> Batch:
        """The molecules of this round: those of an earlier run of the search, or new ones."""
        if self.state.round < len(self.rounds.batches):
            batch = self.rounds.batches[self.state.round]
            self.state.buffer.refusals = Counter(batch.refusals)
            return batch
        chosen = self.state.admit_untrusted(self.method.propose(self.state))
        return self.rounds.add(chosen, self.state.buffer.refusals)

    def _call(self, batch: Batch) -> None:
        """Call what has no answer yet."""
        for call in batch.calls.values():
            self.first_calls.add(call)
        left = [proposal for proposal in batch.proposals if proposal.smiles not in batch.calls]
        for place, answer in answers(self.calls, [proposal.smiles for proposal in left]):
            signals.rearm()  # RDKit takes Ctrl-C away
            self.progress.update()
            call = Call(left[place], answer, time.perf_counter() - self._start)
            self.rounds.answer(batch, call)
            self.first_calls.add(call)
        if left:
            self.rounds.ledger.sync()

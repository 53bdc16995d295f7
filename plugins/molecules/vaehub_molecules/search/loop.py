"""The rounds of a search: propose, call, write down."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import final

from vaehub import UsageError, jobs, signals
from vaehub_molecules.search.buffer import Call
from vaehub_molecules.search.method import Method, SearchState
from vaehub_molecules.search.rounds import Batch, Rounds, Values, answers

MAX_EMPTY_ROUNDS = 25  # rounds in a row without a new molecule, after which a search ends
MAX_FIRST_FAILURES = 20  # calls from the start without a single value, after which it ends
ZEROS_CHECKED_AFTER = 20  # calls after which a product that is mostly 0 is warned of


@final
@dataclass
class SearchLoop:
    """One search until its budget is spent. Rounds that were written down are taken from there, so that no call is repeated."""

    state: SearchState
    method: Method
    rounds: Rounds
    workers: jobs.Workers[str, Values]
    progress: jobs.Stage  # counts calls
    product: bool = False  # whether several objectives were multiplied
    _start: float = field(default_factory=time.perf_counter)
    _any_value: bool = False  # whether any call gave a value
    _failed: list[Call] = field(default_factory=list)  # calls before the first that did

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
        self._warn_of_zeros(len(calls))
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
            self._stop_if_all_fail(call)
        left = [proposal for proposal in batch.proposals if proposal.smiles not in batch.calls]
        for place, answer in answers(self.workers, [proposal.smiles for proposal in left]):
            signals.rearm()  # RDKit takes Ctrl-C away
            self.progress.update()
            call = Call(left[place], answer, time.perf_counter() - self._start)
            self.rounds.answer(batch, call)
            self._stop_if_all_fail(call)
        if left:
            self.rounds.ledger.sync()

    def _warn_of_zeros(self, new: int) -> None:
        """Once, after the first calls: a weighted product is 0 where a score is not positive, and tells nothing there."""
        before, total = len(self.state.buffer) - new, len(self.state.buffer)
        if not self.product or not before < min(ZEROS_CHECKED_AFTER, self.state.budget) <= total:
            return
        zeros = int((self.state.buffer.values() == 0).sum())
        if zeros > total / 2:
            text = (
                f"the weighted product is 0 for {zeros} of the first {total} molecules: a score that is not positive makes it 0"
            )
            warnings.warn(
                f"{text}; shift or scale the objectives to be above 0, or leave out the weights", UserWarning, stacklevel=2
            )

    def _stop_if_all_fail(self, call: Call) -> None:
        """Raise UsageError where the first calls of the objective did not give a single value."""
        self._any_value = self._any_value or not call.answer.error
        if self._any_value:
            return
        self._failed.append(call)
        if len(self._failed) >= min(MAX_FIRST_FAILURES, self.state.budget):
            raise UsageError(
                f"objective {', '.join(self.state.objectives)}: none of the first {len(self._failed)} calls gave a value; "
                f"the first was {self._failed[0].smiles}: {self._failed[0].answer.error}"
            )

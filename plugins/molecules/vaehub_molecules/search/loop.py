"""The rounds of a search: propose, call, write down."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias, final

from vaehub.errors import UsageError
from vaehub_molecules.search.buffer import Answer, Call
from vaehub_molecules.search.journal import Batch, Journal
from vaehub_molecules.search.method import Method, State
from vaehub_molecules.search.workers import Workers

PATIENCE = 25  # rounds in a row without a new molecule, after which a search ends
HOPELESS = 20  # calls from the start without a single value, after which it ends
Told: TypeAlias = Callable[[State], None]


@final
@dataclass
class Loop:
    """One search until its budget is spent. Rounds that the journal has are taken from it, so that no call is repeated."""

    state: State
    method: Method
    journal: Journal
    workers: Workers
    tell: Told
    _start: float = field(default_factory=time.perf_counter)

    def run(self) -> None:
        """Every round."""
        self.method.start(self.state)
        self._start -= max((call.time for batch in self.journal.batches for call in batch.calls.values()), default=0.0)
        empty = 0
        while self.state.room and empty < PATIENCE:
            empty = 0 if self._round() else empty + 1
            self.tell(self.state)
        if self.state.room:
            calls = len(self.state.buffer)
            warnings.warn(
                f"no new molecule in {PATIENCE} rounds: the search ended after {calls:,} calls", UserWarning, stacklevel=2
            )

    def _round(self) -> int:
        """One round; the number of its calls."""
        batch = self._batch()
        self._call(batch)
        calls = [batch.calls[place] for place in range(len(batch.proposals))]
        self.state.buffer.add(calls)
        self.state.batches.append(len(calls))
        self.state.round += 1
        self._require_values()
        return len(calls)

    def _batch(self) -> Batch:
        """The molecules of this round: those of the journal, or new ones."""
        if self.state.round < len(self.journal.batches):
            batch = self.journal.batches[self.state.round]
            self.state.buffer.tally = Counter(batch.tally)
            return batch
        chosen = self.state.checked(self.method.propose(self.state))
        return self.journal.begin(chosen, self.state.buffer.tally)

    def _call(self, batch: Batch) -> None:
        """Call what has no answer yet."""
        left = [place for place in range(len(batch.proposals)) if place not in batch.calls]
        for i, answer in self.workers.answers([batch.proposals[place].smiles for place in left]):
            self._note(batch, left[i], answer)
        if left:
            self.journal.sync()

    def _note(self, batch: Batch, place: int, answer: Answer) -> None:
        call = Call(batch.proposals[place], answer, time.perf_counter() - self._start)
        batch.calls[place] = call
        self.journal.answer(place, call)

    def _require_values(self) -> None:
        """Raise UsageError where the objective has not given a single value yet."""
        failed = self.state.buffer.errors
        if len(failed) == len(self.state.buffer) >= min(HOPELESS, self.state.budget):
            raise UsageError(
                f"objective {', '.join(self.state.objectives)}: none of the first {len(failed)} calls gave a value; "
                f"the first was {failed[0].smiles}: {failed[0].answer.error}"
            )

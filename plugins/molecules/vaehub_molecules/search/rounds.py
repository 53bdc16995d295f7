"""Calls of the objective: in worker processes, and in the file from which a stopped search goes on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import final

from vaehub import Json, jobs
from vaehub_molecules.search.buffer import Answer, Call, Proposal
from vaehub_molecules.search.calls import Calls, Outcome

FORMAT = "vaehub-search/2"


def answers(calls: Calls, molecules: Sequence[str]) -> Iterator[tuple[int, Answer]]:
    """(place, answer) of every molecule, as they come."""
    return ((place, answer_of(outcome)) for place, outcome in calls.answers(molecules))


def answer_of(outcome: Outcome) -> Answer:
    """Values, or why there are none: numbers that are not finite are none."""
    if outcome.value is None:
        return Answer(error=outcome.error, seconds=outcome.seconds)
    values, measured = outcome.value
    if all(map(math.isfinite, (*values, *measured))):
        return Answer(values, "", outcome.seconds, measured)
    return Answer(error=f"gave {', '.join(map(str, measured or values))}", seconds=outcome.seconds)


@final
@dataclass
class Batch:
    """The molecules of one round, with the answers so far."""

    proposals: list[Proposal]
    refusals: dict[str, int]  # of what was proposed and not called, up to this round
    calls: dict[str, Call] = field(default_factory=dict)  # by molecule


@final
class Rounds(AbstractContextManager["Rounds"]):
    """The rounds of a search in a ledger: the molecules of each before any is called, then each answer when it comes.

    Every line says what it is about, so that a damaged one never puts an answer to another molecule.
    """

    def __init__(self, path: Path | None, identity: Json) -> None:
        self.batches: list[Batch] = []
        self.ledger = jobs.Ledger(path, FORMAT, identity, self._restore, growing=("budget",))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.ledger.__exit__(kind, error, trace)

    def add(self, proposals: Sequence[Proposal], refusals: dict[str, int]) -> Batch:
        """Write down the molecules of a round."""
        batch = Batch(list(proposals), dict(refusals))
        self.ledger.add(
            {"round": len(self.batches), "proposals": [[p.smiles, p.by, p.parent] for p in proposals], "tally": batch.refusals}
        )
        self.batches.append(batch)
        return batch

    def answer(self, batch: Batch, call: Call) -> None:
        """Write down one answer of the latest round."""
        batch.calls[call.smiles] = call
        entry = {"answer": len(self.batches) - 1, **asdict(call.proposal), **asdict(call.answer), "time": call.time}
        self.ledger.add(entry)

    def _restore(self, entry: Json) -> None:
        """An earlier line. An answer whose round stood in a damaged line is itself in the round."""
        if "round" in entry:
            proposals = [Proposal(*map(str, fields)) for fields in entry["proposals"]]
            refusals = {str(key): int(value) for key, value in entry["tally"].items()}
            batch = self._at(int(entry["round"]))
            batch.proposals, batch.refusals = proposals, refusals
            return
        proposal = Proposal(str(entry["smiles"]), str(entry["by"]), str(entry["parent"]))
        measured = tuple(map(float, entry.get("measured", ())))  # older journals lack it
        answer = Answer(tuple(map(float, entry["values"])), str(entry["error"]), float(entry["seconds"]), measured)
        call = Call(proposal, answer, float(entry["time"]))
        batch = self._at(int(entry["answer"]))
        if proposal not in batch.proposals:
            batch.proposals.append(proposal)
        batch.calls[proposal.smiles] = call

    def _at(self, number: int) -> Batch:
        """The round of this number: a known one, or the next, where a damaged line may have cost one between."""
        if not 0 <= number <= len(self.batches) + 1:
            raise ValueError(f"round {number} after {len(self.batches)}")
        while len(self.batches) <= number:
            self.batches.append(Batch([], dict(self.batches[-1].refusals) if self.batches else {}))
        return self.batches[number]

"""Calls of the objective: each molecule by itself, or many together where something takes them so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TypeAlias, final

from vaehub import jobs
from vaehub_molecules.search.goal import Goal, Scores

Outcome: TypeAlias = jobs.Answer[Scores]


@final
class Calls(AbstractContextManager["Calls"]):
    """The goal in processes of its own, which are stopped with all that they started when they take too long.

    Arguments:
        goal: what is called.
        workers: processes; one a core, if not given, and 0 for this one, where nothing can be stopped.
        seconds: for a molecule; a batch has as much for each of its molecules.
        batch: molecules that are called together at most.
        retries: how often molecules of a batch that came to nothing are called again, each by itself.

    >>> from vaehub_molecules.search.goal import goal_of
    >>> with Calls(goal_of("hbd"), workers=0) as calls:
    ...     [(place, outcome.value.values) for place, outcome in calls.answers(["CCO", "CC"])]
    [(0, (1.0,)), (1, (0.0,))]
    """

    def __init__(self, goal: Goal, workers: int | None = None, seconds: float = 60.0, batch: int = 32, retries: int = 1) -> None:
        self.goal, self.batch, self.retries = goal, batch, retries
        self._single = jobs.Workers(goal, workers, jobs.Limits(seconds=seconds))
        self._batches = jobs.Workers(self._of_batch, workers, jobs.Limits(seconds=seconds * batch))
        self._again = jobs.Workers(self._of_batch, workers, jobs.Limits(seconds=seconds))
        self._files = ExitStack()  # the folder for files of the calls, which goes when all is done

    def __enter__(self) -> Calls:
        self._folder = Path(self._files.enter_context(TemporaryDirectory(prefix="vaehub-", ignore_cleanup_errors=True)))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for workers in (self._single, self._batches, self._again):
            workers.__exit__(kind, error, trace)
        self._files.close()

    def _of_batch(self, molecules: Sequence[str]) -> list[Outcome]:
        """What a worker does with a batch."""
        return self.goal.of_batch(molecules, self._folder)

    def answers(self, molecules: Sequence[str]) -> Iterator[tuple[int, Outcome]]:
        """(place, answer) of every molecule, as they come."""
        if not self.goal.batched:
            yield from self._single.answers(molecules)
            return
        size = max(1, min(self.batch, -(-len(molecules) // max(1, self._batches.count))))
        places: Sequence[Sequence[int]] = [
            range(start, min(start + size, len(molecules))) for start in range(0, len(molecules), size)
        ]
        for attempt in range(self.retries + 1):
            failed: list[list[int]] = []
            workers = self._again if attempt else self._batches
            for number, outcome in workers.answers([[molecules[place] for place in some] for some in places]):
                if outcome.value is not None:
                    seconds = outcome.seconds / len(places[number])
                    yield from (
                        (place, replace(each, seconds=seconds)) for place, each in zip(places[number], outcome.value, strict=True)
                    )
                elif attempt < self.retries:
                    failed += [[place] for place in places[number]]
                else:
                    yield from ((place, jobs.Answer(None, outcome.error, outcome.failure)) for place in places[number])
            places = sorted(failed)

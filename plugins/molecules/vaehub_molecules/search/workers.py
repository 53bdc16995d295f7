"""Calls of an objective in worker processes that can be stopped."""

from __future__ import annotations

import math
import multiprocessing
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import final

from vaehub.errors import UsageError
from vaehub.hints import reason
from vaehub_molecules.search.buffer import Answer

Goal = Callable[[str], Sequence[float]]  # canonical SMILES -> the values of all objectives
Told = tuple[int, Answer]  # the place in the batch, and its answer


def answered(goal: Goal, smiles: str) -> Answer:
    """One call, with whatever it raises recorded."""
    start = time.perf_counter()
    try:
        values = tuple(map(float, goal(smiles)))
    except Exception as error:
        return Answer(error=reason(error), seconds=time.perf_counter() - start)
    seconds = time.perf_counter() - start
    if not all(map(math.isfinite, values)):
        return Answer(error=f"gave {', '.join(map(str, values))}", seconds=seconds)
    return Answer(values, seconds=seconds)


def serve(goal: Goal, pipe: Connection, other: Connection) -> None:
    """What a worker does: answer until the other end closes, which it must not hold itself, or it would outlive a killed parent.

    One thread, because threads of the parent do not survive a fork.
    """
    import torch

    other.close()
    torch.set_num_threads(1)
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            pipe.send(answered(goal, pipe.recv()))


@final
@dataclass
class Worker:
    """One process and what it is at."""

    process: BaseProcess
    pipe: Connection
    place: int = -1  # of the molecule in the batch
    deadline: float = math.inf

    @classmethod
    def start(cls, context: BaseContext, goal: Goal) -> Worker:
        """A process that waits for molecules. Raises UsageError where the objective cannot be sent to it."""
        here, there = context.Pipe()
        process = context.Process(target=serve, args=(goal, there, here), daemon=True)  # type: ignore[attr-defined]
        try:
            process.start()
        except (AttributeError, TypeError, ValueError) as error:  # what pickle raises, on systems without fork
            raise UsageError(
                f"objective: cannot be sent to a worker ({error}); define it in a module, or use workers=0"
            ) from None
        there.close()
        return cls(process, here)

    def give(self, place: int, smiles: str, seconds: float) -> None:
        """Let it answer."""
        self.place, self.deadline = place, time.monotonic() + seconds
        self.pipe.send(smiles)

    def stop(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


@final
class Workers(AbstractContextManager["Workers"]):
    """Parallel calls. One that takes longer than `seconds`, or kills its process, is an answer with an error; a new worker takes over."""

    def __init__(self, goal: Goal, count: int | None, seconds: float) -> None:
        if seconds <= 0 or (count or 0) < 0:
            raise UsageError(f"seconds={seconds:g}, workers={count}: seconds must be above 0, workers at least 0")
        self.goal, self.seconds = goal, seconds
        self.count = len(os.sched_getaffinity(0)) if count is None else count
        method = (
            "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
        )  # fork takes closures and is there at once
        self.context = multiprocessing.get_context(method)
        self.idle: list[Worker] = []
        self.busy: dict[Connection, Worker] = {}

    def __exit__(self, *_: object) -> None:
        for worker in [*self.idle, *self.busy.values()]:
            worker.stop()
        self.idle, self.busy = [], {}

    def answers(self, molecules: Sequence[str]) -> Iterator[Told]:
        """(place, answer) of every molecule, as they come; without workers one after the other in this process, with no limit of time."""
        if not self.count:
            yield from ((i, answered(self.goal, smiles)) for i, smiles in enumerate(molecules))
            return
        waiting = deque(enumerate(molecules))
        while waiting or self.busy:
            while waiting and len(self.busy) < self.count:
                self._give(*waiting.popleft())
            yield from self._collect()

    def _give(self, place: int, smiles: str) -> None:
        worker = self.idle.pop() if self.idle else Worker.start(self.context, self.goal)
        self.busy[worker.pipe] = worker
        worker.give(place, smiles, self.seconds)

    def _collect(self) -> list[Told]:
        """Wait until a worker answers, dies or runs out of time."""
        nearest = min(worker.deadline for worker in self.busy.values())
        told = [self._take(self.busy.pop(pipe)) for pipe in wait(list(self.busy), max(0.0, nearest - time.monotonic()))]  # type: ignore[call-overload]
        late = [worker for worker in self.busy.values() if worker.deadline <= time.monotonic()]
        return told + [self._end(worker, f"took longer than {self.seconds:g} s", self.seconds) for worker in late]

    def _take(self, worker: Worker) -> Told:
        try:
            answer: Answer = worker.pipe.recv()
        except (EOFError, OSError):
            return self._end(worker, "ended its process", 0.0)
        self.idle.append(worker)
        return worker.place, answer

    def _end(self, worker: Worker, error: str, seconds: float) -> Told:
        self.busy.pop(worker.pipe, None)
        worker.stop()
        return worker.place, Answer(error=error, seconds=seconds)

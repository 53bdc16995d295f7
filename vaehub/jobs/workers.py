"""Calls of a function in worker processes that can be stopped, with everything that they started.

The processes are pebble's (https://pebble.readthedocs.io): its pool stops one call after a time limit, replaces a worker that died and
blames the call that killed it. loky and joblib have no limit on a call, and one dead worker breaks their whole pool. What pebble does
not do is here: it stops a process and not the programs that this one started, so every worker leads a session of its own, which
a guard kills as a whole (see `process_group`). Workers are forked, so that the function may be a closure or hold a loaded model.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import pickle
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from types import TracebackType
from typing import Any, Generic, TypeVar, final

from pebble import ProcessExpired, ProcessPool

from vaehub.errors import RunFailed, UsageError
from vaehub.hints import reason
from vaehub.jobs import process_group
from vaehub.jobs.progress import hide

T = TypeVar("T")
R = TypeVar("R")


class Failure(StrEnum):
    """Why a call gave no value.

    >>> Failure.TIME.value
    'took too long'
    """

    RAISED = "raised an error"
    TIME = "took too long"
    MEMORY = "took too much memory"
    DIED = "ended its process"


@final
@dataclass(frozen=True)
class Answer(Generic[R]):
    """What a call gave: its value, or why there is none, in one line.

    Arguments:
        value: what the function returned.
        error: why it returned nothing; empty where it did.
        failure: the kind of that.
        seconds: that the call took.
    """

    value: R | None = None
    error: str = ""
    failure: Failure | None = None
    seconds: float = 0.0  # that the call took


@final
@dataclass(frozen=True)
class Limits:
    """Of one call in a worker; None is no limit.

    Arguments:
        seconds: on the clock.
        processor_seconds: of the worker itself: does not depend on what else the machine does.
        memory_gib: more than the worker had before its first call.

    Raises:
        UsageError: one of them is not above 0.
    """

    seconds: float | None = None  # on the clock
    processor_seconds: float | None = None  # of the worker itself: does not depend on what else the machine does
    memory_gib: float | None = None  # more than the worker had before its first call

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and not 0 < value < math.inf:
                raise UsageError(f"{name}={value:g}: must be above 0")


def processors() -> int:
    """How many processors this process may use.

    >>> 1 <= processors() <= (os.cpu_count() or 1)
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@final
class Workers(AbstractContextManager["Workers[T, R]"], Generic[T, R]):
    """A function of many items, in processes of their own.

    Arguments:
        function: of one item. What it raises, or that it kills its process, is the answer to that item alone. It may start programs,
            threads and pools of its own; the programs of a call that failed end with it.
        count: of processes; by default one a core. 0 calls in this process, where only errors are caught and there are no limits.
        limits: of each call. A call that exceeds one is stopped with all that it started, and a new process takes over.
        chunk: items that travel together, for functions of less than a millisecond; the answers are the same.

    Raises:
        UsageError: the count is below 0.

    >>> with Workers(len, count=2) as workers:
    ...     [answer.value for answer in workers.in_order(["C", "CCO"])]
    [1, 3]
    """

    def __init__(self, function: Callable[[T], R], count: int | None = None, limits: Limits = Limits(), chunk: int = 1) -> None:
        if count is not None and count < 0:
            raise UsageError(f"workers={count}: must be at least 0; 0 calls in this process")
        self.function, self.limits, self.chunk = function, limits, chunk
        self.count = processors() if count is None else count
        self._pool: ProcessPool | None = None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._pool is not None:
            self._pool.stop()
            self._pool.join()
            self._pool = None

    def in_order(self, items: Sequence[T]) -> list[Answer[R]]:
        """The answers to all items, in their order.

        Arguments:
            items: what the function is called with, one by one.

        Raises:
            RunFailed: worker processes cannot be started.
        """
        found = dict(self.answers(items))
        return [found[place] for place in range(len(items))]

    def answers(self, items: Sequence[T]) -> Iterator[tuple[int, Answer[R]]]:
        """(place, answer) of every item, as they come.

        Arguments:
            items: what the function is called with, one by one.

        Raises:
            RunFailed: worker processes cannot be started.
        """
        if not self.count:
            yield from ((place, answer_of(self.function, item)) for place, item in enumerate(items))
            return
        places = range(len(items))
        waiting = [places[start : start + self.chunk] for start in places[:: self.chunk]][::-1]
        running: dict[Future[Any], range] = {}
        try:
            while waiting or running:
                while waiting and len(running) < 2 * self.count:  # one at work and one ready, a worker
                    some = waiting.pop()
                    running[self._start([items[place] for place in some])] = some
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    some = running.pop(future)
                    found = self._found(future, len(some))
                    if found is None:  # something in it killed the worker: ask one by one to learn what
                        waiting += [range(place, place + 1) for place in reversed(some)]
                    else:
                        yield from zip(some, found, strict=True)
        finally:
            for future in running:
                future.cancel()

    def _start(self, items: list[T]) -> Future[Any]:
        if self._pool is None:
            setup = (self.function, self.limits, process_group.lifeline())
            self._pool = ProcessPool(
                self.count, initializer=start_worker, initargs=setup, context=multiprocessing.get_context("fork")
            )
        seconds = None if self.limits.seconds is None else self.limits.seconds * len(items)
        try:
            return self._pool.schedule(answer_chunk, args=(items,), timeout=seconds)
        except RuntimeError as error:
            raise RunFailed(f"worker processes cannot be started ({error}); use workers=0") from error

    def _found(self, future: Future[Any], size: int) -> list[Answer[R]] | None:
        """The answers to a chunk; None where it has several items and did not come to its end."""
        try:
            return [pickle.loads(packed) for packed in future.result()]  # noqa: S301, what our own child packed
        except TimeoutError:
            stopped = Answer[R](None, f"took longer than {self.limits.seconds:g} s", Failure.TIME, self.limits.seconds or 0.0)
        except ProcessExpired as expired:
            stopped = self._died(expired.exitcode)
        except BrokenExecutor as error:
            raise RunFailed(f"worker processes cannot be started or were all killed ({reason(error)}); use workers=0") from error
        return [stopped] if size == 1 else None

    def _died(self, code: int) -> Answer[R]:
        """The answer to a call that ended its process, by its exit code."""
        if code == -signal.SIGPROF:
            seconds = self.limits.processor_seconds or 0.0
            return Answer(None, f"took longer than {seconds:g} s of processor time", Failure.TIME, seconds)
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return Answer(None, f"ended its process ({how})", Failure.DIED)


def start_worker(function: Callable[[Any], Any], limits: Limits, parent: process_group.Lifeline) -> None:
    """What a worker does first."""
    global _call
    hide()
    tree = process_group.lead_group(parent)
    process_group.one_thread()
    process_group.limit_memory(limits.memory_gib)
    _call = partial(limited, function, limits, tree)


_call: Callable[[Any], Answer[Any]]  # of a worker: set by `begin`, since a closure cannot be sent with every call


def answer_chunk(items: Sequence[Any]) -> list[bytes]:
    """What a worker does with a chunk."""
    return [packed(_call(item)) for item in items]


def limited(function: Callable[[T], R], limits: Limits, tree: process_group.Tree, item: T) -> Answer[R]:
    """One call in a worker; also an exit is caught, since pebble would raise it in the parent.

    A call that failed, perhaps at a time limit of its own, leaves no program running that it started.
    """
    start = process_group.uptime()
    process_group.limit_processor(limits.processor_seconds)
    try:
        answer = answer_of(function, item)
    except BaseException as error:
        answer = Answer(None, reason(error), Failure.RAISED)
    finally:
        process_group.limit_processor(None)
    if answer.failure:
        tree.kill(start)
    return answer


def answer_of(function: Callable[[T], R], item: T) -> Answer[R]:
    """One call, with an error that it raises as its answer."""
    start = time.perf_counter()
    try:
        return Answer(function(item), seconds=time.perf_counter() - start)
    except MemoryError:
        return Answer(None, "took more memory than it may", Failure.MEMORY, time.perf_counter() - start)
    except Exception as error:
        return Answer(None, reason(error), Failure.RAISED, time.perf_counter() - start)


def packed(answer: Answer[Any]) -> bytes:
    """An answer as bytes, or that its value cannot be sent."""
    try:
        return pickle.dumps(answer)
    except Exception as error:
        return pickle.dumps(Answer[Any](None, f"gave what cannot be sent back: {reason(error)}", Failure.RAISED, answer.seconds))

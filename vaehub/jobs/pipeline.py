"""Steps of a chain that work at the same time, each in a thread of its own, never far ahead of the next."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from queue import Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

T = TypeVar("T")
AHEAD = 2  # things made and not yet taken: they bound the memory
PATIENCE = 0.1  # seconds after which a thread that waits looks whether it is still wanted


@dataclass(frozen=True)
class Ended:
    """After the last thing: what was raised where that was not the plan."""

    error: BaseException | None = None


@dataclass(frozen=True)
class BoundedQueue(Generic[T]):
    """Things on their way from one thread to another."""

    queue: Queue[T | Ended]
    stopped: Event

    def fill(self, things: Generator[T]) -> None:
        """Put on one thing after the other until there are no more, or nobody wants them."""
        end = Ended()
        try:
            with closing(things):
                for thing in things:
                    if not self.put(thing):
                        return
        except BaseException as error:
            end = Ended(error)
        self.put(end)

    def put(self, thing: T | Ended) -> bool:
        """Wait for room; False where nobody wants it any more."""
        while not self.stopped.is_set():
            try:
                self.queue.put(thing, timeout=PATIENCE)
            except Full:
                continue
            return True
        return False


def prefetched(things: Generator[T], depth: int = AHEAD) -> Generator[T]:
    """The same things in the same order, made in another thread. What is raised there is raised here; closing it stops the thread."""
    belt: BoundedQueue[T] = BoundedQueue(Queue(depth), Event())
    thread = Thread(target=belt.fill, args=(things,), daemon=True)
    thread.start()
    try:
        while not isinstance(thing := belt.queue.get(), Ended):
            yield thing
        if thing.error is not None:
            raise thing.error
    finally:
        belt.stopped.set()
        thread.join()

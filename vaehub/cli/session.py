"""What a command tells while it runs: the stages of its work, and warnings on lines of their own."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from vaehub.jobs.displays import showing
from vaehub.jobs.progress import stage


@dataclass(frozen=True)
class Session:
    """The warnings that were given in the course of a command.

    Arguments:
        notes: the warnings.
    """

    notes: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[Callable[[int, int], None]]:
        """A stage; the function that it gives is told how much is done, of how much."""
        with stage(name) as bar:
            yield lambda done, of: bar.reach(done, of)

    def warn(self, text: str) -> None:
        """Say and keep a warning, once."""
        if text not in self.notes:
            self.notes.append(text)
            print(f"warning: {text}", file=sys.stderr, flush=True)


@contextmanager
def session() -> Iterator[Session]:
    """Stages and warnings of a command go to standard error.

    >>> with session() as running, running.step("reading") as progress:
    ...     progress(1, 2)
    """
    running = Session()
    with showing(), warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = reporting(running, warnings.showwarning)
        yield running


def reporting(running: Session, others: Callable[..., Any]) -> Callable[..., None]:
    """What is done with a warning: those for the user are told, all others are shown as Python does."""

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if category is UserWarning:
            running.warn(str(message))
        else:
            others(message, category, *where, **more)

    return show

"""What a command tells while it runs: bars on a terminal, warnings on lines of their own."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@dataclass(frozen=True)
class Session:
    """The bars of one command, and the warnings that were given in its course."""

    bars: Progress
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[Callable[[int, int], None]]:
        """A bar for one step; the function that it gives is told how much is done, of how much."""
        task = self.bars.add_task(name, total=None)
        yield lambda done, of: self.bars.update(task, completed=done, total=of)
        self.bars.update(task, completed=1, total=1)

    def warn(self, text: str) -> None:
        """Say and keep a warning, once."""
        if text not in self.notes:
            self.notes.append(text)
            self.bars.console.print(f"warning: {text}", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def session() -> Iterator[Session]:
    """Bars and warnings go to standard error; bars only where that is a terminal."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        running = Session(bars)
        with warnings.catch_warnings():
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = showing(running, warnings.showwarning)
            yield running


def showing(running: Session, others: Callable[..., Any]) -> Callable[..., None]:
    """What is done with a warning: those for the user are told, all others are shown as Python does."""

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if category is UserWarning:
            running.warn(str(message))
        else:
            others(message, category, *where, **more)

    return show

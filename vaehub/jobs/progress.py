"""How far a long piece of work is, told to whoever looks: a terminal, a notebook or a log file, each in its own way.

Code names its stages and counts; it does not know who looks:

>>> with stage("reading ratings", total=2) as bar:
...     for _ in range(2):
...         bar.update()

Nothing is shown unless somebody asked for it with `displays.showing`, as the command line does for all commands.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import final


@final
@dataclass
class Stage:
    """One piece of work with a name, of `total` parts where that is known; parts may be fractions of a `unit`.

    Arguments:
        name: what is done, such as "reading ratings".
        total: how many parts it has; None where that is not known.
        unit: what is counted from 1, such as "epoch".
        note: how good it is so far.
        done: parts that are done.
        display: what shows it; None: nothing.
        started: when, by `time.monotonic`.
        first: parts that were done when it began.

    >>> training = Stage("training", 10, "epoch", note="best -98.2", done=2)
    >>> training.name, training.count(), training.note
    ('training', 'epoch 3/10', 'best -98.2')
    """

    name: str
    total: float | None = None
    unit: str = ""  # what is counted from 1, such as an epoch
    note: str = ""  # how good it is so far
    done: float = 0.0
    display: Display | None = None
    started: float = field(default_factory=time.monotonic)
    first: float = 0.0  # done when it began

    def update(self, parts: float = 1, note: str | None = None) -> None:
        """So many more parts are done.

        Arguments:
            parts: how many.
            note: how good it is so far; None leaves what was said.
        """
        self.reach(self.done + parts, note=note)

    def reach(self, done: float, total: float | None = None, note: str | None = None) -> None:
        """So much is done in all.

        Arguments:
            done: parts.
            total: how many there are, where that is known only now.
            note: how good it is so far; None leaves what was said.
        """
        self.done = done
        self.total = self.total if total is None else total
        self.note = self.note if note is None else note
        if self.display is not None:
            self.display.changed()

    def resume(self, done: float) -> None:
        """So much was done before: it does not count for the time that is left."""
        self.first = done
        self.reach(done)

    def keep(self, line: str) -> None:
        """A line for the record, such as the figures of an epoch: where there is no display that is drawn anew, it is printed."""
        if self.display is not None:
            self.display.keep(line)

    def left(self) -> float:
        """Seconds to the end at the present pace; NaN where nothing is known yet."""
        done = self.done - self.first
        if not self.total or done <= 0:
            return math.nan
        return max(0.0, (time.monotonic() - self.started) / done * (self.total - self.done))

    def words(self) -> str:
        """The stage in a line: `training, epoch 3/10, 12 s left, best -98.2`."""
        return ", ".join(part for part in (self.name, self.count(), self.remaining(), self.note) if part)

    def count(self) -> str:
        """How much is done, of how much."""
        if self.total is None:
            return f"{self.done:,.0f}" if self.done else ""
        if self.unit:  # the one that is under way
            return f"{self.unit} {min(math.floor(self.done) + 1, int(self.total)):,}/{self.total:,.0f}"
        return f"{self.done:,.0f}/{self.total:,.0f}"

    def remaining(self) -> str:
        """The time that is left."""
        left = self.left()
        return "" if math.isnan(left) else f"{duration(left)} left"


def duration(seconds: float) -> str:
    """A time in the words of a clock.

    >>> duration(8.2), duration(75), duration(7322)
    ('8 s', '1:15 min', '2:02 h')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60}:{whole % 60:02} min" if whole < 3600 else f"{whole // 3600}:{whole % 3600 // 60:02} h"


class Display(ABC):
    """Shows the stages that are under way, the outermost first; `changed` is called at every update and must be quick."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []

    def words(self) -> str:
        """All stages that are under way in a line."""
        return " › ".join(stage.words() for stage in self.stages)

    def names(self) -> str:
        """Their names alone."""
        return " › ".join(stage.name for stage in self.stages)

    @abstractmethod
    def changed(self) -> None:
        """A stage began, went on or ended."""

    def keep(self, line: str) -> None:
        """A line for the record."""

    def __enter__(self) -> Display:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """The work is over."""


current: ContextVar[Display | None] = ContextVar("display", default=None)  # where stages are shown; None: nowhere


@contextmanager
def stage(name: str, total: float | None = None, *, unit: str = "") -> Iterator[Stage]:
    """A piece of work that is shown as long as the block lasts, if anybody looks.

    Arguments:
        name: what is done, such as "reading ratings".
        total: how many parts it has; None where that is not known.
        unit: what a part is, where one takes long enough to be counted while it is under way, such as "epoch".

    >>> with stage("reading ratings", 3) as bar:
    ...     bar.update()
    ...     bar.count()
    '1/3'
    """
    display = current.get()
    made = Stage(name, total, unit, display=display)
    if display is None:
        yield made
        return
    display.stages.append(made)
    display.changed()
    try:
        yield made
    finally:
        display.stages.remove(made)
        display.changed()


def hide() -> None:
    """Show nothing from here on, as in a process that was forked from one which shows something."""
    current.set(None)

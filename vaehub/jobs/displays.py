"""The displays of progress: a line in a terminal, a line below a notebook's cell, plain lines now and then elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, final

from vaehub.jobs.progress import Display, current

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

BAR = 20  # columns
FIRST = 2.0  # seconds after which a log is told of a stage


@contextmanager
def showing(display: Display | None = None) -> Iterator[None]:
    """Show the stages inside the block in the display that fits this process; inside another such block that one goes on.

    Arguments:
        display: in place of the one that fits.

    >>> with showing():
    ...     pass
    """
    with ExitStack() as stack:
        if current.get() is None:
            token = current.set(stack.enter_context(display or display_for_stderr()))
            stack.callback(current.reset, token)
        yield


def display_for_stderr() -> Display:
    """The display for where standard error goes."""
    if in_notebook():
        return Notebook()
    return Terminal() if sys.stderr.isatty() else Lines()


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config


@final
class Lines(Display):
    """Plain lines on standard error: a stage is named when it has lasted a moment, then now and then how far it is.

    Arguments:
        first: seconds until a stage is named.
        every: seconds from then on between two lines.
    """

    def __init__(self, first: float | None = None, every: float = 20.0) -> None:
        super().__init__()
        self.first, self.every = FIRST if first is None else first, every
        self._names, self._next, self._ended = "", math.inf, Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Display:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def changed(self) -> None:
        """Another stage is spoken of soon."""
        if (names := self.names()) != self._names:
            self._names, self._next = names, time.monotonic() + self.first

    def keep(self, line: str) -> None:
        """Print it on standard output, which is reason enough to say nothing else for a while."""
        print(line, flush=True)
        self._next = time.monotonic() + self.every

    def _watch(self) -> None:
        while not self._ended.wait(min(self.first, self.every) / 4):
            words = self.words()
            if words and time.monotonic() >= self._next:
                print(f"{words} …", file=sys.stderr, flush=True)
                self._next = time.monotonic() + self.every


@final
class Terminal(Display):
    """One line on standard error with a bar, drawn anew a few times a second while a stage is under way."""

    def __init__(self) -> None:
        super().__init__()
        self._live: Live | None = None

    def changed(self) -> None:
        """The line appears with the first stage and goes with the last; between, the clock draws it."""
        if self.stages and self._live is None:
            self._live = self._started()
        elif not self.stages and self._live is not None:
            self._live.stop()
            self._live = None

    def _started(self) -> Live:
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        spinner = Spinner("dots")
        live = Live(
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,  # or it would go to standard error
            refresh_per_second=8,
            get_renderable=lambda: self._line(spinner),
        )
        live.start(refresh=True)
        return live

    def _line(self, spinner: Any) -> Table:
        """Spinner, words and bar."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        counted = [(stage.done, stage.total) for stage in self.stages if stage.total]
        line = Table.grid(padding=(0, 1))
        line.add_column()
        line.add_column(no_wrap=True, overflow="ellipsis")
        cells: list[Any] = [spinner, Text(self.words())]
        if counted:
            done, total = counted[-1]
            line.add_column(min_width=BAR)
            cells.append(ProgressBar(total=total, completed=min(done, total), width=BAR))
        line.add_row(*cells)
        return line


@final
class Notebook(Display):
    """One line below the cell, written anew at most twice a second."""

    def __init__(self) -> None:
        super().__init__()
        self._handle: Any = None
        self._names, self._at = "", -math.inf

    def changed(self) -> None:
        """Write the line anew when it is time, or another stage began."""
        names = self.names()
        if names != self._names or time.monotonic() > self._at + 0.5:
            self._names, self._at = names, time.monotonic()
            self._write(self.words())

    def _write(self, words: str) -> None:
        line = {"text/plain": words}
        if self._handle is None:
            self._handle = import_module("IPython.display").display(line, raw=True, display_id=True)
        else:
            self._handle.update(line, raw=True)

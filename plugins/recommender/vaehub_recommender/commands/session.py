"""What a command tells while it runs: bars on a terminal, warnings on lines of their own."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@contextmanager
def session() -> Iterator[Progress]:
    """Bars and warnings go to standard error; bars only where that is a terminal."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bars = Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
    with bars, warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = showing(bars, warnings.showwarning)
        yield bars


def showing(bars: Progress, others: Callable[..., Any]) -> Callable[..., None]:
    """What is done with a warning: those for the user are told once, all others are shown as Python does."""
    told = set()

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if category is not UserWarning:
            others(message, category, *where, **more)
        elif str(message) not in told:
            told.add(str(message))
            bars.console.print(f"warning: {message}", markup=False, highlight=False, soft_wrap=True)

    return show

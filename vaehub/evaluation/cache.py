"""Measuring a run once, however many ask."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def cached_per_run(measure: Callable[Concatenate[R, P], T]) -> Callable[Concatenate[R, P], T]:
    """Keep the result of `measure(run, …)` as long as the run: tiles, tables and figures of a page share it.

    Arguments:
        measure: of a run; its other arguments must be hashable.

    >>> class Trained:
    ...     pass
    >>> calls, run = [], Trained()
    >>> measured = cached_per_run(lambda run: calls.append(run))
    >>> measured(run), measured(run), len(calls)
    (None, None, 1)
    """
    kept: WeakKeyDictionary[R, dict[object, T]] = WeakKeyDictionary()

    @wraps(measure)
    def remembered(run: R, /, *args: P.args, **options: P.kwargs) -> T:
        found = kept.setdefault(run, {})
        key = (args, tuple(sorted(options.items())))
        if key not in found:
            found[key] = measure(run, *args, **options)
        return found[key]

    return remembered

"""Damaged headers of model files: a value of every JSON type at every place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

Place: TypeAlias = tuple[str | int, ...]

VALUES: tuple[Any, ...] = (
    *(None, True, -1, 10**30, 1.5, float("inf"), float("nan"), "", "x", "\ud800"),
    *([], [1], ["x"], [[]], [None] * 101, {}, {"a": 1}),
)


def damaged(value: Any) -> Iterator[tuple[Place, Any]]:
    """Every place in a JSON value with the value damaged there; of a list the first two entries.

    >>> list(damaged([1]))[-1]
    ((0,), [{'a': 1}])
    """
    for place in places(value):
        for other in VALUES:
            yield place, put(value, place, other)


def places(value: Any, start: Place = ()) -> Iterator[Place]:
    """Every place in a JSON value, its own first."""
    yield start
    entries = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, part in entries:
        yield from places(part, (*start, key))


def put(value: Any, place: Place, other: Any) -> Any:
    """The value with another at a place."""
    if not place:
        return other
    copy = value.copy()
    copy[place[0]] = put(value[place[0]], place[1:], other)
    return copy

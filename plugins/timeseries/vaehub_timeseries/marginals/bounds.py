"""Between which bounds the values of a column lie: as the user says, or found where data pile up at an end.

Letters of shapes: C channels, n observed cells of one.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vaehub import UsageError, arguments, hints
from vaehub_timeseries.frames import Channel
from vaehub_timeseries.frames.sentinels import find_sentinel

Floats: TypeAlias = NDArray[np.float64]
Pair: TypeAlias = tuple[float, float]
OPEN: Pair = (-np.inf, np.inf)
WANTED = "a pair such as (0, None), or {'pv': (0, None)}"
PILE, FEWEST = 0.02, 5  # the least share of the cells, and the least number, that make a pile-up at an end
PEAK = 2.0  # times as many cells as the next value has: a value among equals is no bound
DISTINCT = 8  # values that a channel must have: with fewer it is a code, not a quantity
MOST = 0.95  # of the cells, that may lie at the ends: of a channel with more nothing else is known


@dataclass(frozen=True)
class Bound:
    """One end of a channel: where it is, whether the data pile up at it, and how it was found: "given", "pile-up", "counts" or ""."""

    at: float
    pile: bool = False
    how: str = ""


def checked_bounds(given: Any) -> dict[Hashable, Pair] | Pair | None:
    """The option `bounds` as pairs of numbers, -inf or inf where a side is open. Raises UsageError for what is none.

    >>> checked_bounds({"pv": (0, None)})
    {'pv': (0.0, inf)}
    """
    if given is None:
        return None
    if isinstance(given, Mapping):
        return {column: checked_pair(f"bounds[{column!r}]", pair) for column, pair in given.items()}
    return checked_pair("bounds", given)


def checked_pair(name: str, pair: Any) -> Pair:
    """One pair."""
    if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
        raise arguments.wrong_argument(name, pair, WANTED)
    for end in pair:
        if end is not None and (isinstance(end, bool) or not isinstance(end, Real) or np.isnan(float(end))):
            raise arguments.wrong_argument(name, pair, WANTED)
    low, high = (default if end is None else float(end) for end, default in zip(pair, OPEN, strict=True))
    if not low < high:
        raise UsageError(f"{name}={pair!r}: the lower bound must lie below the upper one")
    return low, high


def parsed_bounds(text: str) -> dict[Hashable, Pair] | Pair:
    """`pv=0:;humidity=0:100`, or `0:` for all columns. Raises UsageError where it is written otherwise.

    >>> parsed_bounds("pv=0:;humidity=0:100")
    {'pv': (0.0, inf), 'humidity': (0.0, 100.0)}
    """
    parts = [part.strip() for part in text.split(";") if part.strip()]
    if len(parts) == 1 and "=" not in parts[0]:
        return parsed_pair(parts[0], text)
    pairs: dict[Hashable, Pair] = {}
    for part in parts:
        column, equals, pair = part.rpartition("=")
        if not equals or not column.strip():
            raise UsageError(
                f"--bounds: {hints.quoted(part)}: write column=low:high, with semicolons between: pv=0:;humidity=0:100"
            )
        pairs[column.strip()] = parsed_pair(pair, part)
    return pairs


def parsed_pair(text: str, whole: str) -> Pair:
    """`0:100`, of which either number may be left out."""
    low, colon, high = text.strip().partition(":")
    try:
        ends = [default if not word.strip() else float(word) for word, default in zip((low, high), OPEN, strict=True)]
    except ValueError:
        ends = []
    if not colon or len(ends) != 2:
        raise UsageError(f"--bounds: {hints.quoted(whole)}: write low:high, either of which may be left out: 0: or 0:100")
    return checked_pair("--bounds", tuple(ends))


def given_bounds(bounds: dict[Hashable, Pair] | Pair | None, channels: Sequence[Channel]) -> list[Pair | None]:
    """What the user says of each channel (C,). Raises UsageError for a column that is absent or has no numbers."""
    if bounds is None:
        return [None] * len(channels)
    numeric = [channel.column for channel in channels if channel.kind in ("float", "int")]
    if not isinstance(bounds, dict):
        return [bounds if channel.kind in ("float", "int") else None for channel in channels]
    for column in bounds:
        if column not in numeric:
            raise UsageError(
                f"bounds: {column!r} is no column of numbers; {hints.did_you_mean(str(column), map(str, numeric[:50]))}"
            )
    return [bounds.get(channel.column) for channel in channels]


def find_bounds(values: Floats, channel: Channel, given: Pair | None) -> tuple[Bound, Bound]:
    """Lower and upper bound of a channel by its observed values (n,)."""
    if given is not None:
        ends = [Bound(at, np.isfinite(at) and piled(values, at), "given" if np.isfinite(at) else "") for at in given]
        return ends[0], ends[1]
    nothing = (Bound(-np.inf), Bound(np.inf))
    if channel.kind not in ("float", "int") or len(values) < FEWEST:
        return nothing
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) < DISTINCT or counts[[0, -1]].sum() > MOST * len(values):
        return nothing
    if find_sentinel(values) is not None:
        return nothing
    low = Bound(float(distinct[0]), True, "pile-up") if is_peak(counts, len(values)) else nothing[0]
    high = Bound(float(distinct[-1]), True, "pile-up") if is_peak(counts[::-1], len(values)) else nothing[1]
    if channel.kind == "int" and not low.how and distinct[0] in (0, 1):
        low = Bound(0.0, bool(distinct[0] == 0), "counts")
    return low, high


def is_peak(counts: NDArray[np.int64], cells: int) -> bool:
    """Whether the first of the distinct values is frequent, and more so than the next."""
    return bool(counts[0] >= max(FEWEST, PILE * cells) and counts[0] >= PEAK * counts[1])


def piled(values: Floats, at: float) -> bool:
    """Whether some of the values lie at a bound that is given."""
    share = np.mean(values == at) if len(values) else 0.0
    return bool(PILE <= share <= MOST and len(np.unique(values)) >= DISTINCT)


def check_within(values: Floats, channel: Channel, given: Pair) -> None:
    """Raise UsageError for observed values beyond the bounds."""
    beyond = values[(values < given[0]) | (values > given[1])]
    if len(beyond):
        raise UsageError(
            f"column {hints.quoted(channel.column)}: {len(beyond):,} of its values are outside its bounds ({bounds_text(*given)}), "
            f"{beyond[0]:g} for one; widen the bounds, or mend the values or leave them out"
        )


def bounds_text(low: float, high: float) -> str:
    """Bounds in a message or a table.

    >>> bounds_text(0.0, np.inf), bounds_text(0.0, 100.0)
    ('0 or more', '0 to 100')
    """
    if np.isinf(low) or np.isinf(high):
        return "none" if np.isinf(low) and np.isinf(high) else f"{low:g} or more" if np.isinf(high) else f"{high:g} or less"
    return f"{low:g} to {high:g}"

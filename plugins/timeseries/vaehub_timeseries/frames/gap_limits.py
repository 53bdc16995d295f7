"""How long the gaps of a frame are, and which of them are left unfilled.

Letters of shapes: R rows of the frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub import UsageError, arguments
from vaehub_timeseries.frames.rows import Rows
from vaehub_timeseries.frames.schema import Schema
from vaehub_timeseries.frames.stamps import Stamps

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

DAY = 86_400 * 10**9  # ns
WEEKDAYS = 10  # stamps without a weekend that make weekdays the calendar
AREAS = ("inside", "outside")
ROUNDING = 1e-9


class CellGaps(NamedTuple):
    """steps (R,): of the gap that each missing cell lies in, 0 where it is observed; inside (R,): whether something is observed on both sides."""

    steps: Ints
    inside: Bools


@dataclass(frozen=True)
class GapLimits:
    """Which gaps are filled: those of at most `steps`, in one `area` of a series ("inside", "outside") or in both."""

    steps: float = math.inf
    area: str | None = None

    @classmethod
    def of(cls, max_gap: object, area: object, schema: Schema) -> GapLimits:
        """The options of `Imputer`. Raises UsageError for what is none."""
        checked = None if area is None else arguments.one_of(*AREAS)("limit_area", area)
        return cls(math.inf if max_gap is None else steps_of(max_gap, schema), checked)

    @property
    def fills_all(self) -> bool:
        """Whether no gap is left."""
        return math.isinf(self.steps) and self.area is None

    def leaves(self, gaps: CellGaps) -> Bools:
        """Which of the missing cells stay so (R,)."""
        too_long = gaps.steps > self.steps + ROUNDING
        elsewhere = np.zeros_like(gaps.inside) if self.area is None else gaps.inside != (self.area == "inside")
        left: Bools = (gaps.steps > 0) & (too_long | elsewhere)
        return left


def parse_gap(max_gap: object, name: str = "max_gap") -> int | pd.Timedelta:
    """A whole number of steps, or a length of time; text may be either. Raises UsageError that calls the option by `name`."""
    if isinstance(max_gap, str) and max_gap.strip().isdecimal():
        return parse_gap(int(max_gap), name)
    wrong = arguments.wrong_argument(name, max_gap, "a whole number of steps, 1 or more, or a length of time such as '6h'")
    try:
        length = pd.Timedelta(max_gap) if isinstance(max_gap, str) else arguments.at_least(1)(name, max_gap)
    except (ValueError, UsageError) as error:
        raise wrong from error
    if isinstance(length, int) or length > pd.Timedelta(0):
        return length
    raise wrong


def steps_of(max_gap: object, schema: Schema) -> float:
    """The longest gap that is filled, in steps. Raises UsageError."""
    length = parse_gap(max_gap)
    if isinstance(length, int):
        return length
    if schema.unit != "ns":
        raise UsageError(
            f"max_gap={max_gap!r}: the rows have no stamps to measure a length of time by; give a whole number of steps (--max-gap=6)"
        )
    steps = length / pd.Timedelta(1, "ns") / schema.step
    if steps < 1 - ROUNDING:
        step = str(pd.Timedelta(round(schema.step), "ns")).removeprefix("0 days ")
        raise UsageError(
            f"max_gap={max_gap!r} (--max-gap) is less than the step of {step} between two rows: no gap would be filled; give more"
        )
    return float(steps)


class Timeline:
    """The rows of a frame in the order of series and time, by which gaps are measured.

    A series is an entity, in the long form a variable of one (`variable`, codes (R,)). Rows that were left out count as missing, and the
    ends of a series are those of its entity.
    """

    def __init__(self, rows: Rows, step: float, variable: Ints | None = None) -> None:
        groups = [rows.entity, *([] if variable is None else [variable])]
        self.order = np.lexsort((rows.stamps.at, *reversed(groups)))
        place = places(rows.stamps, step)
        first, last = np.full(len(rows.names), np.inf), np.full(len(rows.names), -np.inf)
        np.minimum.at(first, rows.entity, place)
        np.maximum.at(last, rows.entity, place)
        entity = rows.entity[self.order]
        self.place, self.before, self.after = place[self.order], first[entity] - 1, last[entity] + 1
        new = np.logical_or.reduce([np.diff(group[self.order]) != 0 for group in groups])
        starts = np.flatnonzero(np.concatenate([[True], new]))
        sizes = np.diff(np.append(starts, len(entity)))
        self.start, self.stop = np.repeat(starts, sizes), np.repeat(starts + sizes, sizes)

    def gaps(self, missing: Bools) -> CellGaps:
        """The gap of every missing cell of a column (R,): the steps between the observed cells on both sides, or the end of the series."""
        gone, number = missing[self.order], np.arange(len(missing))
        previous = np.maximum.accumulate(np.where(gone, -1, number))
        following = np.minimum.accumulate(np.where(gone, len(gone), number)[::-1])[::-1]
        left, right = previous >= self.start, following < self.stop
        begin = np.where(left, self.place[np.maximum(previous, 0)], self.before)
        end = np.where(right, self.place[np.minimum(following, len(gone) - 1)], self.after)
        length = np.where(gone, np.maximum(np.rint(end - begin - 1), 1), 0)
        steps, inside = np.empty(len(gone), np.int64), np.empty(len(gone), bool)
        steps[self.order], inside[self.order] = length, gone & left & right
        return CellGaps(steps, inside)


def places(stamps: Stamps, step: float) -> Floats:
    """Where every stamp lies, in steps (R,); on a calendar of weekdays no weekend lies between Friday and Monday."""
    if stamps.unit == "ns" and round(step / DAY) == 1:
        days = stamps.local(stamps.at).tz_localize(None).normalize()
        if len(days.unique()) >= WEEKDAYS and bool((days.day_of_week < 5).all()):
            return np.asarray(np.busday_count("1970-01-01", days.to_numpy().astype("M8[D]")), np.float64)
    return np.asarray((stamps.at - stamps.at.min()) / step, np.float64)

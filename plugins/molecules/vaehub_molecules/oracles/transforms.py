"""Values turned into desirabilities from 0 to 1, as they are written behind an objective: `mw:200..450`, `logp:sigmoid(1,3)`, `tpsa:step(..90)`."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

from vaehub import UsageError
from vaehub_molecules.oracles.modifiers import gaussian

SOFTNESS = 0.25  # of the width of a window, or of the one limit that it has: the standard deviation at which desirability falls beyond it
STEEPNESS = 6.0  # a sigmoid has 0.05 at its low and 0.95 at its high end
CALL = re.compile(r"(sigmoid|step)\((.*)\)")
RANGE = re.compile(r"[\d.eE+-]*\.\.[\d.eE+-]*")
FORMS = "write a window as 200..450, ..90 or 1.., a sigmoid as sigmoid(1,3), a step as step(200..450)"


class Transform(ABC):
    """A value -> a score, the higher the better."""

    @abstractmethod
    def __call__(self, value: float) -> float:
        """The score of a value."""

    @abstractmethod
    def __str__(self) -> str:
        """How it is written behind an objective."""


@final
@dataclass(frozen=True)
class Window(Transform):
    """1 from low to high, beyond exp(-(d / s)² / 2) of the distance d, with s a quarter of the width, or of the only limit."""

    low: float
    high: float

    def __call__(self, value: float) -> float:
        """1 within."""
        return gaussian(value, min(max(value, self.low), self.high), self.width)

    @property
    def width(self) -> float:
        """The deviation s."""
        finite = [abs(limit) for limit in (self.low, self.high) if math.isfinite(limit)]
        return SOFTNESS * (self.high - self.low if len(finite) == 2 else finite[0] or 1.0)

    def __str__(self) -> str:
        """low..high."""
        return range_text(self.low, self.high)


@final
@dataclass(frozen=True)
class Step(Transform):
    """1 from low to high, 0 beyond."""

    low: float
    high: float

    def __call__(self, value: float) -> float:
        """1 within."""
        return value if math.isnan(value) else float(self.low <= value <= self.high)

    def __str__(self) -> str:
        """step(low..high)."""
        return f"step({range_text(self.low, self.high)})"


@final
@dataclass(frozen=True)
class Sigmoid(Transform):
    """1 / (1 + exp(-6 (v - m) / (high - low))), m between: 0.05 at low, 0.95 at high; falling where high is the smaller number."""

    low: float
    high: float

    def __call__(self, value: float) -> float:
        """0.5 in the middle."""
        steepness = STEEPNESS * (value - (self.low + self.high) / 2) / (self.high - self.low)
        return 1 / (1 + math.exp(-max(min(steepness, 500.0), -500.0))) if math.isfinite(steepness) else math.nan

    def __str__(self) -> str:
        """sigmoid(low,high)."""
        return f"sigmoid({self.low:g},{self.high:g})"


def parse_transform(text: str) -> Transform | None:
    """The transform that a text stands for; None where it is meant for something else.

    Raises:
        UsageError: for one that cannot be read.

    >>> window = parse_transform("200..450")
    >>> str(window), window(300.0), round(window(500.0), 2)
    ('200..450', 1.0, 0.73)
    >>> round(parse_transform("sigmoid(-6,-10)")(-10.0), 2), parse_transform("score")
    (0.95, None)
    """
    if RANGE.fullmatch(text):
        return Window(*limits(text, text))
    if (call := CALL.fullmatch(text)) is None:
        return None
    if call[1] == "step":
        return Step(*limits(call[2], text))
    ends = [number(end, text) for end in call[2].split(",")]
    if len(ends) != 2 or ends[0] == ends[1]:
        raise UsageError(f"{text}: a sigmoid has two different ends; {FORMS}")
    return Sigmoid(*ends)


def limits(text: str, whole: str) -> tuple[float, float]:
    """The ends of low..high; an end that is left out is infinite. Raises UsageError where there is none, or they are in the wrong order."""
    low, dots, high = text.partition("..")
    ends = number(low, whole) if low else -math.inf, number(high, whole) if high else math.inf
    if not dots or ends == (-math.inf, math.inf) or ends[0] >= ends[1]:
        raise UsageError(f"{whole}: a range has a low end, a high end that is above it, or both; {FORMS}")
    return ends


def number(text: str, whole: str) -> float:
    """A finite number. Raises UsageError for anything else."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f"{whole}: {text!r} is no number; {FORMS}")
    return value


def range_text(low: float, high: float) -> str:
    """low..high, without an end that is infinite."""
    return "..".join(f"{end:g}" if math.isfinite(end) else "" for end in (low, high))

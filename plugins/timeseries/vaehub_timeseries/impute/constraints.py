"""Constraints between columns: sums that must hold, and orders; estimates and draws are moved onto them as little as possible.

Of all values that fulfil the constraints of a row, those are taken that are nearest in units of the predictive standard deviations; observed
cells stay. "An algorithm for restricted least squares regression" (Dykstra, 1983), doi:10.1080/01621459.1983.10477029, finds them for sums,
orders and bounds together. Letters of shapes: T steps, C channels.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from vaehub import UsageError, hints
from vaehub_timeseries.frames import Channel
from vaehub_timeseries.impute.experts import Floats, Mask

ROUNDS, CLOSE = 200, 1e-9  # of the projections at most; the largest step, in standard deviations, that ends them
TOLERANCE, BROKEN = (
    0.01,
    0.05,
)  # of a standard deviation, by which observed rows may miss; share of them, above which a constraint is refused
NUMBER = r"\d+(?:\.\d*)?|\.\d+"


@dataclass(frozen=True)
class Constraint:
    """weights (C,) x = constant, or <= constant; `text` is what the user wrote, `counted` (C,) the columns of whole numbers."""

    weights: Floats
    constant: float
    equal: bool
    text: str
    counted: Mask

    def excess(self, values: Floats) -> Floats:
        """How far rows (T, C) are beyond it (T,): signed for sums, 0 or more for orders."""
        side = values @ self.weights - self.constant
        return np.asarray(side if self.equal else np.maximum(side, 0.0))


def checked_constraints(given: object) -> tuple[str, ...]:
    """The option `constraints`. Raises UsageError for anything but a list of texts."""
    if given is None:
        return ()
    if isinstance(given, str) or not isinstance(given, Sequence) or not all(isinstance(text, str) for text in given):
        raise UsageError(f"constraints: should be a list such as ['a + b = total', 'low <= high'], not {given!r}")
    return tuple(given)


def parsed_constraints(texts: Sequence[str], channels: Sequence[Channel]) -> list[Constraint]:
    """Constraints from texts such as "a + b = total" and "low <= high". Raises UsageError that names what is not understood.

    >>> channels = [Channel(name, name, "float") for name in ("a", "b", "total")]
    >>> parsed_constraints(["a + b = total"], channels)[0].weights.tolist()
    [1.0, 1.0, -1.0]
    """
    return [parsed_constraint(text, channels) for text in texts]


def parsed_constraint(text: str, channels: Sequence[Channel]) -> Constraint:
    """One of them."""
    parts = re.split(r"(<=|>=|==|=)", text)
    if len(parts) != 3:
        raise UsageError(f"constraints: {hints.quoted(text)}: write one =, <= or >= between two sums of columns: 'a + b = total'")
    left, right = (parsed_sum(part, text, channels) for part in (parts[0], parts[2]))
    weights, constant = left[0] - right[0], right[1] - left[1]
    if not weights.any():
        raise UsageError(f"constraints: {hints.quoted(text)} names no column; write for instance 'a + b = total'")
    counted = np.array([channel.kind == "int" for channel in channels])
    if parts[1] == ">=":
        return Constraint(-weights, -constant, False, text, counted)
    return Constraint(weights, constant, "<" not in parts[1], text, counted)


def parsed_sum(side: str, text: str, channels: Sequence[Channel]) -> tuple[Floats, float]:
    """Weights (C,) and constant of one side: columns and numbers with + and - between."""
    names = {str(channel.column): c for c, channel in enumerate(channels) if channel.kind in ("float", "int")}
    weights, constant = np.zeros(len(channels)), 0.0
    if side.strip() in names:
        weights[names[side.strip()]] = 1.0
        return weights, constant
    for sign, word in re.findall(r"(^|[+-](?=\s)|(?<=\s)[+-])\s*((?:(?!\s[+-]|[+-]\s).)+)", side.strip()):
        term, factor = word.strip(), -1.0 if sign == "-" else 1.0
        if term in names:
            weights[names[term]] += factor
        elif re.fullmatch(NUMBER, term):
            constant += factor * float(term)
        else:
            close = hints.did_you_mean(term, list(names)[:50])
            raise UsageError(f"constraints: {hints.quoted(text)}: {hints.quoted(term)} is no column of numbers; {close}")
    return weights, constant


def check_observed(constraints: Sequence[Constraint], series: Sequence[Floats], spread: Floats) -> None:
    """Warn of constraints that some observed rows (T, C) break. Raises UsageError where many do."""
    for constraint in constraints:
        used = constraint.weights != 0
        rows = np.concatenate([values[~np.isnan(values[:, used]).any(1)] for values in series])
        excess = np.abs(constraint.excess(np.where(used, rows, 0.0)))
        broken = excess > TOLERANCE * spread[used].max()
        if broken.any():
            where = f"constraints: {hints.quoted(constraint.text)}: {broken.sum():,} of {len(rows):,} rows where all of it is observed break it"
            if broken.mean() > BROKEN:
                raise UsageError(f"{where}, by up to {excess.max():g}; mend the constraint, or the columns")
            warnings.warn(f"{where}; these stay as they are", UserWarning, stacklevel=2)


def project(values: Floats, fixed: Mask, sd: Floats, constraints: Sequence[Constraint], lower: Floats, upper: Floats) -> Floats:
    """The nearest rows that fulfil all constraints, whole numbers in the columns of such.

    Arguments:
        values: (T, C), finite.
        fixed: Cells (T, C) that stay.
        sd: Of every cell (T, C), above 0, in whose units distances are.
        constraints: At least one.
        lower, upper: Bounds (C,) of the columns, infinite where there are none.

    Returns:
        (T, C); rows in which fixed cells leave no way come as near as they may.

    >>> total = parsed_constraints(["a = b"], [Channel(name, name, "float") for name in "ab"])
    >>> open_ends = np.full(2, -np.inf), np.full(2, np.inf)
    >>> project(np.array([[0.0, 4.0]]), np.zeros((1, 2), bool), np.array([[1.0, 3.0]]), total, *open_ends).round(3).tolist()
    [[0.4, 0.4]]
    """
    x = nearest(values, fixed, sd, constraints, lower, upper)
    counted = constraints[0].counted
    if not counted.any():
        return x
    whole = nearest_whole(x, fixed, constraints, lower, upper)
    return nearest(whole, fixed | counted, sd, constraints, lower, upper)


def nearest_whole(values: Floats, fixed: Mask, constraints: Sequence[Constraint], lower: Floats, upper: Floats) -> Floats:
    """Rows (T, C) with their counts rounded; where rounding breaks a constraint between counts alone, those move by 1 that lie nearest to it."""
    counted = constraints[0].counted
    x = np.where(counted & ~fixed, np.rint(values), values)
    for _, constraint in product(range(x.shape[1]), constraints):
        free = ~fixed & (constraint.weights != 0)
        excess = constraint.excess(x)
        rows = np.flatnonzero((np.abs(excess) > 0.5) & free.any(1) & ~(free & ~counted).any(1))
        step = -np.sign(excess[rows])[:, None] * np.sign(constraint.weights)
        moved = x[rows] + step
        allowed = free[rows] & (moved >= lower) & (moved <= upper)
        distance = np.where(allowed, np.abs(moved - values[rows]), np.inf)
        chosen = allowed & (np.arange(x.shape[1]) == distance.argmin(1)[:, None])
        x[rows] = np.where(chosen, moved, x[rows])
    return x


def nearest(values: Floats, fixed: Mask, sd: Floats, constraints: Sequence[Constraint], lower: Floats, upper: Floats) -> Floats:
    """The nearest rows in real numbers; arguments as of `project`."""
    variance = np.where(fixed, 0.0, sd**2)
    stuck = [(constraint.weights**2 * variance).sum(1) == 0 for constraint in constraints]
    scale = float(sd.max())
    x, corrections = values.copy(), np.zeros((len(constraints) + 1, *values.shape))
    for _ in range(ROUNDS):
        before = x
        for number, constraint in enumerate(constraints):
            y = x + corrections[number]
            size = (constraint.weights**2 * variance).sum(1)
            step = np.where(size > 0, constraint.excess(y) / np.where(size > 0, size, 1.0), 0.0)
            x = y - step[:, None] * constraint.weights * variance
            corrections[number] = y - x
        y = x + corrections[-1]
        x = np.where(fixed, values, y.clip(lower, upper))
        corrections[-1] = np.where(fixed, 0.0, y - x)
        left = max(
            float(np.abs(constraint.excess(x))[~done].max(initial=0.0))
            for constraint, done in zip(constraints, stuck, strict=True)
        )
        if (np.abs(x - before) <= CLOSE * sd).all() and left <= CLOSE * scale:
            break
    return np.asarray(x)

"""The step of the grid: what lies between two readings, as a rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub import UsageError
from vaehub_timeseries.frames.schema import int_if_whole
from vaehub_timeseries.frames.stamps import Numbers

NEAR = 0.12  # part of a step that a difference may be off: months have 28 to 31 days
REGULAR, LATTICE, SEEN = 0.9, 0.05, 0.3  # shares of the differences


def differences(entity: NDArray[np.int64], at: Numbers) -> Numbers:
    """What lies between a reading and the next of its entity, above 0; both (R,) and sorted."""
    between = np.diff(at)[np.diff(entity) == 0]
    ahead: Numbers = between[between > 0]
    return ahead


def parse_step(text: str, unit: str) -> float:
    """`step` as the user gave it, in the unit of the stamps. Raises UsageError."""
    try:
        step = pd.Timedelta(text).as_unit("ns").value if unit == "ns" else float(text)
    except ValueError:
        step = 0
    if not step > 0:
        example = "'1h' or '15min'" if unit == "ns" else "'1' or '0.5', as the times are numbers"
        raise UsageError(f"step={text!r}: give a fixed step above 0, such as {example}")
    return step


def common_step(between: Numbers, lone: float) -> float:
    """The commonest difference; the mean of those near it where they vary (months, jitter); the median where none is common; or `lone`."""
    if not len(between):
        return lone
    sizes, counts = np.unique(between, return_counts=True)
    mode, share = sizes[counts.argmax()], counts.max() / len(between)
    ratio = between / mode
    if share >= REGULAR or (share >= LATTICE and on_lattice(ratio) and not is_jittered(ratio)):
        return int_if_whole(float(mode))
    near = np.abs(ratio - 1) < NEAR
    return int_if_whole(float(between[near].mean() if near.mean() >= SEEN else np.median(between)))


def on_lattice(ratio: NDArray[np.float64]) -> bool:
    """Whether nearly all differences are multiples of the step, as they are where rows are left out."""
    return bool((np.abs(ratio - np.rint(ratio)) < 1e-3).mean() >= REGULAR)


def is_jittered(ratio: NDArray[np.float64]) -> bool:
    """Whether many differences are about the step, but not it."""
    return bool(((np.abs(ratio - 1) < NEAR) & (ratio != 1)).mean() > 1 - REGULAR)

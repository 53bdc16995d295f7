"""Who and when every row is."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub import UsageError, hints
from vaehub_timeseries.frames.autumn_hour import with_autumn_hours
from vaehub_timeseries.frames.date_formats import DateOptions
from vaehub_timeseries.frames.labels import column_label, column_of, row_label, row_labels
from vaehub_timeseries.frames.read_stamps import key_values, read_stamps, row_numbers
from vaehub_timeseries.frames.schema import Form
from vaehub_timeseries.frames.stamps import Stamps

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """entity (R,): codes of the names; stamps (R,)."""

    entity: Ints
    names: list[Hashable]
    stamps: Stamps


def read_rows(frame: pd.DataFrame, form: Form, dates: DateOptions) -> Rows:
    """Entities and stamps. Raises UsageError that names the row where one is missing."""
    entity, names = read_entities(frame, form)
    if not form.time:
        return Rows(entity, names, row_numbers(entity))
    series = entity
    if form.variable is not None:
        variable, kinds = pd.factorize(column_of(frame, form.variable))
        series = np.asarray(entity * (len(kinds) + 1) + variable, np.int64)
    return Rows(entity, names, with_autumn_hours(read_stamps(frame, form.time, dates), series))


def read_entities(frame: pd.DataFrame, form: Form) -> tuple[Ints, list[Hashable]]:
    """Codes (R,) and the entities' names, in order of appearance; a tuple where several columns make one."""
    if not form.entity:
        return np.zeros(len(frame), np.int64), [None]
    parts = [key_values(frame, key) for key in form.entity]
    for part, key in zip(parts, form.entity, strict=True):
        if (missing_rows := part.isna().to_numpy(bool)).any():
            raise UsageError(
                f"{row_label(frame, int(missing_rows.argmax()))}: no entity in {column_label(key.label)}; fill it in or drop the row"
            )
    if len(parts) == 1:
        codes, names = pd.factorize(parts[0])
        return codes.astype(np.int64), list(names)
    index = pd.MultiIndex.from_arrays(parts)
    codes, names = pd.factorize(index)
    return codes.astype(np.int64), list(names)


def reject_duplicates(frame: pd.DataFrame, read: Rows, form: Form, variable: Ints | None = None) -> None:
    """Raise UsageError, with the rows, where an entity has two readings (of a variable) at one time."""
    keys = [read.entity, read.stamps.at, *([] if variable is None else [variable])]
    table = pd.DataFrame(dict(enumerate(keys)))
    again = table.duplicated().to_numpy()
    if not again.any():
        return
    second = int(again.argmax())
    same = np.logical_and.reduce([key == key[second] for key in keys])
    raise UsageError(
        f"{row_labels(frame, np.flatnonzero(same))}: several readings{entity_text(read, form, second)} at {time_text(frame, form, second)}"
        f" ({int(again.sum()):,} rows too many in all); {clock_hint(read, again)}drop them, name the entity= (--entity) or set "
        "aggregate='mean' (--aggregate=mean)"
    )


def clock_hint(read: Rows, again: NDArray[np.bool_]) -> str:
    """What to do where one hour of a night in autumn is there twice, as it is when clocks go back."""
    stamps = read.stamps
    if stamps.unit != "ns" or stamps.zone is not None:
        return ""
    twice = stamps.local(stamps.at[again])
    if not (twice.month.isin([10, 11]) & twice.hour.isin([0, 1, 2, 3])).all() or (twice.hour != twice[0].hour).any():
        return ""
    return "a change of clocks? give stamps with a zone or an offset (in Python: tz_localize(zone, ambiguous='infer')); else "


def entity_text(read: Rows, form: Form, position: int) -> str:
    """The entity of a row in a message."""
    return f" of {hints.quoted(read.names[read.entity[position]])}" if form.entity else ""


def time_text(frame: pd.DataFrame, form: Form, position: int) -> str:
    """The time of a row as the frame writes it."""
    return " ".join(str(key_values(frame, key).iloc[position]) for key in form.time)


def last_rows(groups: Sequence[NDArray[np.generic]], at: NDArray[np.generic]) -> NDArray[np.intp]:
    """The row with the latest stamp of each group, in the order of the groups."""
    order = np.lexsort((at, *reversed(groups)))
    ends = np.logical_or.reduce([np.diff(group[order]) != 0 for group in groups])
    last: NDArray[np.intp] = order[np.append(ends, True)]
    return last

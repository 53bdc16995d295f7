"""Rows ahead of which some columns are given, such as a weather forecast, the calendar or a tariff."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub import UsageError
from vaehub_timeseries.frames.columns import missing_cells
from vaehub_timeseries.frames.labels import column_label, column_of, place_of, row_label
from vaehub_timeseries.frames.rows import Rows, read_rows
from vaehub_timeseries.frames.schema import Schema

Bools = NDArray[np.bool_]


def with_given(
    frame: pd.DataFrame, schema: Schema, rows: Rows, future: Bools, given: pd.DataFrame
) -> tuple[pd.DataFrame, dict[Hashable, Bools]]:
    """The frame with what is given of its `future` rows (R,), and per column where that is (R,).

    Arguments:
        frame: With rows ahead.
        schema: Of the frame.
        rows: Of the frame.
        future: Which rows lie ahead.
        given: The keys of rows ahead (where there are stamps or entities) and columns that the model knows.

    Raises:
        UsageError: the form is long, a column is not of the model or of another kind, or a row is not among those ahead.
    """
    if schema.form.long:
        raise UsageError("future: rows ahead can be given in the wide form only; pivot the table")
    names = list(dict.fromkeys(channel.column for channel in schema.channels))
    chosen = [label for label in given.columns if label in names]
    keys = schema.form.labels
    if new := [label for label in given.columns if label not in schema.dtypes]:
        raise UsageError(f"future: {column_label(new[0])} was not there when the model was fitted; drop it")
    if absent := [label for label in keys if label not in given.columns]:
        raise UsageError(f"future: {column_label(absent[0])} is absent; it says which rows are given")
    place = places_of(frame, rows, future, given, read_rows(given, schema.form, schema.reading.dates))
    known: dict[Hashable, Bools] = {}
    out = frame.copy()
    for label in chosen:
        column = column_of(given, label)
        there = ~missing_cells(column, schema.reading.missing_values)
        array = column_of(frame, label).array.copy()
        try:
            array[place[there]] = column[there.tolist()].astype(array.dtype).array
        except (TypeError, ValueError):
            raise UsageError(
                f"future: {column_label(label)} is {column.dtype}, the table has {array.dtype}; convert it"
            ) from None
        out.isetitem(place_of(out, label), array)
        known[label] = np.zeros(len(frame), dtype=bool)
        known[label][place[there]] = True
    return out, known


def places_of(frame: pd.DataFrame, rows: Rows, future: Bools, given: pd.DataFrame, read: Rows) -> NDArray[np.intp]:
    """The row of the frame that each row of `given` (G,) is. Raises UsageError for one that is none of those ahead."""
    if (rows.stamps.zone is None) != (read.stamps.zone is None):
        which = "no time zone, those of the table have" if read.stamps.zone is None else "a time zone, those of the table have"
        raise UsageError(f"future: its stamps have {which} {rows.stamps.zone or 'none'}; convert them")
    ahead = np.flatnonzero(future)
    at = rows.stamps.at[ahead]
    if rows.stamps.unit == "row":  # without stamps the rows ahead are counted from the end of each entity
        first = {entity: at[rows.entity[ahead] == entity].min() for entity in np.unique(rows.entity[ahead]).tolist()}
        at = np.array([number - first[entity] for number, entity in zip(at, rows.entity[ahead].tolist(), strict=True)])
    found = {
        (rows.names[entity], time): place for entity, time, place in zip(rows.entity[ahead], at.tolist(), ahead, strict=True)
    }
    wanted = [(read.names[entity], time) for entity, time in zip(read.entity, read.stamps.at.tolist(), strict=True)]
    places = [found.get(key, -1) for key in wanted]
    if -1 in places:
        stray = places.index(-1)
        raise UsageError(
            f"future, {row_label(given, stray)}: is none of the rows ahead; these begin with {row_label(frame, int(ahead[0]))}"
            f" and end with {row_label(frame, int(ahead[-1]))}"
        )
    if (again := pd.Series(places).duplicated().to_numpy()).any():
        raise UsageError(f"future, {row_label(given, int(again.argmax()))}: this row ahead is given twice; drop one")
    return np.array(places, dtype=np.intp)

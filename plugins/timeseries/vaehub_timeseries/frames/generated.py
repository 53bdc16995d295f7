"""Numbers that no frame was read from as a frame: new series, and windows of a model in the form of the table that it was trained on.

Letters of shapes: n series or B windows, T steps, C channels, R rows, K channels of a column.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.extensions import ExtensionArray

from vaehub import UsageError, arguments, files
from vaehub_timeseries.frames.columns import NumberCodec
from vaehub_timeseries.frames.future import DAY, HEAD, stamps_ahead
from vaehub_timeseries.frames.grid import Floats
from vaehub_timeseries.frames.labels import find_label
from vaehub_timeseries.frames.panel import Panel
from vaehub_timeseries.frames.schema import Channel, Schema
from vaehub_timeseries.frames.stamps import Numbers, Stamps, in_utc, on_the_clock

DATE_AND_TIME = ("%Y-%m-%d", "%H:%M:%S")  # where date and time of day are two columns


@dataclass(frozen=True)
class Calendar:
    """How the stamps of a table go on: its last ones, in nanoseconds or numbers, and their zone; which entity each of its series was of.

    unit, step: as in `Schema`; label: the name of the time; names: of the entities; owner: the entity of each series.
    """

    unit: str
    step: float
    label: Hashable
    last: tuple[float, ...]
    zone: str | None
    entity: Hashable
    names: tuple[Hashable, ...]
    owner: tuple[int, ...]

    @classmethod
    def of(cls, panel: Panel) -> Calendar:
        """That of a frame."""
        stamps, form = panel.rows.stamps, panel.schema.form
        last = np.unique(stamps.at)[-HEAD:].tolist() if form.time else []
        label = form.time[0].label if form.time else None
        entity = form.entity[0].label if len(form.entity) == 1 else "entity"
        names = tuple(panel.rows.names) if form.entity else ()
        zone = None if stamps.zone is None else str(stamps.zone)
        owner = tuple(int(who) for who in panel.grid.owner)
        return cls(stamps.unit, panel.schema.step, "time" if label is None else label, tuple(last), zone, entity, names, owner)

    def numbers_from(self, steps: int, start: object) -> Numbers | None:
        """Stamps (T,) from `start`, else after the last of the table; None where it has none. Raises UsageError for no stamp."""
        if not self.last:
            if start is not None:
                raise UsageError("start: the table that the imputer was fitted on has no stamps; leave it out")
            return None
        at = np.array(self.last)
        stamps = Stamps(at, self.unit, lambda numbers: [pd.Index(numbers)], self.zone)
        if start is None:
            return stamps_ahead(stamps, at, self.step, steps)
        first = self._number(start)
        ahead = stamps_ahead(replace(stamps, at=at + (first - at[-1])), at + (first - at[-1]), self.step, steps)
        return np.concatenate([[first], ahead[:-1]]).astype(at.dtype)

    def _number(self, start: Any) -> Any:
        """A stamp that the user gives, as a number."""
        try:
            if self.unit != "ns":
                return type(self.last[-1])(start)
            given = pd.Timestamp(start)
            zoned = given.tz_localize(self.zone) if self.zone is not None and given.tz is None else given
            return int(in_utc(pd.DatetimeIndex([zoned]))[0])
        except (TypeError, ValueError) as error:
            raise arguments.wrong_argument(
                "start", start, "a stamp such as '2025-01-01'" if self.unit == "ns" else "a number"
            ) from error

    def first_step(self, numbers: Numbers | None) -> int:
        """Which step of a day stamps begin with; 0 where that is not known."""
        return 0 if numbers is None or self.unit != "ns" else step_of_day(int(numbers[0]), self.step)

    def index_of(self, numbers: Numbers) -> pd.Index:
        """Stamps as an index."""
        return on_the_clock(numbers, self.zone) if self.unit == "ns" else pd.Index(numbers)

    def series_of(self, entity: Hashable) -> NDArray[np.int64]:
        """The numbers of the series of an entity. Raises UsageError for one that the data of the fit do not have."""
        if not self.names:
            raise UsageError(f"entity={entity!r}: the table that the imputer was fitted on has no entities; leave it out")
        texts = [str(name) for name in self.names]  # at the command line every name is text
        return np.flatnonzero(np.array(self.owner) == texts.index(str(find_label(str(entity), texts, "entity"))))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        names = [
            files.pack(name, "entity") if not isinstance(name, tuple) else [files.pack(n, "entity") for n in name]
            for name in self.names
        ]
        return {**vars(self), "label": files.pack(self.label), "entity": files.pack(self.entity), "names": names}

    @classmethod
    def from_json(cls, json: dict[str, Any]) -> Calendar:
        """What `to_json` gave. Raises KeyError or TypeError where it is damaged."""
        names = tuple(
            tuple(files.unpack(n) for n in name)
            if isinstance(name, list) and name and isinstance(name[0], list)
            else files.unpack(name)
            for name in json["names"]
        )
        labels = {key: files.unpack(json[key]) for key in ("label", "entity")}
        return cls(**{**json, **labels, "last": tuple(json["last"]), "names": names, "owner": tuple(json["owner"])})


def step_of_day(at: int, step: float) -> int:
    """Which step of its day a stamp in nanoseconds is."""
    return int(at % DAY // step)


def steps_of_day(unit: str, step: float) -> int | None:
    """How many steps a day has; None where it is no whole number of at least two."""
    return int(DAY // step) if unit == "ns" and step < DAY and DAY % step == 0 else None


def generated_frame(
    values: Floats,
    schema: Schema,
    stamps: pd.Index | None = None,
    label: Hashable = None,
    entities: Mapping[Hashable, Sequence[Hashable]] | None = None,
) -> pd.DataFrame:
    """Series (n, T, C) one below the other; columns in the kinds and, where the form is wide, dtypes of the fit.

    The index is (series, step), then the entity that each series is like, and the stamps (T,) under their label, where there are such.
    """
    n, steps, channels = values.shape
    flat = values.reshape(-1, channels)
    places: dict[Hashable, list[int]] = {}
    for number, channel in enumerate(schema.channels):
        places.setdefault(channel.column, []).append(number)
    dtypes = {name: schema.dtypes.get(name, "float64") for name in places}
    cells = [decoded_column(flat[:, at], [schema.channels[i] for i in at], dtypes[name]) for name, at in places.items()]
    levels: dict[Hashable, Any] = {"series": np.repeat(np.arange(n), steps), "step": np.tile(np.arange(steps), n)}
    levels |= {name: pd.Index(list(like), tupleize_cols=False).repeat(steps) for name, like in (entities or {}).items()}
    levels |= {} if stamps is None else {label: stamps[np.tile(np.arange(steps), n)]}
    index = pd.MultiIndex.from_arrays(list(levels.values()), names=list(levels))
    return pd.DataFrame(dict(enumerate(cells)), index=index).set_axis(pd.Index(list(places), tupleize_cols=False), axis=1)


def decoded_column(numbers: Floats, channels: Sequence[Channel], dtype: str) -> ExtensionArray:
    """One column of cells from its channels (R, K)."""
    if channels[0].kind == "category":
        return pd.Series([channels[i].category for i in numbers.argmax(1)], dtype=dtype).array
    like = pd.Series(dtype=dtype)
    return pd.Series(NumberCodec(channels[0].kind).decode(like, numbers), dtype=like.dtype).array


def window_table(values: Floats, schema: Schema) -> pd.DataFrame:
    """Windows (B, T, C) in the user's units: each an entity where the table has entities, else one after the other from the year 2000 on."""
    form, cells = schema.form, generated_frame(values, schema)
    entity = np.repeat(np.arange(len(values)), values.shape[1])
    at = np.tile(np.arange(values.shape[1]), len(values)) if form.entity else np.arange(len(cells))
    stamps = time_columns(at, schema)
    keys = [*zip(form.time, stamps, strict=True), *((key, entity) for key in form.entity)]
    columns: dict[Hashable, Any] = {key.label: column for key, column in keys if key.level is None}
    frame = pd.concat([pd.DataFrame(columns), cells.reset_index(drop=True)], axis=1)
    levels = sorted((key.level, column, key.label) for key, column in keys if key.level is not None)
    if levels:
        frame.index = pd.MultiIndex.from_arrays([c for _, c, _ in levels], names=[label for _, _, label in levels])
        frame.index = frame.index.get_level_values(0) if len(levels) == 1 else frame.index
    if not form.long:
        return frame
    long: pd.DataFrame = frame.melt(list(columns), ignore_index=not levels).set_axis(
        [*columns, form.variable, form.value], axis=1
    )
    return long


def time_columns(at: Any, schema: Schema) -> Sequence[Any]:
    """The columns of time of the steps `at` (R,)."""
    if schema.unit != "ns":
        return [at * schema.step] * len(schema.form.time)
    stamps = pd.Timestamp(2000, 1, 1) + pd.to_timedelta(np.rint(at * schema.step).astype(np.int64), "ns")
    return [stamps] if len(schema.form.time) == 1 else [stamps.strftime(pattern) for pattern in DATE_AND_TIME]

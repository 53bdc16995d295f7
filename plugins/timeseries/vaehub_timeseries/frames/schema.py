"""How a frame is read, and what the model is to know of it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from vaehub import UsageError, arguments, files
from vaehub_timeseries.frames.date_formats import DateOptions

if TYPE_CHECKING:
    from vaehub import Json  # brings torch, which no frame needs

KINDS = ("float", "int", "bool", "category")


@dataclass(frozen=True)
class ReadOptions:
    """How to read a frame; what is left out is found out.

    Arguments:
        time: Column or index level of stamps.
        entity: Column that tells series apart; "none": all rows are one series.
        variable: Long form: column of the variables' names.
        value: Long form: column of the values.
        columns: Columns to impute; the others are used and come back as they are.
        missing_values: Sentinels, such as -200.
        aggregate: "mean" where an entity may have several rows at one time.
        step: Of the grid, such as "1h".
        dayfirst: Whether 3/10/2004 is in October; found out, if None.
        date_format: Of stamps that are text, as in strptime: "%d.%m.%Y %H:%M".
        freq: Calendar of pandas, such as "h" or "MS", whose rows are put in where they were left out.

    Raises:
        UsageError: an option is of a wrong kind, or one of variable and value is given without the other.

    >>> ReadOptions(missing_values=[-200]).missing_values
    (-200,)
    """

    time: str | None = None
    entity: str | None = None
    variable: str | None = None
    value: str | None = None
    columns: Sequence[Hashable] | None = None
    missing_values: Sequence[float | str] = ()
    aggregate: str | None = None
    step: str | None = None
    dayfirst: bool | None = None
    date_format: str | None = None
    freq: str | None = None

    def __post_init__(self) -> None:
        for name in ("time", "entity", "variable", "value"):
            if not isinstance(vars(self)[name], Hashable):
                raise arguments.wrong_argument(name, vars(self)[name], "the name of a column")
        if not isinstance(self.step, str | None):
            raise arguments.wrong_argument("step", self.step, "a length of time such as '15min'")
        if not isinstance(self.dayfirst, bool | None):
            raise arguments.wrong_argument("dayfirst", self.dayfirst, "True or False")
        if not isinstance(self.date_format, str | None):
            raise arguments.wrong_argument("date_format", self.date_format, "a pattern such as '%d.%m.%Y'")
        if not isinstance(self.freq, str | None):
            raise arguments.wrong_argument("freq", self.freq, "a frequency of pandas such as 'h', 'D' or 'MS' (--freq=h)")
        object.__setattr__(self, "columns", None if self.columns is None else as_tuple(self.columns, "columns"))
        object.__setattr__(self, "missing_values", as_tuple(self.missing_values, "missing_values"))
        if self.aggregate is not None and not (isinstance(self.aggregate, str) and self.aggregate == "mean"):
            raise UsageError(f"aggregate={self.aggregate!r}: give 'mean', or leave it out")
        if (self.variable is None) != (self.value is None):
            raise UsageError("variable and value belong together: name both columns of the long form, or neither")

    @property
    def dates(self) -> DateOptions:
        """How stamps that are text are read."""
        return DateOptions(self.dayfirst, self.date_format)


def as_tuple(values: Sequence[Any], option: str) -> tuple[Any, ...]:
    """The values of an option that takes a list."""
    if isinstance(values, str | int | float):
        raise UsageError(f"{option}={values!r}: give a list, [{values!r}]")
    if not isinstance(values, Iterable) or isinstance(values, Mapping):
        raise arguments.wrong_argument(option, values, "a list")
    found = tuple(values)
    if not all(isinstance(value, Hashable) for value in found):
        raise arguments.wrong_argument(option, values, "a list of single values")
    return found


@dataclass(frozen=True)
class Key:
    """Where a key of the rows lies: in a column, or in a level of the index."""

    label: Hashable
    level: int | None = None


@dataclass(frozen=True)
class Form:
    """Which columns say what a row is: its time (two where date and time of day are apart), its entity and, in the long form, its variable."""

    time: tuple[Key, ...] = ()
    entity: tuple[Key, ...] = ()
    variable: Hashable = None
    value: Hashable = None

    @property
    def long(self) -> bool:
        """Whether every row is one cell."""
        return self.value is not None

    @property
    def labels(self) -> list[Hashable]:
        """The columns that are no data."""
        return [key.label for key in (*self.time, *self.entity) if key.level is None] + ([self.variable] if self.long else [])


@dataclass(frozen=True)
class Channel:
    """One numeric column of the model. A column of categories is one channel a category, 1 where it holds."""

    name: str
    column: Hashable
    kind: str
    category: Hashable = None
    target: bool = True


@dataclass(frozen=True)
class Schema:
    """What a frame must share with the one that it was found from.

    unit: "ns", "number" or "row", what the stamps are; step: of the grid, in that unit; dtypes: by column, as text;
    ignored: columns that no model can use, which come back as they are.
    """

    reading: ReadOptions
    form: Form
    channels: tuple[Channel, ...]
    unit: str
    step: float
    dtypes: dict[Hashable, str] = field(default_factory=dict)
    ignored: tuple[Hashable, ...] = ()

    @property
    def categories(self) -> dict[Hashable, tuple[Hashable, ...]]:
        """The categories of every column that has some."""
        found: dict[Hashable, tuple[Hashable, ...]] = {}
        for channel in self.channels:
            if channel.kind == "category":
                found[channel.column] = (*found.get(channel.column, ()), channel.category)
        return found

    def to_json(self) -> Json:
        """Plain values, for the header of a model file."""
        return {
            "reading": {
                **asdict(self.reading),
                "columns": packed(self.reading.columns),
                "missing_values": [*self.reading.missing_values],
            },
            "form": {
                "time": [[files.pack(key.label), key.level] for key in self.form.time],
                "entity": [[files.pack(key.label), key.level] for key in self.form.entity],
                "variable": files.pack(self.form.variable),
                "value": files.pack(self.form.value),
            },
            "channels": [[c.name, files.pack(c.column), c.kind, files.pack(c.category), c.target] for c in self.channels],
            "unit": self.unit,
            "step": self.step,
            "dtypes": [[files.pack(label), dtype] for label, dtype in self.dtypes.items()],
            "ignored": packed(self.ignored),
        }

    @staticmethod
    def from_json(json: Json) -> Schema:
        """What `to_json` gave. Raises UsageError where it is not of this form."""
        try:
            return Schema(
                reading_from(json["reading"]),
                form_from(json["form"]),
                tuple(channel_from(*entry) for entry in json["channels"]),
                str(json["unit"]),
                int_if_whole(json["step"]),
                {files.unpack(label): str(dtype) for label, dtype in json["dtypes"]},
                tuple(files.unpack(label) for label in json["ignored"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(
                f"the saved schema is damaged ({type(error).__name__}: {error}); use another copy of the model"
            ) from error


def packed(labels: Sequence[Hashable] | None) -> list[Any] | None:
    """Several labels as JSON."""
    return None if labels is None else [files.pack(label) for label in labels]


def int_if_whole(step: float) -> float:
    """A whole number where it is one."""
    value = float(step)
    return int(value) if value.is_integer() else value


def reading_from(json: Json) -> ReadOptions:
    """A reading from JSON."""
    if unknown := set(json) - {entry.name for entry in fields(ReadOptions)}:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}")
    columns = json.get("columns")
    return ReadOptions(**{**json, "columns": None if columns is None else tuple(files.unpack(label) for label in columns)})


def form_from(json: Json) -> Form:
    """A form from JSON."""
    time, entity = (tuple(Key(files.unpack(label), level) for label, level in json[name]) for name in ("time", "entity"))
    return Form(time, entity, files.unpack(json["variable"]), files.unpack(json["value"]))


def channel_from(name: str, column: Any, kind: str, category: Any, target: bool) -> Channel:
    """A channel from JSON."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}")
    return Channel(name, files.unpack(column), kind, files.unpack(category), target)

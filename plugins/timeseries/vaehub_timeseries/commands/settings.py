"""The options that all commands share: how to read the file, and which model to use."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from vaehub import UsageError, cli
from vaehub_timeseries.commands.tables import read_input

if TYPE_CHECKING:
    import pandas as pd

    from vaehub_timeseries import Imputer
    from vaehub_timeseries.files import Dialect, Overrides

OF_FILES = ("sep", "decimal", "encoding", "header")  # options of the file at hand, whatever model is used


def option(text: str, *names: str) -> Any:
    """An option that shows no default."""
    return typer.Option(*names, help=text, show_default=False)


Input = Annotated[
    Path,
    typer.Argument(
        metavar="INPUT", help="A table: .csv, .tsv, .txt, .xlsx, .parquet or .feather, the others also .gz.", show_default=False
    ),
]
Quantiles = Annotated[str | None, typer.Option(help="Also write these quantiles of every cell: 0.05,0.95.", show_default=False)]
MaxGap = Annotated[
    str | None, option("Leave longer gaps as they are: a number of steps, or a length of time such as 6h.", "--max-gap")
]
LimitArea = Annotated[
    Literal["inside", "outside"] | None, option("Fill only gaps inside a series, or only at its ends.", "--limit-area")
]


@dataclass(frozen=True)
class Settings:
    """How to read the file, and which model to use; what is left out is found out, and the model is fitted on the file itself."""

    model: Annotated[Path | None, option("A run folder or a saved imputer, instead of fitting on the file.")] = None
    config: Annotated[Path | None, option("How to fit: a YAML file, or the name of a config (see vaehub configs).")] = None
    time: Annotated[str | None, option("Column of stamps.")] = None
    entity: Annotated[str | None, option("Column that tells series apart, or none.")] = None
    variable: Annotated[str | None, option("Long form: column of the variables' names.")] = None
    value: Annotated[str | None, option("Long form: column of the values.")] = None
    columns: Annotated[str | None, option("Columns to impute, with commas between; the others are only used.")] = None
    missing_values: Annotated[
        str | None, option("Values that mean missing, with commas between: --missing-values=-200.", "--missing-values")
    ] = None
    aggregate: Annotated[Literal["mean"] | None, option("What becomes of several rows of one series at one time.")] = None
    step: Annotated[str | None, option("Time between rows, such as 15min.")] = None
    window: Annotated[int | None, option("Steps of a window, which the model sees at once.")] = None
    causal: Annotated[bool, option("Use the past only.", "--causal")] = False
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers.")] = 0
    dayfirst: Annotated[bool | None, option("Whether 3/10/2004 is in October.", "--dayfirst/--no-dayfirst")] = None
    date_format: Annotated[str | None, option("Of stamps that are text: %d.%m.%Y %H:%M.")] = None
    sep: Annotated[str | None, option("Between cells of a text: , ; | tab or space.")] = None
    decimal: Annotated[str | None, option("Decimal mark of a text: . or ,")] = None
    encoding: Annotated[str | None, option("Of a text, such as cp1252.")] = None
    header: Annotated[str | None, option("Line of names of a text, from 1, or none.")] = None
    freq: Annotated[
        str | None, option("Put in the rows that were left out of this grid: h, 15min, D, MS, as pandas has them.")
    ] = None
    season: Annotated[
        str | None, option("Periods of rhythms, with commas between: steps, D, W, Y or 12h; or none. Found, if not given.")
    ] = None
    bounds: Annotated[str | None, option("Between which values columns lie: pv=0:;humidity=0:100, or 0: for all.")] = None
    constraints: Annotated[str | None, option("What holds between columns, with semicolons: 'a + b = total; low <= high'.")] = (
        None
    )

    @property
    def changed(self) -> dict[str, Any]:
        """The options that differ from their defaults."""
        return {f.name: vars(self)[f.name] for f in fields(self) if vars(self)[f.name] != f.default}

    @property
    def as_flags(self) -> str:
        """The options as they are written on the command line."""
        flags = {name: f"--{'no-' * (value is False)}{name.replace('_', '-')}" for name, value in self.changed.items()}
        return " ".join(
            flags[name] if isinstance(value, bool) else f"{flags[name]}={shlex.quote(str(value))}"
            for name, value in self.changed.items()
        )

    @property
    def sentinels(self) -> tuple[str | float, ...]:
        """Values that mean missing."""
        return () if self.missing_values is None else tuple(cli.number(word.strip()) for word in self.missing_values.split(","))

    @property
    def text(self) -> Overrides:
        """What is said of a table of text. Raises UsageError."""
        from vaehub_timeseries.files import Overrides

        header = int(self.header) if self.header is not None and self.header.isdecimal() else self.header
        return Overrides(self.sep, self.decimal, self.encoding, header)  # type: ignore[arg-type]  # Overrides checks it

    def dialect(self, path: Path) -> Dialect | None:
        """How the user's table is written, so that others are written alike; None where it is no text."""
        from vaehub_timeseries.files import find_dialect

        return find_dialect(path, self.text, self.sentinels)

    @property
    def periods(self) -> list[str | float] | bool:
        """Periods of rhythms; False for none."""
        words = [word.strip() for word in (self.season or "").split(",")]
        return False if words == ["none"] else [cli.number(word) for word in words]

    def table_and_imputer(self, session: cli.Session, path: Path, **limits: Any) -> tuple[pd.DataFrame, Imputer]:
        """The user's table, and the model of --model, else one fitted on the table; `limits`: options of `Imputer` that no fit depends on."""
        from vaehub_timeseries import Imputer

        if self.model is not None:
            imputer = self.load_model(self.model).set_params(**limits)
            return read_input(session, path, None, imputer.schema_.reading.missing_values, self.text), imputer
        frame = read_input(session, path, self.time, self.sentinels, self.text)
        return frame, Imputer(**self.options() | limits).fit(frame)

    def load_model(self, model: Path) -> Imputer:
        """The model of --model. Raises UsageError for options that it has settled when it was fitted."""
        from vaehub_timeseries import Imputer

        if settled := [name for name in self.changed if name not in ("model", *OF_FILES)]:
            raise UsageError(
                f"--{settled[0].replace('_', '-')} cannot go with --model: it was settled when {model} was fitted; leave one of them out"
            )
        return Imputer.load(model)

    def options(self) -> dict[str, Any]:
        """The options of `Imputer`."""
        from vaehub_timeseries.marginals.bounds import parsed_bounds

        given = {name: value for name, value in self.changed.items() if name not in ("model", *OF_FILES)}
        lists = {
            "columns": None if self.columns is None else [word.strip() for word in self.columns.split(",")],
            "missing_values": self.sentinels,
            "season": self.periods,
            "constraints": [text.strip() for text in (self.constraints or "").split(";") if text.strip()],
            "bounds": None if self.bounds is None else parsed_bounds(self.bounds),
        }
        return given | {name: value for name, value in lists.items() if name in given}


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """The command with a typer option for every field of `Settings` in place of its parameter `settings`."""
    hints, names = get_type_hints(Settings, include_extras=True), [f.name for f in fields(Settings)]
    shared = [
        parameter.replace(annotation=hints[parameter.name]) for parameter in inspect.signature(Settings).parameters.values()
    ]

    @wraps(command)
    def call(**given: Any) -> None:
        command(settings=Settings(**{name: given.pop(name) for name in names if name in given}), **given)

    own = inspect.signature(command, eval_str=True)
    parameters = [p for p in own.parameters.values() if p.name != "settings"]
    call.__signature__ = own.replace(parameters=parameters + [p.replace(kind=p.KEYWORD_ONLY) for p in shared])  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: p.annotation for p in call.__signature__.parameters.values()}  # type: ignore[attr-defined]
    return call

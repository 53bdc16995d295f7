"""Series with gaps from a table as a vaehub domain: their splits, and windows of them in scaled units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Annotated, final

import numpy as np
import pandas as pd
import torch
from pydantic import Field

from vaehub import Domain, Spec, UsageError, files
from vaehub_timeseries.codec import SeriesCodec
from vaehub_timeseries.files import Header, Overrides, read_table
from vaehub_timeseries.frames import Panel, ReadOptions, to_panel
from vaehub_timeseries.impute.experts import Floats
from vaehub_timeseries.model.em import Autocovariance
from vaehub_timeseries.model.settings import default_window
from vaehub_timeseries.scale import Scaler
from vaehub_timeseries.splits import split
from vaehub_timeseries.windows import Windows

Share = Annotated[float, Field(gt=0, lt=0.5)]


@final
class TimeSeries(Domain[SeriesCodec]):
    """Windows of `window` steps, `stride` apart, of the series in a table of any kind of file, every channel with mean 0 and sd 1.

    path … step: as for `Imputer` and `ReadOptions`. The last `held_out` of the steps is the test, as much before it validation; both are judged
    by a part of their observed cells, which is hidden from the model. `shift`: see `Windows`.

    Arguments:
        path: The table: .csv, .tsv, .txt, .xlsx, .parquet or .feather.
        time: Column of stamps; found, if not given.
        entity: Column that tells series apart, or none.
        variable: Long form: column of the variables' names.
        value: Long form: column of the values.
        columns: Columns to impute; the others are only used.
        missing_values: Values that mean missing, such as -200.
        aggregate: mean: rows of one series at one time are averaged.
        step: Time between rows, such as 15min; found, if not given.
        window: Steps of a window; found, if not given.
        stride: Steps between the beginnings of windows.
        held_out: Share of the steps for the test, and as much for validation.
        shift: Standard deviation of a random change of level of half of the windows, in training.
        dayfirst: Whether 3/10/2004 is in October; found, if not given.
        date_format: Of stamps that are text, as in strptime: %d.%m.%Y %H:%M; found, if not given.
        sep: Between cells of a text: , ; | tab or space; found, if not given.
        decimal: Decimal mark of a text: . or ,; found, if not given.
        encoding: Of a text, such as utf-8 or cp1252; found, if not given.
        header: Line of names, from 1, or none; found, if not given.

    Raises:
        UsageError: the table cannot be read; the message names the column and row.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     domain = TimeSeries(path=str(TimeSeries.example(Path(folder))["path"]), window=8)
    ...     len(domain.data("train")), domain.codec.spec.shape
    (185, (8, 2))
    """

    codec_type = SeriesCodec

    def __init__(
        self,
        *,
        path: str | None = None,
        time: str | None = None,
        entity: str | None = None,
        variable: str | None = None,
        value: str | None = None,
        columns: Sequence[str] | None = None,
        missing_values: Sequence[float | str] = (),
        aggregate: str | None = None,
        step: str | None = None,
        window: Annotated[int, Field(ge=1)] | None = None,
        stride: Annotated[int, Field(ge=1)] = 1,
        held_out: Share = 0.1,
        shift: Annotated[float, Field(ge=0)] = 0.5,
        dayfirst: bool | None = None,
        date_format: str | None = None,
        sep: str | None = None,
        decimal: str | None = None,
        encoding: str | None = None,
        header: Header = None,
    ) -> None:
        chosen = None if columns is None else tuple(columns)
        self.path, self.text = path, Overrides(sep, decimal, encoding, header)
        self.reading = ReadOptions(
            time,
            entity,
            variable,
            value,
            chosen,
            tuple(missing_values),
            aggregate,
            step,
            dayfirst=dayfirst,
            date_format=date_format,
        )
        self.window, self.stride, self.held_out, self.shift = window, stride, held_out, shift

    @cached_property
    def panel(self) -> Panel:
        """The table as a panel."""
        if self.path is None:
            raise UsageError("domain.path: which table? domain.path=my.csv, .parquet or another")
        frame = read_table(self.path, self.reading.time, self.reading.missing_values, **asdict(self.text))
        return to_panel(frame, self.reading)

    @cached_property
    def parts(self) -> dict[str, list[Floats]]:
        """The series (T_i, C) of every split, in the user's units."""
        raw = [series.values for series in self.panel.series]
        return split(raw, self.window or default_window(raw), self.held_out)

    def learn(self) -> SeriesCodec:
        """The schema of the table, and the scale of its training part."""
        raw = [series.values for series in self.panel.series]
        scaler = Scaler.fit(self.parts["train"] or raw)
        return SeriesCodec(Spec((self.window or default_window(raw), raw[0].shape[1])), self.reading, self.panel.schema, scaler)

    def split_digests(self) -> dict[str, str]:
        """Of the series of every split, in the user's units."""
        return {name: files.digest_of(series) for name, series in self.parts.items()}

    def data(self, split: str) -> Windows:
        """The windows of a split; in training all of them, half of which change their level, else windows beside each other."""
        scaler = self.codec.table[1]
        return self.windows([scaler.scale(x) for x in self.parts[split]], self.codec.spec.shape[0], training=split == "train")

    def windows(self, series: Sequence[Floats], steps: int, *, training: bool, process: Autocovariance | None = None) -> Windows:
        """Windows of series (T_i, C) in scaled units, as this domain's options cut them; `process`: theirs, where it is fitted already."""
        tensors = [torch.from_numpy(x) for x in series]
        return Windows(tensors, steps, self.stride, self.shift, process) if training else Windows(tensors, steps, steps)

    @staticmethod
    def example(folder: Path) -> dict[str, object]:
        """Options for the conformance suite: a small table with gaps."""
        rng = np.random.default_rng(0)
        walk = rng.normal(size=(240, 2)).cumsum(0) * 0.3 + np.sin(np.arange(240) / 4)[:, None]
        frame = pd.DataFrame(np.where(rng.random(walk.shape) < 0.2, np.nan, walk), columns=["a", "b"])
        frame.insert(0, "time", pd.date_range("2024-01-01", periods=240, freq="h"))
        frame.to_csv(folder / "series.csv", index=False)
        return {"path": str(folder / "series.csv"), "window": 8, "held_out": 0.2}

"""What a saved model knows of its series: how tables are read, their schema, the scale of the channels."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import final

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from vaehub import Codec, Data, Json, Spec, TensorData, UsageError, files
from vaehub_timeseries.files import read_table
from vaehub_timeseries.frames import Panel, ReadOptions, Schema, to_panel_as
from vaehub_timeseries.frames.generated import window_table
from vaehub_timeseries.scale import Scaler
from vaehub_timeseries.windows import Windows


@final
class SeriesCodec(Codec):
    """Tables of series from and to windows in scaled units.

    Arguments:
        spec: windows (T, C).
        reading: how to read a table.
        schema: of the table that the model was trained on; None where it was trained on arrays.
        scaler: mean and standard deviation of the channels, in the user's units; None where it was trained on arrays.

    >>> codec = SeriesCodec(Spec((3, 2)), ReadOptions())
    >>> rows = codec.convert(np.array([[[1.0, np.nan]] * 3]))
    >>> rows[torch.tensor([0])].mask[0, 0].tolist()
    [True, False]
    """

    suffix = ".csv"

    def __init__(self, spec: Spec, reading: ReadOptions, schema: Schema | None = None, scaler: Scaler | None = None) -> None:
        super().__init__(spec)
        self.reading, self.schema, self.scaler = reading, schema, scaler

    def read(self, path: Path) -> Windows:
        """Windows beside each other of the series in a table like the one trained on."""
        return self.windows(read_table(path, self.reading.time, self.reading.missing_values))

    def convert(self, given: object) -> Data:
        """Windows of a frame like the one trained on; an array (N, T, C) is in scaled units already, NaN = missing."""
        if isinstance(given, pd.DataFrame):
            return self.windows(given)
        if not isinstance(given, np.ndarray | Tensor):
            raise UsageError(f"x: expected a table or an array of windows, got {type(given).__name__}")
        x = torch.as_tensor(given).float()
        return TensorData(x, mask=~x.isnan())

    def windows(self, frame: pd.DataFrame) -> Windows:
        """Windows beside each other of the series in a frame like the one trained on."""
        panel = self.panel(frame)
        scaler, steps = self.table[1], self.spec.shape[0]
        return Windows([torch.from_numpy(scaler.scale(s.values)) for s in panel.series], steps, steps)

    def panel(self, frame: pd.DataFrame) -> Panel:
        """The panel of a frame like the one trained on."""
        return to_panel_as(frame, self.table[0])

    @property
    def table(self) -> tuple[Schema, Scaler]:
        """Schema and scale of the table. Raises UsageError where the model was trained on arrays."""
        if self.schema is None or self.scaler is None:
            raise UsageError("this model was trained on arrays, not on a table; use Imputer, which knows their columns")
        return self.schema, self.scaler

    def write(self, x: Tensor, path: Path) -> None:
        """Windows (B, T, C) as a table like the one trained on, in the user's units: each an entity, else one after the other."""
        schema, scaler = self.table
        files.write_table(window_table(scaler.unscale(x.double().numpy()), schema), path, index=True)

    def to_json(self) -> Json:
        """The reading, the schema of the table and the scale of its channels."""
        reading = asdict(self.reading)
        reading = {name: list(value) if isinstance(value, tuple) else value for name, value in reading.items()}
        return {
            "reading": reading,
            "schema": None if self.schema is None else self.schema.to_json(),
            "scaler": None if self.scaler is None else self.scaler.to_json(),
        }

    @classmethod
    def from_json(cls, spec: Spec, state: Json) -> SeriesCodec:
        """The codec of a saved model."""
        schema = None if state["schema"] is None else Schema.from_json(state["schema"])
        scaler = None if state["scaler"] is None else Scaler.from_json(state["scaler"])
        channels = {spec.shape[-1], *([len(schema.channels)] if schema else []), *([len(scaler.mean)] if scaler else [])}
        if len(channels) > 1:
            raise ValueError(f"schema, scale and rows are of {' and '.join(map(str, sorted(channels)))} channels")
        return cls(spec, ReadOptions(**state["reading"]), schema, scaler)

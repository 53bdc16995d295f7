"""Series with gaps from a table as a vaehub domain: windows in scaled units, judged by cells hidden for the purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, final

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from torch import Tensor

from vaehub.base import Batch, Data, Domain, Json, Spec
from vaehub.errors import UsageError
from vaehub.model.vae import VAE
from vaehub_timeseries.frames import Panel, Reading, Schema, read_table, understand, understand_as, write_table
from vaehub_timeseries.impute.experts import Floats
from vaehub_timeseries.model.em import Autocovariance
from vaehub_timeseries.model.sizes import window_of
from vaehub_timeseries.scale import Scaler
from vaehub_timeseries.splits import split
from vaehub_timeseries.trial import Trial
from vaehub_timeseries.windows import Windows
from vaehub_timeseries.written import table_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vaehub.run import Run

Share = Annotated[float, Field(gt=0, lt=0.5)]


@final
class TimeSeries(Domain):
    """Windows of `window` steps, `stride` apart, of the series in a table (.csv, .csv.gz or .parquet), every channel with mean 0 and sd 1.

    path … step: as for `Imputer` and `Reading`. The last `held_out` of the steps is the test, as much before it validation; both are judged
    by a part of their observed cells, which is hidden from the model. `shift`: see `Windows`.
    """

    suffix = ".csv"

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
    ) -> None:
        chosen = None if columns is None else tuple(columns)
        self.path, self.reading = path, Reading(time, entity, variable, value, chosen, tuple(missing_values), aggregate, step)
        self.window, self.stride, self.held_out, self.shift = window, stride, held_out, shift
        self.schema: Schema | None = None
        self.scaler: Scaler | None = None
        self.process: Autocovariance | None = None
        self._spec: Spec | None = None

    def hold(self, parts: Mapping[str, Sequence[Floats]], window: int, process: Autocovariance | None = None) -> None:
        """Take series (T_i, C) of every split that are in scaled units already, in place of a table; and their process, where it is known."""
        self.parts = {name: [torch.from_numpy(x) for x in given] for name, given in parts.items()}
        self._spec, self.process = Spec((window, parts["train"][0].shape[1])), process

    @cached_property
    def parts(self) -> dict[str, list[Tensor]]:
        """The series of every split, in scaled units; reads the table."""
        if self.path is None:
            raise UsageError("domain.path: which table? domain.path=my.csv, or .parquet")
        panel = understand(read_table(self.path, self.reading.time, self.reading.missing_values), self.reading)
        raw = [series.values for series in panel.series]
        steps = self.window or window_of(raw)
        split_up = split(raw, steps, self.held_out)
        self.schema, self.scaler = panel.schema, Scaler.fit(split_up["train"] or raw)
        self._spec = Spec((steps, raw[0].shape[1]))
        return {name: [torch.from_numpy(self.scaler.scale(x)) for x in given] for name, given in split_up.items()}

    @property
    def spec(self) -> Spec:
        """(T, C)."""
        if self._spec is None:
            _ = self.parts
        assert self._spec is not None  # reading the table has set it
        return self._spec

    def data(self, split: str) -> Windows:
        """The windows of a split; in training all of them, half of which change their level, else windows beside each other."""
        steps, parts = self.spec.shape[0], self.parts[split]
        if split != "train":
            return Windows(parts, steps, steps)
        return Windows(parts, steps, self.stride, self.shift, self.process)

    def read(self, path: Path) -> Data:
        """Windows beside each other of the series in a table like the one trained on."""
        panel = self.panel(read_table(path, self.reading.time, self.reading.missing_values))
        scaler = self._learnt[1]
        return Windows([torch.from_numpy(scaler.scale(s.values)) for s in panel.series], self.spec.shape[0], self.spec.shape[0])

    def panel(self, frame: pd.DataFrame) -> Panel:
        """A frame like the one trained on, understood."""
        return understand_as(frame, self._learnt[0])

    @property
    def _learnt(self) -> tuple[Schema, Scaler]:
        if self.schema is None or self.scaler is None:
            _ = self.parts
        if self.schema is None or self.scaler is None:
            raise UsageError("this model was trained on arrays, not on a table; use Imputer, which knows their columns")
        return self.schema, self.scaler

    def write(self, x: Tensor, path: Path) -> None:
        """Windows (B, T, C) as a table like the one trained on, in the user's units: each an entity, else one after the other."""
        schema, scaler = self._learnt
        write_table(table_of(scaler.unscale(x.double().numpy()), schema), path)

    def state(self) -> Json:
        """The schema of the table and the scale of its channels."""
        return {"schema": self.schema and self.schema.to_json(), "scaler": self.scaler and self.scaler.to_json()}

    def restore(self, spec: Spec, state: Json) -> None:
        """Take up a saved model's schema and scale."""
        self._spec = spec
        try:
            self.schema = state["schema"] and Schema.from_json(state["schema"])
            self.scaler = state["scaler"] and Scaler.from_json(state["scaler"])
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"the model file's schema is damaged ({error}); use another copy, or train again") from error

    def validate(self, vae: VAE, data: Data) -> Mapping[str, float]:
        """Minus the mean absolute error on hidden cells, in standard deviations, for `train.monitor: val_imputation`."""
        device = next(vae.parameters()).device
        return {"imputation": -self._trial(data, "val").error(vae, device)}

    def metrics(self, run: Run, split: str) -> Mapping[str, float]:
        """Mean absolute error on hidden cells, in standard deviations, beside linear interpolation."""
        trial = self._trial(run.data(split), split)
        return {"imputation_mae": trial.error(run.vae, run.device), "linear_mae": trial.linear_error()}

    def figures(self, run: Run) -> Mapping[str, Figure]:
        """Windows of the test with cells hidden, and what the model believes of them."""
        from vaehub_timeseries.figures import believed_windows

        names = [c.name for c in self.schema.channels] if self.schema else None
        return {
            "Hidden cells and what the model believes of them": believed_windows(
                run, self._trial(run.data("test"), "test"), names
            )
        }

    def _trial(self, data: Data, split: str) -> Trial:
        rows = data[torch.arange(len(data))]
        return Trial.of(Batch(*(None if t is None else t.cpu() for t in rows)), split)  # type: ignore[arg-type]

    @staticmethod
    def example(folder: Path) -> dict[str, object]:
        """Options for the conformance suite: a small table with gaps."""
        rng = np.random.default_rng(0)
        walk = rng.normal(size=(240, 2)).cumsum(0) * 0.3 + np.sin(np.arange(240) / 4)[:, None]
        frame = pd.DataFrame(np.where(rng.random(walk.shape) < 0.2, np.nan, walk), columns=["a", "b"])
        frame.insert(0, "time", pd.date_range("2024-01-01", periods=240, freq="h"))
        frame.to_csv(folder / "series.csv", index=False)
        return {"path": str(folder / "series.csv"), "window": 8, "held_out": 0.2}

"""What the plugin has to say of a model of series: how well it knows cells that were hidden for the purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, final

import torch

from vaehub import Batch, Data, Judge, Model, TrainedModel, report
from vaehub_timeseries.codec import SeriesCodec
from vaehub_timeseries.imputation_task import ImputationTask

if TYPE_CHECKING:
    pass


@final
class SeriesJudge(Judge):
    """Judges models of series by a part of their observed cells, which is hidden from the model."""

    headline: ClassVar[Mapping[str, str]] = {
        "imputation_mae": "mean absolute error on hidden test cells, in standard deviations",
        "linear_mae": "the same of linear interpolation within a window",
    }

    def validate(self, vae: Model, data: Data) -> Mapping[str, float]:
        """Minus the mean absolute error on hidden cells, in standard deviations, for `train.monitor: val_imputation`."""
        device = next(vae.parameters()).device
        return {"imputation": -task_of(data, "val").error(vae, device)}

    def metrics(self, run: TrainedModel, split: str) -> Mapping[str, float]:
        """Mean absolute error on hidden cells, in standard deviations, beside linear interpolation, with standard errors over windows."""
        task = task_of(run.data(split), split)
        estimates = {"imputation_mae": task.estimates(run.vae, run.device), "linear_mae": task.linear_estimates()}
        means = {name: task.mean_error(estimate) for name, estimate in estimates.items()}
        return means | {f"{name}_se": task.standard_error(estimate) for name, estimate in estimates.items()}

    def sections(self, run: TrainedModel) -> Sequence[report.Section]:
        """Windows of the test with cells hidden, and what the model predicts of them."""
        from vaehub_timeseries.report.windows import hidden_cells_section

        schema = self.codec.schema if isinstance(self.codec, SeriesCodec) else None
        names = None if schema is None else [channel.name for channel in schema.channels]
        return [hidden_cells_section(run, task_of(run.data("test"), "test"), names)]


def task_of(data: Data, split: str) -> ImputationTask:
    """The rows of a split, always with the same cells hidden."""
    rows = data[torch.arange(len(data))]
    return ImputationTask.of(Batch(*(None if t is None else t.cpu() for t in rows)), split)  # type: ignore[arg-type]

"""What the plugin has to say of a model of series: how well it knows cells that were hidden for the purpose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

import torch

from vaehub import Batch, Data, Judge, Model, TrainedModel
from vaehub_timeseries.codec import SeriesCodec
from vaehub_timeseries.trial import Trial

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@final
class SeriesJudge(Judge):
    """Judges models of series by a part of their observed cells, which is hidden from the model."""

    def validate(self, vae: Model, data: Data) -> Mapping[str, float]:
        """Minus the mean absolute error on hidden cells, in standard deviations, for `train.monitor: val_imputation`."""
        device = next(vae.parameters()).device
        return {"imputation": -trial_of(data, "val").error(vae, device)}

    def metrics(self, run: TrainedModel, split: str) -> Mapping[str, float]:
        """Mean absolute error on hidden cells, in standard deviations, beside linear interpolation."""
        trial = trial_of(run.data(split), split)
        return {"imputation_mae": trial.error(run.vae, run.device), "linear_mae": trial.linear_error()}

    def figures(self, run: TrainedModel) -> Mapping[str, Figure]:
        """Windows of the test with cells hidden, and what the model believes of them."""
        from vaehub_timeseries.figures import believed_windows

        schema = self.codec.schema if isinstance(self.codec, SeriesCodec) else None
        names = None if schema is None else [channel.name for channel in schema.channels]
        trial = trial_of(run.data("test"), "test")
        return {"Hidden cells and what the model believes of them": believed_windows(run, trial, names)}


def trial_of(data: Data, split: str) -> Trial:
    """The rows of a split, always with the same cells hidden."""
    rows = data[torch.arange(len(data))]
    return Trial.of(Batch(*(None if t is None else t.cpu() for t in rows)), split)  # type: ignore[arg-type]

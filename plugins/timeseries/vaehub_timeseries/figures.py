"""What a model of series believes, as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from matplotlib.figure import Figure

from vaehub_timeseries.trial import Trial

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vaehub import TrainedModel

PANELS = 6
SEEN, HIDDEN, BELIEVED = "#1f4e79", "#c0392b", "#e08e0b"


def believed_windows(run: TrainedModel, trial: Trial, names: Sequence[str] | None) -> Figure:
    """The channels and windows with the most hidden cells: what was seen, what was hidden, what the model believes."""
    estimates = trial.estimates(run.vae, run.device)
    counts = trial.hidden.sum(1)  # (N, C)
    order = counts.flatten().argsort(descending=True, stable=True)[:PANELS].tolist()
    figure = Figure(figsize=(9, 5.2), layout="constrained")
    axes = figure.subplots(2, 3, squeeze=False).flat
    for panel, place in zip(axes, order, strict=False):
        window, channel = divmod(place, counts.shape[1])
        one_window(panel, trial, estimates, window, channel)
        panel.set_title(names[channel] if names else f"channel {channel}", fontsize=9)
    for panel in list(axes)[len(order) :]:
        panel.set_visible(False)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def one_window(axes: Axes, trial: Trial, estimates: torch.Tensor, window: int, channel: int) -> None:
    """One channel of one window over its steps, in standard deviations."""
    assert trial.given.mask is not None  # see Trial.of
    step = np.arange(trial.truth.shape[1])
    truth, estimate = trial.truth[window, :, channel].numpy(), estimates[window, :, channel].numpy()
    seen, hidden = trial.given.mask[window, :, channel].numpy(), trial.hidden[window, :, channel].numpy()
    axes.plot(step, estimate, color=BELIEVED, lw=1.5, label="believed")
    axes.plot(step[seen], truth[seen], "o", ms=3, color=SEEN, label="seen")
    axes.plot(step[hidden], truth[hidden], "o", ms=4, mfc="none", color=HIDDEN, label="hidden")
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)

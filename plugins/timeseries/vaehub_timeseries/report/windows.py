"""What a model of series believes of hidden cells, for the page of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from vaehub.report import Canvas, Figure, Section
from vaehub.report.charts import short
from vaehub.report.look import BLUE, ORANGE, RED
from vaehub_timeseries.trial import Trial

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Chart

    from vaehub import TrainedModel

PANELS = 6
SEEN, HIDDEN, BELIEVED = BLUE, RED, ORANGE


def hidden_cells(run: TrainedModel, trial: Trial, names: Sequence[str] | None) -> Section:
    """The channels and windows with the most hidden cells: what was seen, what was hidden, what the model believes."""
    estimates = trial.estimates(run.vae, run.device)
    counts = trial.hidden.sum(1)  # (N, C)
    order = counts.flatten().argsort(descending=True, stable=True)[:PANELS].tolist()
    places = [divmod(place, counts.shape[1]) for place in order]

    def draw(canvas: Canvas) -> Chart:
        """A panel for each window and channel."""
        columns = 2 if canvas.narrow else 3
        lines = -(-len(places) // columns)
        figure = canvas.figure(0.4 + 1.6 * lines)
        panels = list(figure.subplots(lines, columns, squeeze=False).flat)
        for panel, (window, channel) in zip(panels, places, strict=False):
            one_window(panel, trial, estimates, window, channel)
            panel.set_title(short(names[channel] if names else f"channel {channel}", 18))
        for panel in panels[len(places) :]:
            panel.set_visible(False)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
        return figure

    caption = "Test windows with the most hidden cells, by step, in standard deviations of the training rows."
    return Section(
        "Gaps in the test windows", [Figure("Hidden cells and what the model believes of them", draw, caption, caption)]
    )


def one_window(axes: Axes, trial: Trial, estimates: torch.Tensor, window: int, channel: int) -> None:
    """One channel of one window over its steps, in standard deviations."""
    assert trial.given.mask is not None  # see Trial.of
    step = np.arange(trial.truth.shape[1])
    truth, estimate = trial.truth[window, :, channel].numpy(), estimates[window, :, channel].numpy()
    seen, hidden = trial.given.mask[window, :, channel].numpy(), trial.hidden[window, :, channel].numpy()
    axes.plot(step, estimate, color=BELIEVED, lw=1.5, label="believed")
    axes.plot(step[seen], truth[seen], "o", ms=3, color=SEEN, label="seen")
    axes.plot(step[hidden], truth[hidden], "o", ms=4, mfc="none", color=HIDDEN, label="hidden")

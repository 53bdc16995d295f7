"""What a model of series predicts of hidden cells, for the page of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from vaehub import report
from vaehub_timeseries.imputation_task import ImputationTask

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Chart

    from vaehub import TrainedModel

PANELS = 6
SHOWN, HIDDEN, PREDICTED = report.BLUE, report.RED, report.ORANGE


def hidden_cells_section(run: TrainedModel, task: ImputationTask, names: Sequence[str] | None) -> report.Section:
    """The channels and windows with the most hidden cells: what was shown, what was hidden, what the model predicts."""
    estimates = task.estimates(run.vae, run.device)
    counts = task.hidden.sum(1)  # (N, C)
    order = counts.flatten().argsort(descending=True, stable=True)[:PANELS].tolist()
    places = [divmod(place, counts.shape[1]) for place in order]

    def draw(canvas: report.Canvas) -> Chart:
        """A panel for each window and channel."""
        columns = 2 if canvas.narrow else 3
        lines = -(-len(places) // columns)
        figure = canvas.figure(0.4 + 1.6 * lines)
        panels = list(figure.subplots(lines, columns, squeeze=False).flat)
        for panel, (window, channel) in zip(panels, places, strict=False):
            one_window(panel, task, estimates, window, channel)
            panel.set_title(report.truncated(names[channel] if names else f"channel {channel}", 18))
        for panel in panels[len(places) :]:
            panel.set_visible(False)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
        return figure

    caption = "Test windows with the most hidden cells, by step, in standard deviations of the training rows."
    return report.Section(
        "Gaps in the test windows", [report.Figure("Hidden cells and what the model predicts of them", draw, caption, caption)]
    )


def one_window(axes: Axes, task: ImputationTask, estimates: torch.Tensor, window: int, channel: int) -> None:
    """One channel of one window over its steps, in standard deviations."""
    assert task.given.mask is not None  # see Trial.of
    step = np.arange(task.truth.shape[1])
    truth, estimate = task.truth[window, :, channel].numpy(), estimates[window, :, channel].numpy()
    shown, hidden = task.given.mask[window, :, channel].numpy(), task.hidden[window, :, channel].numpy()
    axes.plot(step, estimate, color=PREDICTED, lw=1.5, label="predicted")
    axes.plot(step[shown], truth[shown], "o", ms=3, color=SHOWN, label="shown")
    axes.plot(step[hidden], truth[hidden], "o", ms=4, mfc="none", color=HIDDEN, label="hidden")

"""Curves of several runs in one figure."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from vaehub.report.charts import Line, Panel, curves
from vaehub.report.style import SERIES, Canvas

STYLES = ("-", "--", ":", "-.")  # one after the other, where there are more runs than colours
PANELS = {
    "val_elbo": "ELBO, higher is better",
    "val_log_px": "log p(x|z), higher is better",
    "val_kl": "KL(q(z|x) ‖ p(z))",
}


def comparison_curves(histories: Mapping[str, pd.DataFrame], canvas: Canvas) -> Figure:
    """Validation figures by epoch, in nats per row: a panel for each, a line for every run.

    Arguments:
        histories: rows of metrics.csv by the name of the run.
        canvas: to draw on.
    """
    panels = [Panel(title, lines_of(histories, column), "epoch", "nats") for column, title in PANELS.items()]
    return curves(panels, canvas)


def lines_of(histories: Mapping[str, pd.DataFrame], column: str) -> list[Line]:
    """One figure by epoch, counted from 1, of every run that has it."""
    lines = []
    for number, (name, history) in enumerate(histories.items()):
        if column in history:
            values = history[column].dropna()
            epochs = [float(epoch) + 1 for epoch in history["epoch"][values.index]]
            style = STYLES[number // len(SERIES) % len(STYLES)]
            lines.append(Line(name, epochs, values.tolist(), SERIES[number % len(SERIES)], style))
    return lines

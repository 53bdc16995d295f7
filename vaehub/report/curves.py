"""Curves of several runs in one figure."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb")  # Paul Tol's bright scheme
STYLES = ("-", "--", ":", "-.")
PANELS = {"val_elbo": "ELBO, higher is better", "val_log_px": "log p(x|z), higher is better", "val_kl": "KL(q(z|x) || p(z))"}


def comparison_curves(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """Validation figures by epoch, in nats per row, a line for every run.

    Arguments:
        histories: rows of metrics.csv by the name of the run.
    """
    figure = Figure(figsize=(12, 4.2), dpi=130, layout="constrained", facecolor="white")
    for place, (column, title) in enumerate(PANELS.items()):
        axes = figure.add_subplot(1, len(PANELS), place + 1)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("epoch", fontsize=9)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        for number, history in enumerate(histories.values()):
            if column in history:
                values = history[column].dropna()
                style = STYLES[number // len(COLOURS) % len(STYLES)]
                marker = "o" if len(values) < 3 else ""
                axes.plot(history["epoch"][values.index] + 1, values, style, color=COLOURS[number % len(COLOURS)], marker=marker)
    figure.legend(figure.axes[0].lines, list(histories), loc="outside lower center", ncols=min(4, len(histories)), frameon=False)
    return figure

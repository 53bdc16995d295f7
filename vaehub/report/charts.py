"""The figures that every run has: curves of training and use of the latent space."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaehub.evaluation.evaluate import ACTIVE

TRAIN, VALIDATION, IDLE = "#4477aa", "#ee6677", "#bbbbbb"
INK, FAINT = "#222222", "#666666"
SHOWN = 128  # latent dimensions in one chart
PANELS = {  # title -> column without its split, sign, the training loss to draw beside it
    "-ELBO": ("elbo", -1, "train_loss"),
    "reconstruction, -log p(x|z)": ("log_px", -1, None),
    "KL(q(z|x) || p(z))": ("kl", 1, None),
}


def page(title: str, caption: str, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """An empty figure of `columns` panels with its title and caption."""
    figure = Figure(figsize=(9.6, height), dpi=130, layout="constrained", facecolor="white")
    figure.suptitle(title, fontsize=13, color=INK, fontweight="bold")
    figure.supxlabel(textwrap.fill(caption, 130), fontsize=8.5, color=FAINT)
    panels = [figure.add_subplot(1, columns, i + 1) for i in range(columns)]
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=FAINT, labelsize=8)
        axes.grid(axis="y", color="#eeeeee")
        axes.set_axisbelow(True)
    return figure, panels


def training_curves(metrics: pd.DataFrame) -> Figure:
    """-ELBO and loss, reconstruction and KL by epoch, training and validation."""
    caption = "Means over an epoch (training) and at its end (validation), nats per row; lower is better, except for the KL."
    figure, panels = page("Training curves", caption, 3.4, len(PANELS))
    for axes, (title, (name, sign, loss)) in zip(panels, PANELS.items(), strict=True):
        axes.set_title(title, fontsize=10, color=INK)
        axes.set_xlabel("epoch", fontsize=8, color=FAINT)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        curve(axes, metrics, f"train_{name}", sign, "training", TRAIN, "-")
        curve(axes, metrics, f"val_{name}", sign, "validation", VALIDATION, "-")
        if loss is not None and not matches(metrics, loss, f"train_{name}"):
            curve(axes, metrics, loss, 1, "training loss", TRAIN, ":")
    panels[0].legend(frameon=False, fontsize=8)
    return figure


def curve(axes: Axes, metrics: pd.DataFrame, column: str, sign: int, label: str, colour: str, style: str) -> None:
    """One column by epoch, where the run has it."""
    if column in metrics:
        values = pd.to_numeric(metrics[column], errors="coerce").dropna()
        marker = "o" if len(values) < 3 else ""
        axes.plot(values.index + 1, sign * values, label=label, color=colour, linestyle=style, marker=marker, linewidth=1.6)


def matches(metrics: pd.DataFrame, loss: str, bound: str) -> bool:
    """Whether the loss is minus the bound, so that one line shows both."""
    return loss not in metrics or bound not in metrics or bool(np.allclose(metrics[loss], -metrics[bound], rtol=1e-3))


def kl_by_dimension(kl: Sequence[float], variance: Sequence[float]) -> Figure:
    """KL of every latent dimension, largest first, the active ones in colour."""
    order = np.argsort(kl)[::-1][:SHOWN]
    active = np.asarray(variance) > ACTIVE
    more = f"; the {SHOWN} largest of {len(kl)} are shown" if len(kl) > SHOWN else ""
    caption = f"Mean over test rows, largest first. Grey: idle units, whose code hardly varies (Var E[z|x] <= {ACTIVE}){more}."
    figure, (axes,) = page(f"KL per latent dimension: {active.sum()} of {len(kl)} units active", caption, 3.2)
    axes.bar(range(len(order)), np.asarray(kl)[order], color=[TRAIN if active[d] else IDLE for d in order])
    if len(order) <= 40:
        axes.set_xticks(range(len(order)), [str(d) for d in order])
    axes.set_xlabel("latent dimension", fontsize=8, color=FAINT)
    axes.set_ylabel("KL, nats", fontsize=8, color=FAINT)
    return figure

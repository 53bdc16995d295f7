"""The charts: properties beside those of training molecules, the latent map, and how a search went.

Letters of shapes: N molecules, L latent, K objectives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Chart
from numpy.typing import NDArray

from vaehub import report

NAMES = {"qed": "QED", "logp": "logP", "sa": "synthetic accessibility (1 easy, 10 hard)", "mw": "molecular weight, g/mol"}
Floats = NDArray[np.float64]


def property_figure(name: str, word: str, groups: Mapping[str, Floats]) -> report.Figure:
    """One property of groups of molecules, each scaled to the same area."""
    sizes = ", ".join(f"{len(values):,} {group}" for group, values in groups.items())
    alt = f"Distribution among {', '.join(groups)}."
    return report.Figure(
        word,
        partial(report.histogram, groups, NAMES.get(name, name)),
        alt,
        note=f"Of {sizes}, each scaled to the same area.",
        half=True,
    )


def latent_figure(codes: Floats, values: Floats, name: str) -> report.Figure:
    """Codes (N, L) in the plane where they vary most, coloured by a property (N,)."""
    points, shares = report.plane(codes)
    axes = (f"component 1: {shares[0]:.0%} of the variance", f"component 2: {shares[1]:.0%} of the variance")
    shown = report.Cloud(points, axes, values=values, value=NAMES.get(name, name))
    title = f"Latent map by {NAMES.get(name, name)}"
    caption = "The mean of q(z|x) of unseen molecules on its first two principal components."
    return report.Figure(
        title, partial(report.cloud, shown), caption, caption, f"{report.plural(len(codes), 'molecule')}.", half=True
    )


def score_figure(scores: Floats, name: str = "score") -> report.Figure:
    """The best of scores (N,), and the mean of the best 10 and 100, against calls; `name` says of what."""
    real = np.where(np.isfinite(scores), scores, np.nan)

    def draw(canvas: report.Canvas) -> Chart:
        figure = canvas.figure(2.6)
        axes = figure.subplots()
        calls = np.arange(1, len(real) + 1)
        axes.plot(calls, real, ".", color=report.REST, markersize=2.5, label="each call", zorder=1, rasterized=len(real) > 1500)
        for top, colour in ((1, report.ORANGE), (10, report.BLUE), (100, report.GREEN)):
            if len(real) >= top:
                axes.plot(*best_means(real, top), color=colour, label="best" if top == 1 else f"mean of the best {top}")
        axes.set_xlabel("calls of the objective")
        axes.set_ylabel(name)
        figure.legend(loc="outside upper left", ncols=2 if canvas.narrow else 4)
        return figure

    return report.Figure(f"Best {name} by calls", draw, f"Best {name} and means of the best by calls.")


def best_means(scores: Floats, top: int) -> tuple[list[int], list[float]]:
    """Calls, and the mean of the `top` best scores up to each, at 200 places."""
    at = np.unique(np.linspace(top, len(scores), 200).astype(int))
    kept = np.nan_to_num(scores, nan=-np.inf)
    means = [np.sort(kept[:n])[::-1][:top] for n in at]
    return at.tolist(), [float(m[np.isfinite(m)].mean()) if np.isfinite(m).any() else np.nan for m in means]


def front_figure(trace: pd.DataFrame, front: pd.DataFrame, columns: Sequence[str]) -> report.Figure:
    """Every call in the plane of the first two objectives, and those that none beats in all."""

    def draw(canvas: report.Canvas) -> Chart:
        figure = canvas.figure(3.0)
        axes = figure.subplots()
        axes.plot(
            trace[columns[0]],
            trace[columns[1]],
            ".",
            color=report.REST,
            markersize=3,
            label="all calls",
            rasterized=len(trace) > 1500,
        )
        axes.plot(front[columns[0]], front[columns[1]], "o", color=report.ORANGE, markersize=5, label="beaten by none")
        axes.set_xlabel(columns[0])
        axes.set_ylabel(columns[1])
        figure.legend(loc="outside upper left", ncols=2)
        return figure

    return report.Figure("The front", draw, "Calls by the first two objectives, those that none beats marked.")

"""The charts: properties beside those of training molecules, the latent map, and how a search went.

Letters of shapes: N molecules, L latent, K objectives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vaehub_molecules.report.look import BLUE, FAINT, GREY, HALF, ORANGE, axes_of, clean, figure_of, label, legend

BINS = 40
COLOURS = (GREY, BLUE, ORANGE)
NAMES = {"qed": "QED", "logp": "logP", "sa": "synthetic accessibility (1 easy, 10 hard)", "mw": "molecular weight, g/mol"}


def histogram(name: str, groups: Mapping[str, NDArray[np.float64]]) -> Figure:
    """One property of groups of molecules, each scaled to the same area; the first filled, the others drawn as lines."""
    axes = axes_of((HALF[0], 2.5))
    real = {group: values[np.isfinite(values)] for group, values in groups.items()}
    every = np.concatenate(list(real.values()))
    low, high = np.percentile(every, [0.2, 99.8]) if len(every) else (0.0, 1.0)
    edges = np.linspace(low, max(high, low + 1e-6), BINS + 1)
    for place, (group, values) in enumerate(real.items()):
        kept = values[(values >= edges[0]) & (values <= edges[-1])]
        if len(kept):
            outline = {"alpha": 0.45} if place == 0 else {"histtype": "step", "linewidth": 1.7}
            axes.hist(kept, edges.tolist(), density=True, label=group, color=COLOURS[place], **outline)
    axes.set_yticks([])
    label(axes, NAMES.get(name, name))
    legend(axes)
    return figure_of(axes)


def plane(codes: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Codes (N, L) on their two greatest principal components (N, 2), and the share of variance there."""
    left, size, axes = np.linalg.svd(codes - codes.mean(0), full_matrices=False)
    sign = np.sign(axes[np.arange(2), np.abs(axes[:2]).argmax(1)])
    return left[:, :2] * size[:2] * sign, float((size[:2] ** 2).sum() / max((size**2).sum(), 1e-12))


def latent_map(codes: NDArray[np.float64], values: NDArray[np.float64], name: str) -> Figure:
    """Codes (N, L) in the plane where they vary most, coloured by a property (N,)."""
    points, share = plane(codes)
    axes = axes_of((HALF[0], 3.9))
    drawn = axes.scatter(
        points[:, 0],
        points[:, 1],
        c=values,
        s=7,
        cmap="viridis",
        linewidths=0,
        vmin=np.percentile(values, 2),
        vmax=np.percentile(values, 98),
    )
    bar = figure_of(axes).colorbar(drawn, ax=axes, fraction=0.045, pad=0.02)
    bar.ax.tick_params(labelsize=8, colors=FAINT, length=3)
    bar.set_label(NAMES.get(name, name), fontsize=8.5, color=FAINT)
    label(axes, f"the plane has {share:.0%} of the variance of the means of q(z|x)")
    axes.set_xticks([])
    axes.set_yticks([])
    return figure_of(axes)


def bars(values: Sequence[float], name: str) -> Figure:
    """A value of every dimension, largest first."""
    axes = axes_of((HALF[0], 3.9))
    axes.bar(range(1, len(values) + 1), sorted(values, reverse=True), color=BLUE, width=0.85)
    axes.grid(visible=False, axis="x")
    label(axes, "dimensions of z, by what they carry", name)
    return figure_of(axes)


def score_curve(scores: NDArray[np.float64]) -> Figure:
    """Best score, and the mean of the best 10 and 100, against calls (N,)."""
    axes = axes_of((7.2, 2.9))
    calls = np.arange(1, len(scores) + 1)
    real = np.where(np.isfinite(scores), scores, np.nan)
    axes.plot(calls, real, ".", color=GREY, markersize=2.5, alpha=0.6, label="each call", zorder=1)
    for top, colour in ((1, ORANGE), (10, BLUE), (100, "#2f7d54")):
        if len(scores) >= top:
            at, means = best_means(real, top)
            axes.plot(at, means, color=colour, linewidth=1.8, label="best" if top == 1 else f"mean of the best {top}")
    label(axes, "calls of the objective", "score")
    legend(axes)
    return figure_of(axes)


def best_means(scores: NDArray[np.float64], top: int) -> tuple[list[int], list[float]]:
    """Calls, and the mean of the `top` best scores up to each, at 200 places."""
    at = np.unique(np.linspace(top, len(scores), 200).astype(int))
    kept = np.nan_to_num(scores, nan=-np.inf)
    means = [np.sort(kept[:n])[::-1][:top] for n in at]
    return at.tolist(), [float(m[np.isfinite(m)].mean()) if np.isfinite(m).any() else np.nan for m in means]


def pareto(trace: pd.DataFrame, front: pd.DataFrame, columns: Sequence[str]) -> Figure:
    """Every call in the plane of the first two objectives, and those that none beats in all."""
    axes = clean(axes_of((7.2, 3.4)))
    axes.plot(trace[columns[0]], trace[columns[1]], ".", color=GREY, markersize=3, alpha=0.6, label="all calls")
    axes.plot(front[columns[0]], front[columns[1]], "o", color=ORANGE, markersize=5, label="beaten by none")
    label(axes, columns[0], columns[1])
    legend(axes)
    return figure_of(axes)

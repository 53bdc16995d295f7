"""The latent map: points by kind, or by how much there is of them, with names where there is room."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from vaehub_recommender.report.findings import Map, Words
from vaehub_recommender.report.look import FAINT, INK, KINDS, REST, Canvas, clean, plain
from vaehub_recommender.report.named import OTHER

LABELS, TRIED = 14, 120  # names that are written, of so many of the most popular
EDGE = 0.002  # of the points on either side may lie outside of the picture
LONGEST = 26


def map_figure(shown: Map, amount: str, canvas: Canvas) -> Figure:
    """Points by kind where it is known, else by `amount`."""
    figure = canvas.figure(4.4)
    axes = clean(figure.subplots())
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_color("#e3e7ec")
    axes.spines[:].set_visible(True)
    size = 5 + 40 * shown.amount / shown.amount.max() if shown.names is not None else np.full(len(shown.points), 7.0)
    by_amount(axes, shown, size, amount) if shown.kinds is None else by_kind(axes, shown, size, shown.kinds)
    axes.set_xlabel(f"first two principal components: {shown.share:.0%} of the codes' variance", fontsize=8, color=FAINT)
    frame(axes, shown)
    if shown.names is not None:
        figure.draw_without_rendering()
        write_names(axes, shown, shown.names, 8 if canvas.narrow else LABELS)
    return figure


def by_amount(axes: Axes, shown: Map, size: object, amount: str) -> None:
    """Darker, the more there is."""
    x, y = shown.points.T
    low, high = max(shown.amount.min(), 1.0), max(shown.amount.max(), 2.0)
    dots = axes.scatter(x, y, s=size, c=shown.amount.clip(1), cmap="viridis_r", norm=LogNorm(low, high), alpha=0.75, linewidth=0)  # type: ignore[arg-type]
    bar = axes.figure.colorbar(dots, ax=axes, location="top", aspect=40, pad=0.01, shrink=0.6, anchor=(0, 0))
    bar.set_label(amount, fontsize=8, color=FAINT)
    ticks = np.unique(np.geomspace(low, high, 4).round())
    bar.set_ticks(ticks.tolist(), labels=[f"{tick:,.0f}" for tick in ticks])
    bar.minorticks_off()
    bar.ax.tick_params(labelsize=7, colors=FAINT)
    bar.outline.set_visible(False)


def by_kind(axes: Axes, shown: Map, size: object, kinds: Words) -> None:
    """A colour for each kind, and grey for the rest."""
    sizes = np.broadcast_to(np.asarray(size), len(kinds))
    for kind, colour in (*zip(shown.order, KINDS, strict=False), (OTHER, REST)):
        at = kinds == kind
        if at.any():
            x, y = shown.points[at].T
            front = 1 + (kind != OTHER)
            axes.scatter(x, y, s=sizes[at], color=colour, alpha=0.75, linewidth=0, label=plain(kind, 20), zorder=front)
    handles, labels = axes.get_legend_handles_labels()
    columns = 3 if axes.figure.get_figwidth() < 5 else 5  # type: ignore[union-attr]
    key = axes.figure.legend(
        handles, labels, loc="outside upper left", ncols=columns, frameon=False, fontsize=8, labelcolor=INK,
        columnspacing=0.9, handletextpad=0.1,
    )  # fmt: skip
    for handle in key.legend_handles:
        handle.set_sizes([28.0])  # type: ignore[union-attr]


def frame(axes: Axes, shown: Map) -> None:
    """Limits that a few far-off points do not stretch."""
    low, high = np.quantile(shown.points, [EDGE, 1 - EDGE], axis=0)
    room = 0.06 * np.maximum(high - low, 1e-9)
    axes.set(xlim=(low[0] - room[0], high[0] + room[0]), ylim=(low[1] - room[1], high[1] + room[1]))


def write_names(axes: Axes, shown: Map, names: Words, most: int) -> None:
    """The names of the most popular points that leave each other room."""
    taken: list[Bbox] = []
    for text in candidates(axes, shown, names):
        box = text.get_window_extent().padded(3)
        fits = axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1 and axes.bbox.y0 <= box.y0 and box.y1 <= axes.bbox.y1
        if len(taken) < most and fits and not any(box.overlaps(other) for other in taken):
            taken.append(box)
        else:
            text.remove()


def candidates(axes: Axes, shown: Map, names: Words) -> Iterator[Text]:
    """Names at the most popular points, one after the other."""
    for at in np.argsort(-shown.amount, kind="stable")[:TRIED]:
        yield axes.annotate(
            plain(str(names[at]), LONGEST), tuple(shown.points[at]), (0, 5), textcoords="offset points", fontsize=7.5, ha="center", color=INK,
            bbox={"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 0.8},
        )  # fmt: skip

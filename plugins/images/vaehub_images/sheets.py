"""One look for all figures: title above, caption below, sheets of images and scatter plots in between."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from torch import Tensor

from vaehub_images.files import tiled

COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#ee8833", "#332288", "#88bb99", "#886655")
INK, FAINT, PAPER = "#222222", "#666666", 235
GAP = 1  # pixels between images of a sheet
WIDTH = 7.2  # inches


def page(title: str, caption: str, height: float) -> tuple[Figure, Axes]:
    """An empty figure with its title and caption, its plot about `height` inches high."""
    text = textwrap.fill(caption, 110)
    margins = 0.55 + 0.17 * (1 + text.count("\n"))
    figure = Figure(figsize=(WIDTH, height + margins), dpi=150, layout="constrained", facecolor="white")
    figure.suptitle(title, fontsize=13, color=INK, fontweight="bold")
    figure.supxlabel(text, fontsize=8.5, color=FAINT)
    return figure, figure.subplots()


def sheet(title: str, caption: str, pixels: Tensor, columns: int, rows: Sequence[str] = (), heads: Sequence[str] = ()) -> Figure:
    """Images (N, C, H, W) as bytes in rows of `columns`, with names of rows and columns at the edges."""
    count, _, high, wide = pixels.shape
    lines = -(-count // columns)
    room = WIDTH - 0.1 - (0.1 + 0.065 * max(map(len, rows), default=0))
    figure, axes = page(title, caption, room * lines * high / (columns * wide) + (0.25 if heads else 0.0))
    image = tiled(pixels, columns, GAP, PAPER).permute(1, 2, 0).numpy(force=True)
    axes.imshow(image[..., 0] if image.shape[-1] == 1 else image, cmap="gray", vmin=0, vmax=255)
    label(axes, np.arange(columns) * (wide + GAP) + wide / 2, heads, np.arange(lines) * (high + GAP) + high / 2, rows)
    return figure


def label(axes: Axes, xs: Any, heads: Sequence[str], ys: Any, rows: Sequence[str]) -> None:
    """Names of columns above and of rows at the left, and nothing else around a sheet."""
    axes.set_xticks(xs[: len(heads)], heads, fontsize=8, color=INK)
    axes.set_yticks(ys[: len(rows)], rows, fontsize=8, color=INK)
    axes.tick_params(length=0, top=False, bottom=False, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)


def scatter(
    title: str, caption: str, points: np.ndarray, labels: np.ndarray | None, classes: Sequence[str], names: Sequence[str]
) -> Figure:
    """Points (N, 2), coloured and named by their class where they have one."""
    figure, axes = page(title, caption, 6.6)
    axes.set_aspect("equal", "datalim")
    for number, name in enumerate(classes if labels is not None else ["all"]):
        chosen = points if labels is None else points[labels == number]
        if len(chosen):
            axes.scatter(
                chosen[:, 0], chosen[:, 1], s=5, color=COLOURS[number % len(COLOURS)], alpha=0.55, linewidths=0, rasterized=True
            )
            mark(axes, np.median(chosen, 0), name if labels is not None else "", COLOURS[number % len(COLOURS)])
    axes.set_xlabel(names[0], color=FAINT)
    axes.set_ylabel(names[1], color=FAINT)
    axes.tick_params(colors=FAINT, labelsize=8)
    axes.grid(color="0.92", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[:].set_color("0.85")
    return figure


def mark(axes: Axes, at: np.ndarray, name: str, colour: str) -> None:
    """The name of a class in the middle of its points."""
    halo = withStroke(linewidth=3.5, foreground="white")
    axes.annotate(
        name, (at[0], at[1]), ha="center", va="center", fontsize=15, fontweight="bold", color=colour, path_effects=[halo]
    )

"""Charts that more than one page has: curves, bars, histograms, and clouds of points whose labels leave each other room."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from vaehub.report.style import BLUE, CARD, FAINT, INK, REST, SERIES, Canvas, figure_of

Array: TypeAlias = NDArray[Any]
BINS = 40
DENSE = 1500  # points from which a cloud is drawn as pixels: as shapes it would weigh megabytes
RINGS, DIRECTIONS = 24, 16  # places around a point that are tried for its label
LONGEST = 26  # letters of a label
LEGEND = 52  # letters, with marks, that a row of a wide legend has room for


def truncated(text: str, most: int = LONGEST) -> str:
    """A text cut where it is long.

    Arguments:
        text: the text.
        most: characters.

    >>> truncated("a long name", 7)
    'a long…'
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


@final
@dataclass(frozen=True)
class Line:
    """A curve.

    Arguments:
        label: in the legend.
        x: (N,).
        y: (N,), NaN where it has a hole.
        colour: of the palette.
        style: of matplotlib, such as "-" or "--".
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str = BLUE
    style: str = "-"


@final
@dataclass(frozen=True)
class Panel:
    """Curves over one pair of axes.

    Arguments:
        title: above them.
        lines: the curves.
        xlabel: of the axis.
        ylabel: of the axis.
        mark: an x that stands out, and what to call it.
    """

    title: str
    lines: Sequence[Line]
    xlabel: str
    ylabel: str = ""
    mark: tuple[float, str] | None = None


def curves(panels: Sequence[Panel], canvas: Canvas, height: float = 2.3) -> Figure:
    """A panel for each, with a legend where there is more than one curve.

    Arguments:
        panels: what is drawn.
        canvas: what it is drawn for.
        height: of a panel, in inches.

    >>> chart = curves([Panel("Loss", [Line("train", [0, 1], [3.0, 2.0])], "epoch")], Canvas(4.0))
    >>> chart.axes[0].get_title()
    'Loss'
    """
    axes = canvas.panels(len(panels), height)
    for at, panel in zip(axes, panels, strict=True):
        for line in panel.lines:
            marker = "o" if len(line.x) < 3 else ""
            at.plot(line.x, line.y, label=line.label, color=line.colour, linestyle=line.style, marker=marker, markersize=3.5)
        at.set_title(panel.title)
        at.set_xlabel(panel.xlabel)
        at.set_ylabel(panel.ylabel)
        if all(float(x).is_integer() for line in panel.lines for x in line.x):
            at.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        if panel.mark is not None:
            at.axvline(panel.mark[0], color=REST, linewidth=1, linestyle=(0, (4, 3)), label=panel.mark[1])
    described = {label: handle for at in axes for handle, label in zip(*at.get_legend_handles_labels(), strict=True)}
    if any(len(panel.lines) > 1 or panel.mark for panel in panels):
        figure_of(axes[0]).legend(described.values(), described, loc="outside upper left", ncols=2 if canvas.narrow else 5)
    return figure_of(axes[0])


def bars(
    values: Sequence[float], colours: Sequence[str], labels: Sequence[str], xlabel: str, ylabel: str, canvas: Canvas
) -> Figure:
    """A bar for each value; labels are left out where they would not fit. A few bars are not spread over the whole width.

    Arguments:
        values: heights (N,).
        colours: of the palette (N,).
        labels: below the bars (N,).
        xlabel: of the axis.
        ylabel: of the axis.
        canvas: what it is drawn for.

    >>> bars([1.0, 2.0], [BLUE, BLUE], ["a", "b"], "unit", "nats", Canvas(4.0)).axes[0].get_xlabel()
    'unit'
    """
    figure = canvas.figure(2.4)
    axes = figure.subplots()
    axes.grid(visible=False, axis="x")
    axes.bar(range(len(values)), values, color=list(colours), width=0.8)
    room = int(4.5 * canvas.width)
    axes.set_xlim(-0.8, max(len(values), room // 2) - 0.2)
    every = max(1, math.ceil(len(values) / room))
    axes.set_xticks(range(0, len(values), every), list(labels)[::every])
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    return figure


def histogram(groups: Mapping[str, Array], xlabel: str, canvas: Canvas, marks: Mapping[str, float] | None = None) -> Figure:
    """Values of groups, each scaled to the same area: the first filled, the others as lines.

    Arguments:
        groups: values (N,) by the name of their group.
        xlabel: of the axis.
        canvas: what it is drawn for.
        marks: values that stand out, by what to call them.

    >>> histogram({"train": np.arange(5.0), "test": np.arange(3.0)}, "nats", Canvas(4.0), {"mean": 2.0}).axes[0].get_xlabel()
    'nats'
    """
    figure = canvas.figure(2.3)
    axes = figure.subplots()
    axes.grid(visible=False)
    real = {name: values[np.isfinite(values)] for name, values in groups.items()}
    every = np.concatenate(list(real.values()))
    low, high = np.percentile(every, [0.2, 99.8]) if len(every) else (0.0, 1.0)
    edges = np.linspace(low, max(high, low + 1e-6), BINS + 1)
    for (place, (name, values)), colour in zip(enumerate(real.items()), (REST, *SERIES), strict=False):
        kept = values[(values >= edges[0]) & (values <= edges[-1])]
        if len(kept):
            outline = {"alpha": 0.6} if place == 0 else {"histtype": "step", "linewidth": 1.7}
            axes.hist(kept, edges.tolist(), density=True, label=name, color=colour, **outline)
    for name, value in (marks or {}).items():
        axes.axvline(value, color=INK, linewidth=1.2, linestyle=(0, (4, 3)), label=name)
    axes.set_yticks([])
    axes.set_xlabel(xlabel)
    figure.legend(loc="outside upper left", ncols=3)
    return figure


@final
@dataclass(frozen=True)
class Cloud:
    """Points, coloured by kind or by value.

    Arguments:
        points: (N, 2).
        axes: labels of the two axes.
        kinds: the place of each point's kind in `names` (N,), -1 for none.
        names: of the kinds.
        values: numbers (N,) to be told by a scale.
        value: what that scale is called.
        logarithmic: that scale is.
        sizes: areas of the points (N,).
        words: what to write beside some points, (x, y, text), those that matter most first.
        all_words: none is left out: what finds no room at its point is moved, with a line to it.
    """

    points: Array
    axes: tuple[str, str]
    kinds: Array | None = None
    names: Sequence[str] = ()
    values: Array | None = None
    value: str = ""
    logarithmic: bool = False
    sizes: Array | None = None
    words: Sequence[tuple[float, float, str]] = ()
    all_words: bool = False  # none is left out: what finds no room at its point is moved, with a line to it


def cloud(shown: Cloud, canvas: Canvas, height: float = 4.2) -> Figure:
    """The points, a legend of their kinds or a scale of their values, and words none of which lies under another.

    Arguments:
        shown: what is drawn.
        canvas: what it is drawn for.
        height: in inches.

    >>> points = Cloud(np.eye(2), ("first component", "second component"), np.array([0, 1]), ["cat", "dog"])
    >>> cloud(points, Canvas(4.0)).axes[0].get_xlabel()
    'first component'
    """
    figure = canvas.figure(height)
    axes = figure.subplots()
    sizes = np.full(len(shown.points), 9.0) if shown.sizes is None else shown.sizes
    by_value(axes, shown, sizes) if shown.values is not None else by_kind(axes, shown, sizes, canvas)
    axes.set_xlabel(shown.axes[0])
    axes.set_ylabel(shown.axes[1])
    frame(axes, shown.points)
    write_apart(axes, shown.words, keep=shown.all_words, most=8 if canvas.narrow and not shown.all_words else len(shown.words))
    return figure


def by_value(axes: Axes, shown: Cloud, sizes: Array) -> None:
    """Points coloured by a number, with its scale above."""
    values = np.asarray(shown.values, dtype=float)
    low, high = np.nanpercentile(values, [2, 98])
    norm = LogNorm(max(low, 1), max(high, 2)) if shown.logarithmic else Normalize(low, high)
    dots = axes.scatter(
        shown.points[:, 0],
        shown.points[:, 1],
        s=sizes,
        c=values,
        cmap="viridis",
        norm=norm,
        alpha=0.8,
        linewidths=0,
        rasterized=len(values) > DENSE,
    )
    bar = figure_of(axes).colorbar(dots, ax=axes, location="top", aspect=40, pad=0.01, shrink=0.6, anchor=(0.0, 0.0))
    bar.set_label(shown.value, loc="left")
    if shown.logarithmic:
        ticks = np.unique(np.geomspace(max(low, 1), max(high, 2), 4).round())
        bar.set_ticks(ticks.tolist(), labels=[f"{tick:,.0f}" for tick in ticks])
        bar.minorticks_off()
    bar.outline.set_visible(False)


def by_kind(axes: Axes, shown: Cloud, sizes: Array, canvas: Canvas) -> None:
    """A colour for each of the kinds with most points, grey for the rest."""
    kinds = np.zeros(len(shown.points), int) if shown.kinds is None else shown.kinds
    counts = np.bincount(kinds[kinds >= 0], minlength=max(len(shown.names), 1))
    coloured = sorted(np.argsort(-counts, kind="stable")[: len(SERIES)].tolist())
    groups = [(shown.names[kind] if shown.kinds is not None else "", kinds == kind, SERIES[i]) for i, kind in enumerate(coloured)]
    rest = ~np.isin(kinds, coloured)
    for name, at, colour in [("other", rest, REST), *groups]:
        if at.any():
            axes.scatter(
                shown.points[at, 0], shown.points[at, 1], s=sizes[at], color=colour, alpha=0.75, linewidths=0, label=truncated(name, 20),
                rasterized=len(kinds) > DENSE,
            )  # fmt: skip
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > 1:
        order = sorted(range(len(labels)), key=lambda i: labels[i] == "other")
        columns = min(10, max(3, LEGEND // (max(map(len, labels)) + 3)))
        legend = figure_of(axes).legend(
            [handles[i] for i in order], [labels[i] for i in order], loc="outside upper left", ncols=3 if canvas.narrow else columns,
            columnspacing=0.9, handletextpad=0.1,
        )  # fmt: skip
        for handle in legend.legend_handles:
            handle.set_sizes([28.0])  # type: ignore[union-attr]


def frame(axes: Axes, points: Array) -> None:
    """Limits that a few far-off points do not stretch."""
    low, high = np.quantile(points, [0.002, 0.998], axis=0)
    room = 0.06 * np.maximum(high - low, 1e-9)
    axes.set(xlim=(low[0] - room[0], high[0] + room[0]), ylim=(low[1] - room[1], high[1] + room[1]))


def write_apart(axes: Axes, words: Sequence[tuple[float, float, str]], *, keep: bool, most: int) -> list[Annotation]:
    """Words at points (x, y), none over another nor outside: moved where there is room near by; else moved further (`keep`) or left out."""
    if not words:
        return []
    figure_of(axes).draw_without_rendering()
    taken: list[Bbox] = []
    written: list[Annotation] = []
    for x, y, word in words:
        text = axes.annotate(
            truncated(word), (x, y), (0, 0), textcoords="offset points", ha="center", va="center", color=INK,
            fontweight="bold" if keep else "normal", annotation_clip=False,
            bbox={"facecolor": CARD, "alpha": 0.75, "linewidth": 0, "boxstyle": "round,pad=0.15"},
            arrowprops={"arrowstyle": "-", "color": FAINT, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip
        text.set_in_layout(False)
        size = text.get_window_extent().padded(2.5)
        tried = offsets(size.height) if keep else itertools.islice(offsets(size.height), 1 + DIRECTIONS)
        move = next((move for move in tried if len(written) < most and has_room(size.translated(*move), taken, axes.bbox)), None)
        if move is None:
            text.remove()
            continue
        text.set_position((move[0] * 72 / figure_of(axes).dpi, move[1] * 72 / figure_of(axes).dpi))
        if math.hypot(*move) < size.height:  # a line shorter than the word says nothing
            text.arrow_patch.set_visible(False)  # type: ignore[union-attr]
        taken.append(size.translated(*move))
        written.append(text)
    return written


def offsets(step: float) -> Iterator[tuple[float, float]]:
    """Moves in pixels: none, then around in growing rings."""
    yield 0.0, 0.0
    for ring, turn in itertools.product(range(1, RINGS), range(DIRECTIONS)):
        angle = 2 * math.pi * turn / DIRECTIONS + math.pi / 2
        yield ring * step * math.cos(angle) * 0.6, ring * step * math.sin(angle) * 0.6


def has_room(box: Bbox, taken: Sequence[Bbox], inside: Bbox) -> bool:
    """Whether a box lies inside and over no other."""
    within = inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1
    return within and not any(box.overlaps(other) for other in taken)


def plane(codes: Array) -> tuple[Array, Array]:
    """Codes on their two greatest principal components.

    Arguments:
        codes: (N, L).

    Returns:
        Points (N, 2), and the share of variance along each axis (2,).

    >>> points, shares = plane(np.array([[0.0, 0, 0], [0, 2, 0], [0, 4, 0]]))
    >>> abs(points[:, 0]).tolist(), shares.tolist()
    ([2.0, 0.0, 2.0], [1.0, 0.0])
    """
    left, size, directions = np.linalg.svd(codes - codes.mean(0), full_matrices=False)
    rank = min(2, len(size))
    sign = np.sign(directions[np.arange(rank), np.abs(directions[:rank]).argmax(1)])
    points, shares = np.zeros((len(codes), 2)), np.zeros(2)
    points[:, :rank] = left[:, :rank] * size[:rank] * sign
    shares[:rank] = size[:rank] ** 2 / max(float((size**2).sum()), 1e-30)
    return points, shares

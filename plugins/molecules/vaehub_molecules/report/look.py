"""One look for all charts of the pages."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, FAINT, RULE = "#1c2530", "#5d6876", "#e9ecf0"
BLUE, ORANGE, GREY, GREEN = "#2b5f9e", "#d9822b", "#9aa4b1", "#2f7d54"
HALF = (5.2, 3.3)  # inches: two beside each other on a screen, one on a phone


@final
@dataclass(frozen=True)
class Picture:
    """A chart in the page: base64 PNG, and its text for those who cannot see it."""

    title: str
    alt: str
    png: str


def picture(title: str, figure: Figure, alt: str = "") -> Picture:
    """A chart for the page; the same bits for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return Picture(title, alt or title, base64.b64encode(buffer.getvalue()).decode())


def axes_of(size: tuple[float, float] = HALF) -> Axes:
    """Clean axes on white paper."""
    figure = Figure(figsize=size, dpi=160, layout="constrained", facecolor="white")
    return clean(figure.subplots())


def clean(axes: Axes) -> Axes:
    """Axes with nothing but what is needed."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#c9cfd6")
    axes.tick_params(colors=FAINT, labelsize=8, length=3)
    axes.grid(color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    return axes


def label(axes: Axes, x: str, y: str = "") -> None:
    """What is along the axes."""
    axes.set_xlabel(x, fontsize=8.5, color=FAINT)
    axes.set_ylabel(y, fontsize=8.5, color=FAINT)


def legend(axes: Axes) -> None:
    """Who is who, without a frame."""
    axes.legend(frameon=False, fontsize=8, labelcolor=INK)


def figure_of(axes: Axes) -> Figure:
    """The figure that axes are in."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure

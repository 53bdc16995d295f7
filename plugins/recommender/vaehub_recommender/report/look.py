"""One look for all figures: drawn twice, for a screen and for a phone."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, FAINT, RULE, REST = "#1c2530", "#5d6876", "#e9ecf0", "#c3c9d1"
MODELS = ("#2b5f9e", "#d9822b", "#8a94a1", "#2f7d54", "#8d5aa5")  # the model in question first
MARKERS = "osD^v"
KINDS = ("#2b5f9e", "#d9822b", "#2f9e6e", "#c0392b", "#8d5aa5", "#a8873a", "#2aa5b8", "#d67ba8")


@final
@dataclass(frozen=True)
class Canvas:
    """What a figure is drawn for: width in inches, dots per inch."""

    width: float
    dpi: int
    narrow: bool

    def figure(self, height: float) -> Figure:
        """An empty figure of this width."""
        return Figure(figsize=(self.width, height), dpi=self.dpi, layout="constrained", facecolor="white")

    def panels(self, count: int, height: float) -> list[Axes]:
        """Clean axes of this height: beside each other, on a phone below each other."""
        shape, heights = ((count, 1), count * height) if self.narrow else ((1, count), height)
        return [clean(axes) for axes in self.figure(heights).subplots(*shape, squeeze=False).flat]


SCREEN, HALF, PHONE = Canvas(10.4, 140, narrow=False), Canvas(5.4, 160, narrow=False), Canvas(3.9, 200, narrow=True)


@final
@dataclass(frozen=True)
class Picture:
    """A figure in the page, as base64 PNG for both widths, and its text for those who cannot see it."""

    alt: str
    screen: str
    phone: str


def picture(alt: str, draw: Callable[[Canvas], Figure], screen: Canvas = SCREEN) -> Picture:
    """Draw for both widths."""
    return Picture(alt, png(draw(screen)), png(draw(PHONE)))


def png(figure: Figure) -> str:
    """The figure as base64 PNG, the same bits for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return base64.b64encode(buffer.getvalue()).decode()


def clean(axes: Axes) -> Axes:
    """Axes with nothing but what is needed."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#c9cfd6")
    axes.tick_params(colors=FAINT, labelsize=8, length=3)
    axes.grid(color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    return axes


def rows(axes: Axes, labels: Sequence[str], xlabel: str) -> None:
    """Labels down the left side, one a row, and what is along the bottom."""
    axes.grid(visible=False, axis="y")
    axes.set_yticks(range(len(labels)), [plain(label) for label in labels], color=INK)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlabel(xlabel, fontsize=8, color=FAINT)


def plain(text: str, most: int = 60) -> str:
    """Text as matplotlib writes it, cut where it is long; its dollars are no formulas."""
    return (text if len(text) <= most else f"{text[: most - 1]}…").replace("$", r"\$")

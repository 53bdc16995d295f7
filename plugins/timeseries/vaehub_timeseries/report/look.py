"""One look for all figures: drawn twice, for a screen and for a phone."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

OBSERVED, IMPUTED, BAND, HOLE = "#35608f", "#c4512d", "#f3cdbf", "#d9663f"
GOOD, BAD, OTHER, INK, FAINT, RULE = "#2f7d54", "#b5761a", "#8a94a1", "#1c2530", "#5d6876", "#e9ecf0"
ROUND = [1, 2, 2.5, 5, 10]  # steps between ticks, times a power of ten
DATES = ["%Y", "%b", "%d", "%H:%M", "%H:%M", "%S"]  # at ticks a year, month, day, hour, minute, second apart …
ROUND_DATES = ["", "%Y", "%b", "%d %b", "%H:%M", "%H:%M"]  # … where the next larger unit begins …
BESIDE = ["", "%Y", "%b %Y", "%d %b %Y", "%d %b %Y", "%d %b %Y %H:%M"]  # … and what is said once for all of them


@dataclass(frozen=True)
class Canvas:
    """What a figure is drawn for: width in inches, dots per inch."""

    width: float
    dpi: int
    narrow: bool

    def figure(self, height: float, layout: Literal["constrained"] | None = "constrained") -> Figure:
        """An empty figure of this width. Constrained layout draws everything twice: not for figures of which there are many."""
        return Figure(figsize=(self.width, height), dpi=self.dpi, layout=layout, facecolor="white")


SCREEN, PHONE = Canvas(10.4, 140, narrow=False), Canvas(3.9, 200, narrow=True)


@dataclass(frozen=True)
class Picture:
    """A figure in the page, as base64 PNG for both widths, and its text for those who cannot see it."""

    alt: str
    screen: str
    phone: str


def picture(alt: str, draw: Callable[[Canvas], Figure]) -> Picture:
    """Draw for both widths."""
    return Picture(alt, png(draw(SCREEN)), png(draw(PHONE)))


def png(figure: Figure) -> str:
    """The figure as base64 PNG, the same bits for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return base64.b64encode(buffer.getvalue()).decode()


def clean(axes: Axes, title: str = "") -> Axes:
    """Axes with nothing but what is needed."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#c9cfd6")
    axes.tick_params(colors=FAINT, labelsize=8, length=3)
    axes.grid(axis="y", color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_title(title, fontsize=9, color=INK, loc="left", y=1.0)
    return axes


def time_axis(axes: Axes, stamps: Any, most: int) -> None:
    """At most about so many dates, or row numbers, under the axes."""
    if stamps.min() == stamps.max():
        axes.set_xticks(stamps[:1], [str(stamps[0])[:16]])
    elif stamps.dtype.kind == "M":
        date_axis(axes, most)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(most, integer=True, steps=ROUND))


def date_axis(axes: Axes, most: int) -> None:
    """Dates in few letters, what they share said once; the locator finds no interval unless it may take less than half as many."""
    locator = AutoDateLocator(minticks=(most - 1) // 2, maxticks=most)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, formats=DATES, zero_formats=ROUND_DATES, offset_formats=BESIDE))  # type: ignore[no-untyped-call]
    axes.xaxis.get_offset_text().set(color=FAINT, fontsize=8)


def number(value: float) -> str:
    """Three significant digits, never with an exponent that plain digits can do without."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:#.3g}".rstrip(".")

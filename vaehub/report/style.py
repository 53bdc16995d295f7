"""One look for every page: colours for light and dark, the style of charts, and the widths that they are drawn for."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Literal, TypeAlias, final

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler

PALETTE: Mapping[str, tuple[str, str]] = {  # name of the CSS variable: (light, dark); charts are drawn in the light ones
    "ink": ("#1c2530", "#e6eaf0"),
    "faint": ("#5d6876", "#9aa6b5"),
    "paper": ("#f6f7f9", "#12161c"),
    "card": ("#ffffff", "#1b2129"),
    "line": ("#e3e7ec", "#2c343f"),
    "axis": ("#c9cfd6", "#465160"),
    "rule": ("#e9ecf0", "#29303a"),
    "rest": ("#aab2bd", "#66727f"),
    "good": ("#1d7340", "#7fd6a1"),
    "warning": ("#9a6200", "#f2b95c"),
    "error": ("#b3261e", "#ff8a80"),
    "note": ("#35608f", "#8ab4e8"),
    "blue": ("#2b5f9e", "#6fa8e8"),
    "orange": ("#d9822b", "#f0a35a"),
    "green": ("#2f9e6e", "#5cc795"),
    "red": ("#c0392b", "#ef7f74"),
    "purple": ("#8d5aa5", "#bb90d3"),
    "ochre": ("#a8873a", "#d0b36a"),
    "teal": ("#2aa5b8", "#62cfe0"),
    "pink": ("#d67ba8", "#eda3c8"),
    "olive": ("#6b7a2f", "#a9bb62"),
    "indigo": ("#5b4a8a", "#9b8fd6"),
    "band": ("#f3cdbf", "#5c3a30"),
}
LIGHT = {name: light for name, (light, _) in PALETTE.items()}
INK, FAINT, CARD, AXIS, RULE, REST = (LIGHT[name] for name in ("ink", "faint", "card", "axis", "rule", "rest"))
GOOD, WARNING, BAND = LIGHT["good"], LIGHT["warning"], LIGHT["band"]
BLUE, ORANGE, GREEN, RED = (LIGHT[name] for name in ("blue", "orange", "green", "red"))
SERIES = tuple(LIGHT[name] for name in ("blue", "orange", "green", "red", "purple", "ochre", "teal", "pink", "olive", "indigo"))

STYLE: Any = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": INK,
    "text.parse_math": False,  # a column may be called $x$
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "axes.labelcolor": FAINT,
    "axes.edgecolor": AXIS,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler("color", SERIES),
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "xtick.color": AXIS,
    "ytick.color": AXIS,
    "xtick.labelcolor": FAINT,
    "ytick.labelcolor": FAINT,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.labelcolor": INK,
    "svg.fonttype": "none",  # text stays text: it can be selected and takes the page's font
}


@final
@dataclass(frozen=True)
class Canvas:
    """What a chart is drawn for; on the page 8 points of type come to 11 to 13 px.

    Arguments:
        width: in inches.
        narrow: for a phone.

    >>> len(NARROW.panels(2, height=2.0)), NARROW.narrow
    (2, True)
    """

    width: float
    narrow: bool = False

    def figure(self, height: float, layout: Literal["constrained"] | None = "constrained") -> Figure:
        """An empty figure of this width.

        Arguments:
            height: in inches.
            layout: constrained layout draws everything twice: None where there are many charts.
        """
        return Figure(figsize=(self.width, height), dpi=72, layout=layout)

    def panels(self, count: int, height: float) -> list[Axes]:
        """Axes beside each other, on a phone below each other.

        Arguments:
            count: how many.
            height: of each, in inches.
        """
        shape, heights = ((count, 1), count * height) if self.narrow else ((1, count), height)
        return list(self.figure(heights).subplots(*shape, squeeze=False).flat)


WIDE, HALF, NARROW = Canvas(9.0), Canvas(4.9), Canvas(3.6, narrow=True)
Draw: TypeAlias = Callable[[Canvas], Figure]


def drawn(draw: Draw, canvas: Canvas) -> Figure:
    """The chart in the style of the pages.

    Arguments:
        draw: draws it on a canvas.
        canvas: what it is drawn for.

    >>> float(drawn(lambda canvas: canvas.figure(2.0), WIDE).get_figwidth())
    9.0
    """
    with mpl.rc_context(STYLE):
        return draw(canvas)


def figure_of(axes: Axes) -> Figure:
    """The figure that axes are in."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure


def png(figure: Figure) -> bytes:
    """A chart as PNG on white, the same bytes for the same chart.

    Arguments:
        figure: the chart.

    >>> png(WIDE.figure(1.0))[1:4]
    b'PNG'
    """
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format="png", dpi=140, facecolor=CARD, metadata={"Software": None})
    return buffer.getvalue()


def svg(figure: Figure, key: str, alt: str) -> Markup:
    """A chart as an SVG element whose colours are the page's CSS variables.

    Arguments:
        figure: the chart.
        key: differs from that of every other chart on the page.
        alt: what it shows, for those who cannot see it.

    >>> svg(WIDE.figure(1.0), "0-wide", "Nothing.")[:45]
    Markup('<svg role="img" aria-label="Nothing." viewBox')
    """
    buffer = io.StringIO()
    with mpl.rc_context(STYLE | {"svg.hashsalt": key}):
        figure.savefig(buffer, format="svg", dpi=200, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    return accessible_svg(inline_svg(text[text.index("<svg") :]), alt)


def accessible_svg(text: str, alt: str) -> Markup:
    """An SVG element with its role and its text for those who cannot see it."""
    label = escape(" ".join(alt.split()))
    opened = text.strip().replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
    return Markup(opened.replace(">", f"><title>{label}</title>", 1))  # noqa: S704


def inline_svg(text: str) -> str:
    """SVG as matplotlib writes it, made fit to stand in a page: no ids of its own but those that it refers to, no fonts, short numbers."""
    for pattern in (
        r"<metadata>.*?</metadata>",
        r"<style.*?</style>",
        r' xmlns(:\w+)?="[^"]*"',
        r' (width|height)="[\d.]+pt"',
        r"<!--.*?-->",
    ):
        text = re.sub(pattern, "", text, flags=re.DOTALL)
    used = set(re.findall(r"#([A-Za-z][\w.-]*)[\")]", text))
    text = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", text)
    text = re.sub(r"; font-family: [^;\"]*|font-family: [^;\"]*;? ?", "", text.replace("xlink:href", "href"))
    text = re.sub(r"(font: )?([\d.]+px) '[^\"]*?(?=[;\"])", lambda found: f"font-size: {found[2]}", text)
    text = re.sub(r' (?:d|x|y|points)="[^"]*"', lambda found: re.sub(r"\d+\.\d{3,}", two_decimals, found[0]), text)
    return re.sub(r"#[0-9a-f]{6}\b", lambda found: f"var(--{VARIABLES[found[0]]})" if found[0] in VARIABLES else found[0], text)


VARIABLES = {light: name for name, light in LIGHT.items()}


def two_decimals(number: re.Match[str]) -> str:
    """A number with two digits behind the point: a hundredth of a pixel."""
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")

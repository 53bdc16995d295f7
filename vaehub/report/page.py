"""One self-contained page of HTML: it opens offline, needs no script but in widgets, and follows the reader's light or dark mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import final

import jinja2
from markupsafe import Markup

from vaehub.files.atomic import atomic_write
from vaehub.report.parts import Block, Figure, Link, Section
from vaehub.report.style import HALF, NARROW, PALETTE, WIDE, drawn, svg

Progress = Callable[[int, int], None]


def no_progress(done: int, of: int) -> None:
    """Tell nobody how far it is."""


@final
@dataclass(frozen=True)
class Page:
    """A title and sections: one file of HTML that opens offline.

    Arguments:
        title: of the page.
        sections: in order.
        subtitle: below the title.
        lead: blocks above the contents.
        chips: what it is made of, by name.
        links: pages near by.

    >>> from vaehub.report.parts import Text
    >>> page = Page("Gaps", [Section("Stations", [Text("None has gaps & all are read.")])])
    >>> "None has gaps &amp; all are read." in page.html()
    True
    """

    title: str
    sections: Sequence[Section]
    subtitle: str = ""
    lead: Sequence[Block] = ()
    chips: Mapping[str, str] = field(default_factory=dict)
    links: Sequence[Link] = ()

    def figures(self) -> list[Figure]:
        """All charts, in order."""
        parts: list[Block | Section] = [*self.lead, *self.sections]
        return [figure for part in parts for figure in part.figures()]

    def html(self, progress: Progress = no_progress) -> str:
        """The page: the same parts give the same bytes.

        Arguments:
            progress: is told how many charts are drawn, of how many.
        """
        figures = self.figures()
        charts = {}
        for place, figure in enumerate(figures):
            progress(place, len(figures))
            charts[id(figure)] = chart(figure, place)
        progress(len(figures), len(figures))
        return environment().get_template("base.html").render(page=self, palette=PALETTE, chart=lambda figure: charts[id(figure)])

    def write(self, path: Path, progress: Progress = no_progress) -> Path:
        """Write the page, whole or not at all, and give its path.

        Arguments:
            path: of the file.
            progress: is told how many charts are drawn, of how many.
        """
        atomic_write(path, self.html(progress).encode())
        return path


def chart(figure: Figure, place: int) -> tuple[Markup, Markup]:
    """A chart for a screen and for a phone."""
    alt = " ".join(filter(None, (figure.title, figure.alt)))
    canvases = {"wide": HALF if figure.half else WIDE, "narrow": NARROW}
    wide, narrow = (svg(drawn(figure.draw, canvas), f"{place}-{name}", alt) for name, canvas in canvases.items())
    return wide, narrow


@cache
def environment() -> jinja2.Environment:
    """Templates in which everything is escaped that is put into them."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("vaehub.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return made

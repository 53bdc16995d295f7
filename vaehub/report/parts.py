"""What pages are made of. A section holds blocks; each kind of block has a template of its name, and all that is given is escaped."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias, final

from markupsafe import Markup

from vaehub.report.style import Draw, accessible_svg

Tone: TypeAlias = Literal["", "good", "note", "warning", "error"]


class Block:
    """A part of a section."""

    template: ClassVar[str]  # templates/blocks/NAME.html

    def figures(self) -> Iterator[Figure]:
        """The charts in it."""
        return iter(())


@final
@dataclass(frozen=True)
class Section:
    """A heading, what to know before reading, and blocks.

    Arguments:
        title: of the section.
        blocks: what stands in it, in order.
        note: what to know before reading.

    >>> Section("Gaps", [Text("None.")]).title
    'Gaps'
    """

    title: str
    blocks: Sequence[Block]
    note: str = ""

    def figures(self) -> Iterator[Figure]:
        """The charts in it."""
        return (figure for block in self.blocks for figure in block.figures())


@final
@dataclass(frozen=True)
class Text(Block):
    """A paragraph.

    Arguments:
        text: without markup.
        faint: set in grey.
    """

    template = "text"
    text: str
    faint: bool = True


@final
@dataclass(frozen=True)
class Tile:
    """A headline figure.

    Arguments:
        name: what it is.
        value: with its error and unit.
        note: what to know of it.
    """

    name: str
    value: str
    note: str = ""


@final
@dataclass(frozen=True)
class Tiles(Block):
    """Headline figures.

    Arguments:
        tiles: in order.
    """

    template = "tiles"
    tiles: Sequence[Tile]


@final
@dataclass(frozen=True)
class Finding(Block):
    """A statement about the model: how good or bad it is shows at its edge.

    Arguments:
        text: the statement.
        tone: "", "good", "note", "warning" or "error".
        title: in bold before it.
        advice: what to change.
        checked: what was looked at, folded in.
    """

    template = "finding"
    text: str
    tone: Tone = "note"
    title: str = ""
    advice: str = ""
    checked: Sequence[str] = ()


@final
@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Arguments:
        text: what stands in it.
        best: it is the best of its row, and bold.
        tone: "", "good", "note", "warning" or "error".
    """

    text: str
    best: bool = False
    tone: Tone = ""


@final
@dataclass(frozen=True)
class Table(Block):
    """Rows with a heading each, which their first cell is.

    Arguments:
        head: names of the columns.
        rows: cells, as many in each row as there are columns.
        title: above the table.
        note: below it.
        words: cells are sentences, not figures.
        folded: shown when its title is clicked.
    """

    template = "table"
    head: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]
    title: str = ""
    note: str = ""
    words: bool = False
    folded: bool = False


@final
@dataclass(frozen=True)
class Facts(Block):
    """Names and what they stand for.

    Arguments:
        facts: by name.
        title: above them.
    """

    template = "facts"
    facts: Mapping[str, str]
    title: str = ""


@final
@dataclass(frozen=True)
class Code(Block):
    """Text as it is typed: a command, a configuration.

    Arguments:
        text: the lines.
        title: above them.
        folded: shown when its title is clicked.
    """

    template = "code"
    text: str
    title: str = ""
    folded: bool = False


@final
@dataclass(frozen=True)
class Figure(Block):
    """A chart, drawn for a screen and for a phone.

    Arguments:
        title: above the chart.
        draw: draws it on a canvas.
        alt: what it shows, for those who cannot see it.
        caption: how to read it.
        note: how sure it is, of how many rows.
        half: for half of the width of a screen.
    """

    template = "figure"
    title: str
    draw: Draw
    alt: str
    caption: str = ""
    note: str = ""
    half: bool = False

    def figures(self) -> Iterator[Figure]:
        """Itself."""
        yield self


@final
@dataclass(frozen=True)
class Drawing:
    """An SVG element from a program that is trusted to escape: a molecule as RDKit draws it.

    Arguments:
        svg: the element.
        alt: what it shows, for those who cannot see it.
    """

    svg: str = field(repr=False)
    alt: str

    @property
    def markup(self) -> Markup:
        """The element with its role and title."""
        return accessible_svg(self.svg, self.alt)


@final
@dataclass(frozen=True)
class Card:
    """A drawing with a line above and lines below it.

    Arguments:
        title: the line above.
        drawing: the drawing.
        lines: those below.
        code: set as it is typed.
        tone: "", "good", "note", "warning" or "error".
    """

    title: str = ""
    drawing: Drawing | None = None
    lines: Sequence[str] = ()
    code: str = ""
    tone: Tone = ""


@final
@dataclass(frozen=True)
class Cards(Block):
    """Cards in a grid; those of one group stay side by side in one frame.

    Arguments:
        groups: of cards.
        title: above the grid.
    """

    template = "cards"
    groups: Sequence[Sequence[Card]]
    title: str = ""


@final
@dataclass(frozen=True)
class Listing(Block):
    """Things in order, each with a remark.

    Arguments:
        title: above them.
        intro: a sentence before the first.
        items: (thing, remark).
    """

    template = "listing"
    title: str
    intro: str
    items: Sequence[tuple[str, str]]


@final
@dataclass(frozen=True)
class Key(Block):
    """What colours stand for.

    Arguments:
        entries: (name in the palette, "line" or "area", words).
    """

    template = "key"
    entries: Sequence[tuple[str, Literal["line", "area"], str]]


@final
@dataclass(frozen=True)
class Link:
    """The way to another page.

    Arguments:
        title: what stands there.
        href: its address, relative to this page.
        note: what it is.
    """

    title: str
    href: str
    note: str = ""


@final
@dataclass(frozen=True)
class Links(Block):
    """Ways to other pages.

    Arguments:
        links: in order.
    """

    template = "links"
    links: Sequence[Link]


@final
@dataclass(frozen=True)
class Beside(Block):
    """Blocks side by side where there is room: two columns on a screen, one on a phone.

    Arguments:
        blocks: in order.
    """

    template = "beside"
    blocks: Sequence[Block]

    def figures(self) -> Iterator[Figure]:
        """The charts in them."""
        return (figure for block in self.blocks for figure in block.figures())


@final
@dataclass(frozen=True)
class Column(Block):
    """Blocks one below the other, as one of those of `Beside`.

    Arguments:
        blocks: in order.
    """

    template = "column"
    blocks: Sequence[Block]

    def figures(self) -> Iterator[Figure]:
        """The charts in them."""
        return (figure for block in self.blocks for figure in block.figures())


@final
@dataclass(frozen=True)
class Widget(Block):
    """A part that answers the reader. The data are escaped; the script and the markup are the program's own, which is trusted.

    The script finds the data as JSON in the element before its own, `document.currentScript.previousElementSibling`.

    Arguments:
        title: above it.
        markup: HTML of its elements.
        script: JavaScript, which needs nothing but the page.
        data: what the script reads.
        note: what to know of it.
    """

    template = "widget"
    title: str
    markup: str = field(repr=False)
    script: str = field(repr=False)
    data: Mapping[str, object] = field(repr=False)
    note: str = ""


def best(values: Sequence[float], *, lower: bool = False, digits: int = 4) -> list[bool]:
    """Which of the values are the best as they are printed: equal ones alike, none where all are.

    Arguments:
        values: figures; NaN is never the best.
        lower: lower is better.
        digits: behind the point.

    >>> best([0.5678, 0.5743]), best([1.0, 1.0]), best([3.0, 2.0, 2.0], lower=True)
    ([False, True], [False, False], [False, True, True])
    """
    shown = [round(value, digits) for value in values if not math.isnan(value)]
    if len(set(shown)) < 2:
        return [False] * len(values)
    top = min(shown) if lower else max(shown)
    return [not math.isnan(value) and round(value, digits) == top for value in values]


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    Arguments:
        count: how many.
        noun: in the singular.

    >>> plural(1, "row"), plural(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

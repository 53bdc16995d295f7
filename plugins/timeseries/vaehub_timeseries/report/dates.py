"""Dates and numbers as the charts and tables of the page write them."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import MaxNLocator

from vaehub import report

ROUND = [1, 2, 2.5, 5, 10]  # steps between ticks, times a power of ten
DATES = ["%Y", "%b", "%d", "%H:%M", "%H:%M", "%S"]  # at ticks a year, month, day, hour, minute, second apart …
ROUND_DATES = ["", "%Y", "%b", "%d %b", "%H:%M", "%H:%M"]  # … where the next larger unit begins …
BESIDE = ["", "%Y", "%b %Y", "%d %b %Y", "%d %b %Y", "%d %b %Y %H:%M"]  # … and what is said once for all of them


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
    axes.xaxis.get_offset_text().set(color=report.FAINT, fontsize=8)


def three_digits(value: float) -> str:
    """Three significant digits, never with an exponent that plain digits can do without; a dash for what is not defined."""
    if value != value:
        return "–"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:#.3g}".rstrip(".")

"""The page of `vaehub compare`: figures, options that differ and curves of some runs."""

from __future__ import annotations

from vaehub.evaluation.compare import Comparison
from vaehub.report.curves import PANELS, comparison_curves
from vaehub.report.page import Page
from vaehub.report.parts import Block, Cell, Figure, Finding, Section, Table, Text, plural


def comparison_page(found: Comparison) -> Page:
    """Runs side by side.

    Arguments:
        found: as `vaehub.evaluation.compare.compare` gives it.
    """
    names = list(found.figures.columns)
    sections = [
        Section("Figures", [Table(["", *names], figure_rows(found), note="Bold: the best of the runs.")], BASIS),
        Section("Options that differ", [options_table(found)]),
        Section("Curves", [curves_figure(found)]),
    ]
    lead = [Finding(f"{note[0].upper()}{note[1:]}.", "warning") for note in found.notes]
    return Page(f"Comparison of {plural(len(names), 'run')}", sections, ", ".join(names), lead)


BASIS = "At the best epoch of each run by its train.monitor; bounds in nats per validation row."


def figure_rows(found: Comparison) -> list[list[Cell | str]]:
    """A row for every figure, the best in bold."""
    names = list(found.figures.columns)
    return [
        [str(row), *(Cell(found.text(row, name), bool(found.best.loc[row, name])) for name in names)]
        for row in found.figures.index
    ]


def options_table(found: Comparison) -> Block:
    """A row for every option that is not the same in all runs."""
    if not len(found.differences):
        return Text("All options are the same.")
    rows = [[str(option), *map(str, found.differences.loc[option])] for option in found.differences.index]
    return Table(["", *found.differences.columns], rows, words=True)


def curves_figure(found: Comparison) -> Figure:
    """Validation figures by epoch."""
    caption = f"Validation figures by epoch, in nats per row: {'; '.join(PANELS.values())}."
    return Figure("The bound and its parts", lambda canvas: comparison_curves(found.curves, canvas), caption, caption)

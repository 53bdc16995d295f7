"""Drawn molecules as the pages show them."""

from __future__ import annotations

from collections.abc import Sequence

from vaehub import report
from vaehub_molecules.chem.drawing import svg
from vaehub_molecules.chem.properties import property_table

PROPERTIES = {"qed": "QED", "logp": "logP", "sa": "SA", "mw": "weight"}
DIGITS = {"qed": ".2f", "logp": ".1f", "sa": ".1f", "mw": ".0f"}


def card(smiles: str, head: str = "", lines: Sequence[str] = (), tone: report.Tone = "") -> report.Card:
    """A molecule with a line above it, and below it some lines and its SMILES; without a drawing where there is no molecule ("")."""
    drawing = report.Drawing(svg(smiles), f"the molecule {smiles}") if smiles else None
    return report.Card(head, drawing, tuple(lines), smiles, tone)


def property_lines(smiles: Sequence[str]) -> list[str]:
    """QED, logP, SA and weight of molecules in a line each, "" for what is none."""
    frame = property_table(list(smiles), tuple(PROPERTIES), workers=1)
    lines = []
    for _, row in frame.iterrows():
        values = [f"{word} {row[name]:{DIGITS[name]}}" for name, word in PROPERTIES.items()]
        lines.append("" if row.isna().any() else ", ".join(values))
    return lines

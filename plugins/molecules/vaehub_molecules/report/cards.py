"""Drawn molecules as the page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import pandas as pd
from markupsafe import Markup

from vaehub_molecules.chem.drawing import svg
from vaehub_molecules.chem.properties import table

TOLD = {"qed": "QED", "logp": "logP", "sa": "SA", "mw": "weight"}
DIGITS = {"qed": ".2f", "logp": ".1f", "sa": ".1f", "mw": ".0f"}


@final
@dataclass(frozen=True)
class Card:
    """A molecule, what stands above and below it, and how it is marked: "good", "bad" or not."""

    smiles: str  # "" where there is none
    head: str = ""
    notes: tuple[str, ...] = ()
    mark: str = ""

    @cached_property
    def picture(self) -> Markup:
        """Its drawing: SVG of RDKit, which holds nothing of what users wrote but atoms."""
        return Markup(svg(self.smiles))  # noqa: S704


def told(smiles: Sequence[str]) -> list[str]:
    """QED, logP, SA and weight of molecules in a line each, "" for what is none."""
    frame = table(list(smiles), tuple(TOLD), workers=1)
    return ["" if row.isna().any() else in_words(row) for _, row in frame.iterrows()]


def in_words(row: pd.Series[float]) -> str:
    """Properties of a molecule in a line."""
    return ", ".join(f"{word} {row[name]:{DIGITS[name]}}" for name, word in TOLD.items())

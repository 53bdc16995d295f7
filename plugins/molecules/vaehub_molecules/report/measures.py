"""Figures of a model in one table: how well molecules come back, and what the samples are like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

MEANING = {
    "exact_reconstruction": "share of unseen molecules that come back exactly from the mean of q(z|x)",
    "exact_reconstruction_drawn": "the same from a draw of q(z|x)",
    "token_reconstruction": "share of symbols that come back in their place",
    "validity": "share of drawn strings that are molecules",
    "known_rings": "share of valid samples of which all ring systems occur in training molecules: no grammar gives that",
    "known_rings_unseen": "the same of unseen molecules: what is to be reached",
    "novelty": "share of different valid samples that were not trained on",
    "fcd": "Fréchet ChemNet distance to test molecules; lower is better",
    "snn": "mean similarity of a sample to the test molecule nearest to it",
    "frag": "how alike BRICS fragments are distributed",
    "scaf": "how alike Murcko scaffolds are distributed",
    "filters": "share of samples that pass the filters of medicinal chemistry",
}
STARTS = {
    "uniqueness@": "share of different molecules among the first so many valid samples",
    "uniqueness": "share of different molecules among all valid samples",
    "intdiv2": "1 - root mean square similarity of samples among each other: near pairs count more",
    "intdiv": "1 - mean similarity of samples among each other",
    "fcd": MEANING["fcd"],
    "snn": MEANING["snn"],
    "frag": MEANING["frag"],
    "scaf": MEANING["scaf"],
}
KINDS = {
    "Reconstruction": ("exact", "token"),
    "Samples": ("",),
}


@final
@dataclass(frozen=True)
class DescribedFigure:
    """A row of the table of figures."""

    name: str
    value: str
    meaning: str = ""


def described_figures(figures: Mapping[str, float]) -> dict[str, list[DescribedFigure]]:
    """Figures by kind, each with its standard error where there is one, and what it says."""
    out: dict[str, list[DescribedFigure]] = {kind: [] for kind in KINDS}
    for name, value in figures.items():
        if name.endswith("_se"):
            continue
        kind = next(kind for kind, starts in KINDS.items() if name.lower().startswith(starts))
        error = figures.get(f"{name}_se")
        text = f"{value:.3f}" if not abs(value) >= 100 else f"{value:,.0f}"
        text += "" if error is None else f" ± {error:.3f}"
        out[kind].append(DescribedFigure(name.replace("_", " "), text, meaning(name)))
    return {kind: rows for kind, rows in out.items() if rows}


def meaning(name: str) -> str:
    """What a figure says."""
    low = name.lower()
    if low.endswith(" w1"):
        unit = ", in g/mol" if low.startswith(("weight", "mw")) else ""
        return f"Wasserstein distance of the property between samples and test molecules{unit}"
    if low.endswith(" w1/sd"):
        return "Wasserstein distance of the property between samples and training molecules, in standard deviations of these"
    return MEANING.get(low) or next((text for start, text in STARTS.items() if low.startswith(start)), "")

"""Figures of a model in one table: how well molecules come back, what z carries, and what the samples are like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

MEANING = {
    "exact_reconstruction": "share of unseen molecules that come back exactly from the mean of q(z|x)",
    "exact_reconstruction_drawn": "the same from a draw of q(z|x)",
    "token_reconstruction": "share of symbols that come back in their place",
    "nats_reconstruction": "-log p(x|z), nats a molecule",
    "kl": "KL(q(z|x) ‖ p(z)), nats a molecule: what z carries. Near 0 the model has collapsed",
    "active_units": "dimensions of z whose mean varies over molecules",
    "validity": "share of drawn strings that are molecules",
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
    "Reconstruction and latent space": ("exact", "token", "nats", "kl", "active"),
    "Samples": ("",),
}
WHOLE = ("active_units", "kl_weight")


@final
@dataclass(frozen=True)
class DescribedFigure:
    """A row of the table of figures."""

    name: str
    value: str
    meaning: str = ""


def described_figures(figures: Mapping[str, float]) -> dict[str, list[DescribedFigure]]:
    """Figures by kind, each with what it says."""
    out: dict[str, list[DescribedFigure]] = {kind: [] for kind in KINDS}
    for name in figures:
        if name.endswith("_se"):
            continue
        kind = next(kind for kind, starts in KINDS.items() if name.lower().startswith(starts))
        out[kind].append(DescribedFigure(display_name(name), with_error(figures, name), meaning(name)))
    return {kind: rows for kind, rows in out.items() if rows}


def display_name(name: str) -> str:
    """A figure's name for people."""
    return {"kl": "KL"}.get(name, name.replace("_", " "))


def with_error(figures: Mapping[str, float], name: str) -> str:
    """A figure, with its standard error where there is one."""
    error = figures.get(f"{name}_se")
    return format_value(name, figures[name]) + ("" if error is None else f" ± {error:.3f}")


def format_value(name: str, value: float) -> str:
    """A figure with the digits that it deserves."""
    return f"{value:.0f}" if name in WHOLE else f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"


def meaning(name: str) -> str:
    """What a figure says."""
    low = name.lower()
    if low.endswith(" w1"):
        unit = ", in g/mol" if low.startswith(("weight", "mw")) else ""
        return f"Wasserstein distance of the property between samples and test molecules{unit}"
    return MEANING.get(low) or next((text for start, text in STARTS.items() if low.startswith(start)), "")

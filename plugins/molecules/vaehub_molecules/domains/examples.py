"""A few small molecules, put together from pieces, to stand for a set where there is none."""

from __future__ import annotations

from itertools import product

from vaehub_molecules.chem.canonical import canonical

LEFT = ("C", "CC", "N", "O", "CO", "CN", "F", "Cl", "CC(C)")
MIDDLE = ("c1ccc({})cc1", "CC({})C", "C(=O)N{}", "c1ccnc({})c1", "C1CCN({})CC1")
RIGHT = ("C", "CC", "C(N)=O", "CO", "C(C)C", "CCO")


def example_molecules() -> list[str]:
    """Canonical SMILES of more than 200 molecules."""
    texts = [left + middle.format(right) for left, middle, right in product(LEFT, MIDDLE, RIGHT)]
    return list(dict.fromkeys(map(canonical, texts)))

"""What edits make, and which of it is a molecule."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from random import Random
from typing import TypeVar

from rdkit.Chem import Kekulize, Mol, MolFromSmarts, SanitizeMol
from rdkit.Chem.rdChemReactions import ChemicalReaction, ReactionFromSmarts

LARGEST_RING = 6
T = TypeVar("T")
pattern = lru_cache(MolFromSmarts)


@lru_cache(4096)
def reaction(smarts: str) -> ChemicalReaction:
    """A reaction, read once."""
    return ReactionFromSmarts(smarts)


def run_reaction(smarts: str, *reactants: Mol, limit: int = 1000) -> list[Mol]:
    """Products of an edit, unchecked."""
    return [product for (product,) in reaction(smarts).RunReactants(reactants, limit)]


def shuffled(items: Iterable[T], rng: Random) -> list[T]:
    """The items in random order."""
    return rng.sample(found := list(items), len(found))


def first_valid(products: Iterable[Mol], good: Callable[[Mol], bool]) -> Mol | None:
    """The first that is good."""
    return next(filter(good, products), None)


def sanitize_in_place(mol: Mol) -> bool:
    """Whether RDKit takes it for a molecule of more than one atom; it is sanitised in place."""
    try:
        SanitizeMol(mol)
    except ValueError:
        return False
    return bool(mol.GetNumAtoms() > 1)


def has_plausible_rings(mol: Mol) -> bool:
    """Sound, with no ring of more than six atoms, no allene in a ring, no double bond in a ring of three or four."""
    if not sanitize_in_place(mol):
        return False
    rings = mol.GetRingInfo().AtomRings()
    if any(len(ring) > LARGEST_RING for ring in rings):
        return False
    return not (rings and any(mol.HasSubstructMatch(pattern(bad)) for bad in ("[R]=[R]=[R]", "[r3,r4]=[r3,r4]")))


def kekulised(mol: Mol) -> Mol:
    """A copy with single and double bonds alone, where it has such a form."""
    out = Mol(mol)
    try:
        Kekulize(out, clearAromaticFlags=True)
    except ValueError:
        return Mol(mol)
    return out

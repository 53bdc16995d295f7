"""A molecule with one thing changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeAlias, TypeVar

from rdkit.Chem import Mol, RenumberAtoms

from vaehub_molecules.chem.rdkit_log import silence_rdkit
from vaehub_molecules.graphs.reactions import first_valid, has_plausible_rings, kekulised, run_reaction

TRIES = 10
PRODUCTS = 4  # of an edit that are looked at: the first, of atoms in random order, since making all takes three times as long
T = TypeVar("T")
Rule: TypeAlias = Callable[[Mol, Random], str]
ELEMENTS = {6: 0.15, 7: 0.15, 8: 0.14, 9: 0.14, 16: 0.14, 17: 0.14, 35: 0.14}  # atomic number: chance
BONDS = (0.6, 0.35, 0.05)  # single, double, triple

APPEND_ATOM = (("[*;!H0:1]>>[*:1]-{}", "C N O F S Cl Br"), ("[*;!H0;!H1:1]>>[*:1]={}", "C N O"), ("[*;H3:1]>>[*:1]#{}", "C N"))
INSERT_ATOM = (
    ("[*:1]~[*:2]>>[*:1]{}[*:2]", "C N O S"),
    ("[*;!H0:1]~[*:2]>>[*:1]={}-[*:2]", "C N"),
    ("[*;!R;!H1;!H0:1]~[*:2]>>[*:1]#{}-[*:2]", "C"),
)
DELETE_ATOM = {
    "[*:1]~[D1:2]>>[*:1]": 0.25,
    "[*:1]~[D2:2]~[*:3]>>[*:1]-[*:3]": 0.25,
    "[*:1]~[D3:2](~[*;!H0:3])~[*:4]>>[*:1]-[*:3]-[*:4]": 0.25,
    "[*:1]~[D4:2](~[*;!H0:3])(~[*;!H0:4])~[*:5]>>[*:1]-[*:3]-[*:4]-[*:5]": 0.1875,
    "[*:1]~[D4:2](~[*;!H0;!H1:3])(~[*:4])~[*:5]>>[*:1]-[*:3](-[*:4])-[*:5]": 0.0625,
}
CHANGE_BOND = {
    "[*:1]!-[*:2]>>[*:1]-[*:2]": 0.45,
    "[*;!H0:1]-[*;!H0:2]>>[*:1]=[*:2]": 0.45,
    "[*:1]#[*:2]>>[*:1]=[*:2]": 0.05,
    "[*;!R;!H1;!H0:1]~[*:2]>>[*:1]#[*:2]": 0.05,
}
CLOSE_RING = {
    "[*;!r;!H0:1]~[*;!r:2]~[*;!r;!H0:3]>>[*:1]1~[*:2]~[*:3]1": 0.05,
    "[*;!r;!H0:1]~[*!r:2]~[*!r:3]~[*;!r;!H0:4]>>[*:1]1~[*:2]~[*:3]~[*:4]1": 0.05,
    "[*;!r;!H0:1]~[*!r:2]~[*:3]~[*:4]~[*;!r;!H0:5]>>[*:1]1~[*:2]~[*:3]~[*:4]~[*:5]1": 0.45,
    "[*;!r;!H0:1]~[*!r:2]~[*:3]~[*:4]~[*!r:5]~[*;!r;!H0:6]>>[*:1]1~[*:2]~[*:3]~[*:4]~[*:5]~[*:6]1": 0.45,
}
OPEN_RING = {"[*:1]@[*:2]>>([*:1].[*:2])": 1.0}


def mutate(mol: Mol, rng: Random) -> Mol | None:
    """A molecule with one atom or bond added, changed or taken away; None where ten tries came to nothing.

    >>> from rdkit.Chem import MolFromSmiles, MolToSmiles
    >>> MolToSmiles(mutate(MolFromSmiles("CCCO"), Random(0)))
    'OCCCl'
    """
    silence_rdkit()
    given = kekulised(mol)
    for _ in range(TRIES):
        rule = weighted_choice(RULES, rng)
        turned = RenumberAtoms(given, rng.sample(range(given.GetNumAtoms()), given.GetNumAtoms()))
        if child := first_valid(run_reaction(rule(turned, rng), turned, limit=PRODUCTS), has_plausible_rings):
            return child
    return None


def weighted_choice(chances: Mapping[T, float], rng: Random) -> T:
    """A key, by its chance."""
    return rng.choices(list(chances), list(chances.values()))[0]


def one_of(chances: Mapping[str, float]) -> Rule:
    """A rule that draws one of these edits."""
    return lambda mol, rng: weighted_choice(chances, rng)


def one_with_new_atom(edits: Sequence[tuple[str, str]]) -> Rule:
    """A rule that draws the order of the bond to a new atom, then its element."""

    def rule(mol: Mol, rng: Random) -> str:
        smarts, elements = rng.choices(edits, BONDS)[0]
        return smarts.format(rng.choice(elements.split()))

    return rule


def change_element(mol: Mol, rng: Random) -> str:
    """One element of the molecule becomes another."""
    present = {atom.GetAtomicNum() for atom in mol.GetAtoms()} & set(ELEMENTS)
    old = weighted_choice({z: chance for z, chance in ELEMENTS.items() if z in present} or ELEMENTS, rng)
    new = weighted_choice({z: chance for z, chance in ELEMENTS.items() if z != old}, rng)
    return f"[#{old}:1]>>[#{new}:1]"


RULES: Mapping[Rule, float] = {
    one_with_new_atom(INSERT_ATOM): 0.15,
    one_of(CHANGE_BOND): 0.14,
    one_of(OPEN_RING): 0.14,
    one_of(CLOSE_RING): 0.14,
    one_of(DELETE_ATOM): 0.14,
    change_element: 0.14,
    one_with_new_atom(APPEND_ATOM): 0.15,
}

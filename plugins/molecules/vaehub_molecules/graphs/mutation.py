"""A molecule with one thing changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeAlias, TypeVar

from rdkit.Chem import Mol

from vaehub_molecules.graphs.reactions import kekule, made, one_of, shuffled, sound_rings

TRIES = 10
T = TypeVar("T")
Rule: TypeAlias = Callable[[Mol, Random], str]
ELEMENTS = {6: 0.15, 7: 0.15, 8: 0.14, 9: 0.14, 16: 0.14, 17: 0.14, 35: 0.14}  # atomic number: chance
BONDS = (0.6, 0.35, 0.05)  # single, double, triple

APPENDED = (("[*;!H0:1]>>[*:1]-{}", "C N O F S Cl Br"), ("[*;!H0;!H1:1]>>[*:1]={}", "C N O"), ("[*;H3:1]>>[*:1]#{}", "C N"))
INSERTED = (
    ("[*:1]~[*:2]>>[*:1]{}[*:2]", "C N O S"),
    ("[*;!H0:1]~[*:2]>>[*:1]={}-[*:2]", "C N"),
    ("[*;!R;!H1;!H0:1]~[*:2]>>[*:1]#{}-[*:2]", "C"),
)
DELETED = {
    "[*:1]~[D1:2]>>[*:1]": 0.25,
    "[*:1]~[D2:2]~[*:3]>>[*:1]-[*:3]": 0.25,
    "[*:1]~[D3:2](~[*;!H0:3])~[*:4]>>[*:1]-[*:3]-[*:4]": 0.25,
    "[*:1]~[D4:2](~[*;!H0:3])(~[*;!H0:4])~[*:5]>>[*:1]-[*:3]-[*:4]-[*:5]": 0.1875,
    "[*:1]~[D4:2](~[*;!H0;!H1:3])(~[*:4])~[*:5]>>[*:1]-[*:3](-[*:4])-[*:5]": 0.0625,
}
REBOUND = {
    "[*:1]!-[*:2]>>[*:1]-[*:2]": 0.45,
    "[*;!H0:1]-[*;!H0:2]>>[*:1]=[*:2]": 0.45,
    "[*:1]#[*:2]>>[*:1]=[*:2]": 0.05,
    "[*;!R;!H1;!H0:1]~[*:2]>>[*:1]#[*:2]": 0.05,
}
RINGED = {
    "[*;!r;!H0:1]~[*;!r:2]~[*;!r;!H0:3]>>[*:1]1~[*:2]~[*:3]1": 0.05,
    "[*;!r;!H0:1]~[*!r:2]~[*!r:3]~[*;!r;!H0:4]>>[*:1]1~[*:2]~[*:3]~[*:4]1": 0.05,
    "[*;!r;!H0:1]~[*!r:2]~[*:3]~[*:4]~[*;!r;!H0:5]>>[*:1]1~[*:2]~[*:3]~[*:4]~[*:5]1": 0.45,
    "[*;!r;!H0:1]~[*!r:2]~[*:3]~[*:4]~[*!r:5]~[*;!r;!H0:6]>>[*:1]1~[*:2]~[*:3]~[*:4]~[*:5]~[*:6]1": 0.45,
}
OPENED = {"[*:1]@[*:2]>>([*:1].[*:2])": 1.0}


def mutated(mol: Mol, rng: Random) -> Mol | None:
    """A molecule with one atom or bond added, changed or taken away; None where ten tries came to nothing."""
    given = kekule(mol)
    for _ in range(TRIES):
        rule = drawn(RULES, rng)
        if child := one_of(shuffled(made(rule(given, rng), given), rng), sound_rings):
            return child
    return None


def drawn(chances: Mapping[T, float], rng: Random) -> T:
    """A key, by its chance."""
    return rng.choices(list(chances), list(chances.values()))[0]


def listed(chances: Mapping[str, float]) -> Rule:
    """A rule that draws one of these edits."""
    return lambda mol, rng: drawn(chances, rng)


def with_atom(edits: Sequence[tuple[str, str]]) -> Rule:
    """A rule that draws the order of the bond to a new atom, then its element."""

    def rule(mol: Mol, rng: Random) -> str:
        smarts, elements = rng.choices(edits, BONDS)[0]
        return smarts.format(rng.choice(elements.split()))

    return rule


def another_element(mol: Mol, rng: Random) -> str:
    """One element of the molecule becomes another."""
    present = {atom.GetAtomicNum() for atom in mol.GetAtoms()} & set(ELEMENTS)
    old = drawn({z: chance for z, chance in ELEMENTS.items() if z in present} or ELEMENTS, rng)
    new = drawn({z: chance for z, chance in ELEMENTS.items() if z != old}, rng)
    return f"[#{old}:1]>>[#{new}:1]"


RULES: Mapping[Rule, float] = {
    with_atom(INSERTED): 0.15,
    listed(REBOUND): 0.14,
    listed(OPENED): 0.14,
    listed(RINGED): 0.14,
    listed(DELETED): 0.14,
    another_element: 0.14,
    with_atom(APPENDED): 0.15,
}

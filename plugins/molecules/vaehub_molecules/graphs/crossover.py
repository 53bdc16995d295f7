"""A molecule made of parts of two."""

from __future__ import annotations

from itertools import product
from random import Random

from rdkit.Chem import FragmentOnBonds, GetMolFrags, Mol, MolToSmiles

from vaehub_molecules.chem.rdkit_log import silence_rdkit
from vaehub_molecules.graphs.reactions import (
    first_valid,
    has_plausible_rings,
    kekulised,
    pattern,
    run_reaction,
    sanitize_in_place,
    shuffled,
)

TRIES = 10
CHAIN_BOND = "[*]-;!@[*]"
RING_PAIRS = (("[R]@[R]@[R]@[R]", ((0, 1), (2, 3))), ("[R]@[R;!D2]@[R]", ((0, 1), (1, 2))))  # which two bonds of a match are cut
JOIN = "[*:1]-[1*].[1*]-[*:2]>>[*:1]-[*:2]"
FUSE = tuple(f"[*:1]~[1*].[1*]~[*:2]>>[*:1]{bond}[*:2]" for bond in "-=")
CLOSE = tuple(f"([*:1]~[1*].[1*]~[*:2])>>[*:1]{bond}[*:2]" for bond in "-=")


def cross(first: Mol, second: Mol, rng: Random) -> Mol | None:
    """Parts of two molecules joined at a bond between rings or at two bonds of a ring; None where ten tries came to nothing.

    >>> from rdkit.Chem import MolFromSmiles
    >>> MolToSmiles(cross(MolFromSmiles("FCCCl"), MolFromSmiles("BrCCI"), Random(0)))
    'ClCI'
    """
    silence_rdkit()
    parents = {MolToSmiles(first), MolToSmiles(second)}
    a, b = kekulised(first), kekulised(second)
    for _ in range(TRIES):
        child = (join_at_chain_bond if rng.random() < 0.5 else join_at_ring)(a, b, rng)
        if child is not None and MolToSmiles(child) not in parents:
            return child
    return None


def join_at_chain_bond(a: Mol, b: Mol, rng: Random) -> Mol | None:
    """A part of each, cut off at a single bond outside rings."""
    for _ in range(TRIES):
        parts = cut_chain(a, rng), cut_chain(b, rng)
        if not all(parts):
            return None
        trials = (trial for pair in shuffled(product(*parts), rng) for trial in run_reaction(JOIN, *pair, limit=1))
        if child := first_valid(trials, sanitize_in_place):
            return child
    return None


def join_at_ring(a: Mol, b: Mol, rng: Random) -> Mol | None:
    """A part of each, cut out at two bonds of a ring."""
    for _ in range(TRIES):
        parts = cut_ring(a, rng), cut_ring(b, rng)
        if not all(parts):
            return None
        for smarts, *pair in shuffled(product(FUSE, *parts), rng):
            if child := first_valid(ring_closures(run_reaction(smarts, *pair, limit=1), rng), has_plausible_rings):
                return child
    return None


def ring_closures(chains: list[Mol], rng: Random) -> list[Mol]:
    """Every ring that sound chains can be closed to."""
    return shuffled(
        (ring for chain in filter(sanitize_in_place, chains) for close in CLOSE for ring in run_reaction(close, chain)), rng
    )


def cut_chain(mol: Mol, rng: Random) -> tuple[Mol, ...]:
    """The two parts of a cut at a random single bond outside rings; () where there is none."""
    matches = mol.GetSubstructMatches(pattern(CHAIN_BOND))
    return fragments_after_cut(mol, [rng.choice(matches)]) if matches else ()


def cut_ring(mol: Mol, rng: Random) -> tuple[Mol, ...]:
    """The two parts of a cut through two bonds of a ring; () where ten tries came to nothing."""
    for _ in range(TRIES):
        smarts, ends = rng.choice(RING_PAIRS)
        matches = mol.GetSubstructMatches(pattern(smarts))
        if not matches:
            return ()
        match = rng.choice(matches)
        parts = fragments_after_cut(mol, [(match[i], match[j]) for i, j in ends])
        if len(parts) == 2:
            return parts
    return ()


def fragments_after_cut(mol: Mol, bonds: list[tuple[int, int]]) -> tuple[Mol, ...]:
    """What is left when bonds are cut, with a dummy atom at every end; () where RDKit cannot make sense of it."""
    cuts = [mol.GetBondBetweenAtoms(*ends).GetIdx() for ends in bonds]
    try:
        whole = FragmentOnBonds(mol, cuts, addDummies=True, dummyLabels=[(1, 1)] * len(cuts))
        return tuple(GetMolFrags(whole, asMols=True, sanitizeFrags=True))
    except ValueError:
        return ()

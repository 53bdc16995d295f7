"""A molecule made of parts of two."""

from __future__ import annotations

from itertools import product
from random import Random

from rdkit.Chem import FragmentOnBonds, GetMolFrags, Mol, MolToSmiles

from vaehub_molecules.graphs.reactions import kekule, made, one_of, pattern, shuffled, sound, sound_rings

TRIES = 10
CHAIN_BOND = "[*]-;!@[*]"
RING_PAIRS = (("[R]@[R]@[R]@[R]", ((0, 1), (2, 3))), ("[R]@[R;!D2]@[R]", ((0, 1), (1, 2))))  # which two bonds of a match are cut
JOIN = "[*:1]-[1*].[1*]-[*:2]>>[*:1]-[*:2]"
FUSE = tuple(f"[*:1]~[1*].[1*]~[*:2]>>[*:1]{bond}[*:2]" for bond in "-=")
CLOSE = tuple(f"([*:1]~[1*].[1*]~[*:2])>>[*:1]{bond}[*:2]" for bond in "-=")


def crossed(first: Mol, second: Mol, rng: Random) -> Mol | None:
    """Parts of two molecules joined at a bond between rings or at two bonds of a ring; None where ten tries came to nothing."""
    parents = {MolToSmiles(first), MolToSmiles(second)}
    a, b = kekule(first), kekule(second)
    for _ in range(TRIES):
        child = (joined if rng.random() < 0.5 else fused)(a, b, rng)
        if child is not None and MolToSmiles(child) not in parents:
            return child
    return None


def joined(a: Mol, b: Mol, rng: Random) -> Mol | None:
    """A part of each, cut off at a single bond outside rings."""
    for _ in range(TRIES):
        parts = cut(a, rng), cut(b, rng)
        if not all(parts):
            return None
        trials = (trial for pair in shuffled(product(*parts), rng) for trial in made(JOIN, *pair, limit=1))
        if child := one_of(trials, sound):
            return child
    return None


def fused(a: Mol, b: Mol, rng: Random) -> Mol | None:
    """A part of each, cut out at two bonds of a ring."""
    for _ in range(TRIES):
        parts = cut_ring(a, rng), cut_ring(b, rng)
        if not all(parts):
            return None
        for smarts, *pair in shuffled(product(FUSE, *parts), rng):
            if child := one_of(closed(made(smarts, *pair, limit=1), rng), sound_rings):
                return child
    return None


def closed(chains: list[Mol], rng: Random) -> list[Mol]:
    """Every ring that sound chains can be closed to."""
    return shuffled((ring for chain in filter(sound, chains) for close in CLOSE for ring in made(close, chain)), rng)


def cut(mol: Mol, rng: Random) -> tuple[Mol, ...]:
    """The two parts of a cut at a random single bond outside rings; () where there is none."""
    matches = mol.GetSubstructMatches(pattern(CHAIN_BOND))
    return parts_of(mol, [rng.choice(matches)]) if matches else ()


def cut_ring(mol: Mol, rng: Random) -> tuple[Mol, ...]:
    """The two parts of a cut through two bonds of a ring; () where ten tries came to nothing."""
    for _ in range(TRIES):
        wanted, ends = rng.choice(RING_PAIRS)
        matches = mol.GetSubstructMatches(pattern(wanted))
        if not matches:
            return ()
        match = rng.choice(matches)
        parts = parts_of(mol, [(match[i], match[j]) for i, j in ends])
        if len(parts) == 2:
            return parts
    return ()


def parts_of(mol: Mol, bonds: list[tuple[int, int]]) -> tuple[Mol, ...]:
    """What is left when bonds are cut, with a dummy atom at every end; () where RDKit cannot make sense of it."""
    cuts = [mol.GetBondBetweenAtoms(*ends).GetIdx() for ends in bonds]
    try:
        whole = FragmentOnBonds(mol, cuts, addDummies=True, dummyLabels=[(1, 1)] * len(cuts))
        return tuple(GetMolFrags(whole, asMols=True, sanitizeFrags=True))
    except ValueError:
        return ()

"""The effects of a vocabulary's symbols as arrays, to be looked up for many rows at once.

Letters of shapes: V symbols, P places, K kinds of atom, J levels, R ring numbers, N atoms within a symbol, U branches that a symbol leaves open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from vaehub.errors import UsageError
from vaehub_molecules.tokens.atoms import symbols as split
from vaehub_molecules.tokens.effects import AROMATIC, KINDS, Broken, Effect, Node, Place
from vaehub_molecules.tokens.valence import room

Array: TypeAlias = NDArray[np.int64]
Key: TypeAlias = tuple[int, int]  # place before, symbol


@final
@dataclass
class Book:
    """Every symbol's effect after every place, where it can stand there."""

    symbols: Sequence[str]
    effects: dict[Key, Effect] = field(default_factory=dict)

    def __post_init__(self) -> None:
        aromatic = any(map(has_aromatic, self.symbols))
        for v, text in enumerate(self.symbols):
            for place in Place:
                effect = effect_of(text, place, aromatic)
                if effect is not None:
                    self.effects[place, v] = effect

    @cached_property
    def rings(self) -> list[str]:
        """The ring numbers in use."""
        return sorted({number for effect in self.effects.values() for number in effect.rings}) or ["1"]

    @cached_property
    def levels(self) -> int:
        """Levels that are looked at: 0 to the most branches that a symbol closes, at least 1."""
        return 1 + max([1, *(effect.popped for effect in self.effects.values())])

    @cached_property
    def own(self) -> int:
        """Most atoms within a symbol."""
        return max([1, *(len(effect.own) for effect in self.effects.values())])

    @cached_property
    def pushes(self) -> int:
        """Most branches that a symbol leaves open."""
        return max([1, *(len(effect.pushed) for effect in self.effects.values())])

    @cached_property
    def first(self) -> dict[int, Effect]:
        """An effect of each symbol, for what does not depend on the place before; after an atom where that can be."""
        return {v: e for (_, v), e in sorted(self.effects.items(), key=lambda item: item[0][0] != Place.ATOM, reverse=True)}

    def locate(self, node: Node | None) -> int:
        """Where `Grammar.step` finds an atom: among the levels, then the symbol's own, then none."""
        if node is None:
            return self.levels + self.own
        return node.level if node.level >= 0 else self.levels + node.index

    @property
    def keep(self) -> int:
        """Where it finds the parent that the atom before had."""
        return self.levels + self.own + 1


def has_aromatic(text: str) -> bool:
    """Whether a symbol has an aromatic atom."""
    try:
        spaces = map(room, split(text))
    except UsageError:
        return False
    return any(space is not None and space.aromatic for space in spaces)


def effect_of(text: str, place: Place, aromatic: bool) -> Effect | None:
    """What a symbol does after a place; None where it cannot stand there, or is no SMILES."""
    try:
        return Effect(place, aromatic).read(split(text))
    except (Broken, UsageError):
        return None


def lookups(book: Book) -> dict[str, Array]:
    """What `Grammar.allowed` looks up."""
    depth, conflicts, flips = by_symbol(book)
    tables = {"depths": depth, "conflicts": conflicts, "flips": np.concatenate([-flips, flips])}
    return tables | {f"level{j}": level(book, j) for j in range(book.levels)} | costs(book, flips)


def costs(book: Book, flips: Array) -> dict[str, Array]:
    """How many symbols close what a symbol leaves open, besides those for what was open before it.

    cost0 (P, V) where no ring is open afterwards; cost (P * 4, V) where one is, by place, by whether the atom before opened a ring that is still
    open, and by whether it cannot close all that are open; turns (2R, V) what the rings add that it closes or opens.
    """
    cost0 = np.zeros((len(Place), len(book.symbols)), np.int64)
    cost = np.zeros((len(Place), 2, 2, len(book.symbols)), np.int64)
    for (place, v), effect in book.effects.items():
        cost0[place, v] = effect.place.hungry + len(effect.pushed) - effect.popped
        base, opener, conflict = waits(effect)
        cost[place, :, :, v] = cost0[place, v] + base - 1 + opener * np.array([[0], [1]]) + conflict * np.array([0, 1])
    digit = np.array([v in book.first and not book.first[v].own for v in range(len(book.symbols))])
    return {
        "cost0": cost0,
        "cost": cost.reshape(-1, len(book.symbols)),
        "turns": np.concatenate([-2 * flips, (2 + digit) * flips]),
    }


def waits(effect: Effect) -> tuple[int, int, int]:
    """Atoms to be written after a symbol before a ring can be closed; one more if the atom before opened one; one more if it is in conflict."""
    current = effect.current
    if effect.place.hungry:
        return 1, 0, 0
    if effect.place != Place.ATOM or current is None or (current.level < 0 and (current.left < 1 or effect.rings)):
        return 2, 0, 0
    if current.level >= 0:
        return 1, 0, 1
    outside = -1 if current.parent is None else current.parent.level
    return max(int(outside > 0), int(current.left == 1)), int(outside == 0 and current.left > 1), 0


BAD, LIVE = 1, 2


def level(book: Book, j: int) -> Array:
    """For the atom of a level, BAD for symbols that it cannot take, LIVE for those after which a ring could still be closed: (P * (K + 1), V).

    The last kind is that of a level which is not there.
    """
    codes = np.full((len(Place), KINDS + 1, len(book.symbols)), BAD if j == 0 else 0)
    free, aromatic = np.arange(KINDS) % AROMATIC, np.arange(KINDS) // AROMATIC
    for (place, v), effect in book.effects.items():
        node = effect.outside.get(j, Node())
        left = free - np.array([node.order, node.degree])[aromatic]
        bad = (left < 0) & (place != Place.FRESH)
        codes[place, :KINDS, v] = BAD * bad + LIVE * ((left > 0) & stays(effect, j))
        codes[place, KINDS, v] = 0
        codes[place, :, v] |= LIVE * (j == 0 and lively(effect))
    return codes.reshape(-1, len(book.symbols))


def stays(effect: Effect, level: int) -> bool:
    """Whether the atom of a level can still be bound after the symbol."""
    return level > effect.popped or effect.outside.get(level) in effect.remaining


def lively(effect: Effect) -> bool:
    """Whether one of the symbol's own atoms can still be bound after it, or an atom must follow."""
    return effect.place.hungry or any(node.level < 0 and node.left > 0 for node in effect.remaining)


def by_symbol(book: Book) -> tuple[Array, Array, Array]:
    """What a symbol does after any place: BAD at depths (J + 2, V), the last a full stack; ring conflicts (F, V); rings that turn (R, V)."""
    size = len(book.symbols)
    depth, flips = np.full((book.levels + 2, size), BAD), np.zeros((len(book.rings), size), np.int64)
    for v, effect in book.first.items():
        depth[:-1, v] = [BAD * (effect.popped > d or effect.dot not in (None, d)) for d in range(book.levels + 1)]
        depth[-1, v] = BAD * bool(effect.pushed)
        flips[:, v] = [len(effect.rings.get(number, ())) % 2 for number in book.rings]
    return depth, ring_conflicts(book), flips


def ring_conflicts(book: Book) -> Array:
    """Symbols that cannot follow while a ring is open, closed, opened at the atom of a level, in conflict here, or together with another."""
    rings, levels = len(book.rings), book.levels
    bad = np.zeros((3 + levels, rings, len(book.symbols)), np.int64)
    same = np.zeros((rings, rings, len(book.symbols)), np.int64)
    for v, effect in book.first.items():
        bad[0, :, v] = [number in effect.broken_rings(True) for number in book.rings]
        bad[1, :, v] = [number in effect.broken_rings(False) for number in book.rings]
        firsts = {r: effect.rings[number][0] for r, number in enumerate(book.rings) if number in effect.rings}
        for r, node in firsts.items():
            if node.level >= 0:
                bad[2, r, v] = 1
            elif node.parent is not None and node.parent.level >= 0:
                bad[3 + node.parent.level, r, v] = 1
            for other in firsts:
                same[r, other, v] = other < r and firsts[other] is node
    return np.concatenate([bad.reshape(-1, len(book.symbols)), same.reshape(-1, len(book.symbols))])


def moves(book: Book) -> dict[str, Array]:
    """What `Grammar.step` looks up, by place * V + symbol; a symbol that cannot stand there changes nothing."""
    size = len(book.symbols)
    rows = [
        move(book, book.effects.get((place, v)) or Effect(place), (place, v) in book.effects)
        for place in Place
        for v in range(size)
    ]
    return {name: np.array([row[name] for row in rows], np.int64) for name in rows[0]}


def move(book: Book, effect: Effect, moves: bool) -> dict[str, list[int]]:
    """One symbol's row of each table."""
    none, current = book.levels + book.own, effect.current
    touched = [effect.rings.get(number, []) for number in book.rings]
    own = moves and current is not None and current.level < 0
    kept = none if effect.popped else book.keep
    return {
        "scalars": [effect.place, effect.popped, len(effect.pushed), len(effect.own)],
        "current": [book.locate(current) if moves else 0],
        "parent": [book.locate(current.parent) if own and current is not None else kept],
        "used": [node.order for node in levels(book, effect)] + [node.degree for node in levels(book, effect)],
        "kinds": padded([node.kind for node in effect.own], book.own, 0),
        "pushed": padded([book.locate(node) for node in effect.pushed], book.pushes, none),
        "turns": [len(nodes) for nodes in touched],
        "opener": [book.locate(nodes[-1]) if nodes else none for nodes in touched],
        "closer": [int(bool(nodes) and nodes[0] is current) for nodes in touched],
    }


def levels(book: Book, effect: Effect) -> list[Node]:
    """The atoms outside, as the symbol left them."""
    return [effect.outside.get(j, Node()) for j in range(book.levels)]


def padded(values: list[int], width: int, fill: int) -> list[int]:
    """Values with as many fillers as make the width."""
    return values + [fill] * (width - len(values))

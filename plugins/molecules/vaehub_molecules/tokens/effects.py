"""What a piece of SMILES does to the molecule written so far, whatever that is.

A piece meets atoms that it does not know: level 0 is the atom written last, level j the one that waits at the j-th open branch from within.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import final

from vaehub_molecules.tokens.valence import Valence, valence_of

BOND_ORDERS = {"-": 1, "/": 1, "\\": 1, ":": 1, "~": 1, "=": 2, "#": 3, "$": 3}
AROMATIC = 10  # added to the bonds that are left, for an aromatic atom: one number says both
KINDS = 2 * AROMATIC


class Place(IntEnum):
    """What was written last. After a bond it says how high the bond is, and whether a ring number may follow."""

    FRESH, ATOM, CLOSE, OPEN, BOND1, BOND2, BOND3, BARE1, BARE2, BARE3 = range(10)

    @property
    def pending(self) -> int:
        """The order of a bond that still lacks its second atom, 0 for none."""
        return 0 if self < Place.BOND1 else (self - Place.BOND1) % 3 + 1

    @property
    def needs_atom(self) -> bool:
        """Whether an atom must follow."""
        return self not in (Place.ATOM, Place.CLOSE)


BEFORE_RING_NUMBER = (Place.ATOM, Place.BOND1, Place.BOND2, Place.BOND3)  # what a ring's number may follow
NO_VALENCE = Valence(0, False)


class InvalidSyntax(Exception):
    """No molecule goes on like this."""


@final
@dataclass(eq=False)
class Node:
    """An atom: the level of one outside, or the index and valence of one of the piece's own, and the bonds that the piece gives it."""

    level: int = -1
    index: int = -1
    valence: Valence = NO_VALENCE
    parent: Node | None = None
    order: int = 0
    degree: int = 0

    def bind(self, order: int, degree: int = 1) -> None:
        """Bind it once more."""
        self.order, self.degree = self.order + order, self.degree + degree

    def used(self, aromatic: bool) -> int:
        """How much of its valence the piece takes."""
        return self.degree if aromatic else self.order

    @property
    def kind(self) -> int:
        """The bonds left to one of the piece's own atoms, and whether it is aromatic."""
        return self.valence.bonds - self.used(self.valence.aromatic) + AROMATIC * self.valence.aromatic

    @property
    def bonds_left(self) -> int:
        """The bonds left to one of the piece's own atoms."""
        return self.kind % AROMATIC if self.valence.bonds >= self.used(self.valence.aromatic) else -1

    def is_self_or_neighbour(self, other: Node) -> bool:
        """Whether it is the other atom or its neighbour in the chain."""
        return self is other or self.parent is other or other.parent is self


@final
@dataclass
class Effect:
    """A piece read after a place, in a vocabulary with aromatic atoms or without. Raises Broken where it cannot stand there."""

    place: Place
    aromatic: bool = True
    outside: dict[int, Node] = field(default_factory=dict)
    atoms: list[Node] = field(default_factory=list)
    pushed: list[Node] = field(default_factory=list)
    rings: dict[str, list[Node]] = field(default_factory=dict)
    popped: int = 0
    dot: int | None = None  # the branches that must be open for a dot: as many as are closed before it

    def __post_init__(self) -> None:
        # behind an open branch, its atom and the atom written last are one
        self.current = None if self.place == Place.FRESH else self.level(int(self.place == Place.OPEN))

    def level(self, j: int) -> Node:
        """The atom outside at a level."""
        return self.outside.setdefault(j, Node(level=j))

    def read(self, symbols: list[str]) -> Effect:
        """This effect after some symbols."""
        for symbol in symbols:
            self.apply(symbol)
        if any(node.bonds_left < 0 for node in self.atoms) or not symbols:
            raise InvalidSyntax
        return self

    def apply(self, symbol: str) -> None:
        """One symbol of the grammar."""
        valence = valence_of(symbol)
        if valence is not None:
            self.atom(valence)
        elif symbol in BOND_ORDERS:
            self.bond(BOND_ORDERS[symbol])
        else:
            {"(": self.open, ")": self.close, ".": self.dot_sign}.get(symbol, lambda: self.ring(symbol))()

    def atom(self, valence: Valence) -> None:
        """A new atom, bound to the one before."""
        new = Node(index=len(self.atoms), valence=valence, parent=self.current)
        if self.current is not None:
            new.bind(self.place.pending or 1)
            if not self.place.pending and self.place != Place.OPEN:  # else the bond was counted with its sign or the branch
                self.current.bind(1)
        self.atoms.append(new)
        self.current, self.place = new, Place.ATOM

    def bond(self, order: int) -> None:
        """A bond's sign; the atom before it gives its bonds at once."""
        if self.current is None or self.place.pending:
            raise InvalidSyntax
        counted = self.place == Place.OPEN
        self.current.bind(order - counted, 1 - counted)
        self.place = Place((Place.BOND1 if self.place == Place.ATOM else Place.BARE1) + order - 1)

    def open(self) -> None:
        """A branch, which takes a bond of its atom."""
        current = self.bonded_atom()
        current.bind(1)
        self.pushed.append(current)
        self.place = Place.OPEN

    def close(self) -> None:
        """Back to the atom at which the branch began."""
        self.bonded_atom()
        if self.pushed:
            self.current = self.pushed.pop()
        else:
            self.popped += 1
            self.current = self.level(self.popped)
        self.place = Place.CLOSE

    def dot_sign(self) -> None:
        """A dot: a new part of the molecule, outside all branches."""
        self.bonded_atom()
        if self.pushed or self.dot not in (None, self.popped):
            raise InvalidSyntax
        self.current, self.place, self.dot = None, Place.FRESH, self.popped

    def ring(self, number: str) -> None:
        """A ring's number: it opens, or closes what the same number opened.

        Among aromatic atoms it may stand behind a sign of two bonds; in Kekulé form RDKit has none, and the atom that opened has given but one.
        """
        if self.current is None or self.place not in (BEFORE_RING_NUMBER if self.aromatic else BEFORE_RING_NUMBER[:2]):
            raise InvalidSyntax
        if not self.place.pending:
            self.current.bind(1)
        self.rings.setdefault(number, []).append(self.current)
        self.place = Place.ATOM

    def bonded_atom(self) -> Node:
        """The atom written last, where no bond and no branch waits for another."""
        if self.current is None or self.place.needs_atom:
            raise InvalidSyntax
        return self.current

    def forbidden_rings(self, open_before: bool) -> set[str]:
        """Numbers that close a ring within the piece at an atom's own self or its neighbour, or twice between the same atoms."""
        found, seen = set(), set()
        for number, nodes in self.rings.items():
            for a, b in pairs(nodes[open_before:]):
                if a.is_self_or_neighbour(b) or frozenset((a, b)) in seen:
                    found.add(number)
                seen.add(frozenset((a, b)))
        return found

    @cached_property
    def remaining(self) -> set[Node]:
        """Atoms that can still be bound afterwards, those of levels beyond `popped` aside."""
        return {*self.pushed, *([] if self.current is None else [self.current])}


def pairs(nodes: list[Node]) -> Iterator[tuple[Node, Node]]:
    """The first with the second, the third with the fourth, and so on."""
    return zip(nodes[::2], nodes[1::2], strict=False)

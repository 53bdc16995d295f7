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

from vaehub import UsageError
from vaehub_molecules.tokens.atoms import split_symbols
from vaehub_molecules.tokens.effects import AROMATIC, KINDS, Effect, InvalidSyntax, Node, Place
from vaehub_molecules.tokens.valence import valence_of

Array: TypeAlias = NDArray[np.int64]
Key: TypeAlias = tuple[int, int]  # place before, symbol


@final
@dataclass
class SymbolEffects:
    """Every symbol's effect after every place, where it can stand there."""

    symbols: Sequence[str]
    table: dict[Key, Effect] = field(default_factory=dict)

    def __post_init__(self) -> None:
        aromatic = any(map(has_aromatic, self.symbols))
        for v, text in enumerate(self.symbols):
            for place in Place:
                effect = effect_of(text, place, aromatic)
                if effect is not None:
                    self.table[place, v] = effect

    @cached_property
    def rings(self) -> list[str]:
        """The ring numbers in use."""
        return sorted({number for effect in self.table.values() for number in effect.rings}) or ["1"]

    @cached_property
    def levels(self) -> int:
        """Levels that are looked at: 0 to the most branches that a symbol closes, at least 1."""
        return 1 + max([1, *(effect.popped for effect in self.table.values())])

    @cached_property
    def most_atoms(self) -> int:
        """Most atoms within a symbol."""
        return max([1, *(len(effect.atoms) for effect in self.table.values())])

    @cached_property
    def most_opened(self) -> int:
        """Most branches that a symbol leaves open."""
        return max([1, *(len(effect.pushed) for effect in self.table.values())])

    @cached_property
    def effect_of_symbol(self) -> dict[int, Effect]:
        """An effect of each symbol, for what does not depend on the place before; after an atom where that can be."""
        return {v: e for (_, v), e in sorted(self.table.items(), key=lambda item: item[0][0] != Place.ATOM, reverse=True)}

    def locate(self, node: Node | None) -> int:
        """Where `Grammar.step` finds an atom: among the levels, then the symbol's own, then none."""
        if node is None:
            return self.levels + self.most_atoms
        return node.level if node.level >= 0 else self.levels + node.index

    @property
    def same_parent(self) -> int:
        """Where it finds the parent that the atom before had."""
        return self.levels + self.most_atoms + 1


def has_aromatic(text: str) -> bool:
    """Whether a symbol has an aromatic atom."""
    try:
        valences = map(valence_of, split_symbols(text))
    except UsageError:
        return False
    return any(valence is not None and valence.aromatic for valence in valences)


def effect_of(text: str, place: Place, aromatic: bool) -> Effect | None:
    """What a symbol does after a place; None where it cannot stand there, or is no SMILES."""
    try:
        return Effect(place, aromatic).read(split_symbols(text))
    except (InvalidSyntax, UsageError):
        return None


def lookup_tables(effects: SymbolEffects) -> dict[str, Array]:
    """What `Grammar.allowed` looks up."""
    depth, conflicts, toggles = symbol_tables(effects)
    tables = {"depths": depth, "conflicts": conflicts, "toggles": np.concatenate([-toggles, toggles])}
    return tables | {f"level{j}": level_table(effects, j) for j in range(effects.levels)} | cost_tables(effects, toggles)


def cost_tables(effects: SymbolEffects, toggles: Array) -> dict[str, Array]:
    """How many symbols close what a symbol leaves open, besides those for what was open before it.

    cost0 (P, V) where no ring is open afterwards; cost (P * 4, V) where one is, by place, by whether the atom before opened a ring that is still
    open, and by whether it cannot close all that are open; ring_costs (2R, V) what the rings add that it closes or opens.
    """
    cost0 = np.zeros((len(Place), len(effects.symbols)), np.int64)
    cost = np.zeros((len(Place), 2, 2, len(effects.symbols)), np.int64)
    for (place, v), effect in effects.table.items():
        cost0[place, v] = effect.place.needs_atom + len(effect.pushed) - effect.popped
        base, opener, conflict = atoms_before_closing(effect)
        cost[place, :, :, v] = cost0[place, v] + base - 1 + opener * np.array([[0], [1]]) + conflict * np.array([0, 1])
    digit = np.array(
        [v in effects.effect_of_symbol and not effects.effect_of_symbol[v].atoms for v in range(len(effects.symbols))]
    )
    return {
        "cost0": cost0,
        "cost": cost.reshape(-1, len(effects.symbols)),
        "ring_costs": np.concatenate([-2 * toggles, (2 + digit) * toggles]),
    }


def atoms_before_closing(effect: Effect) -> tuple[int, int, int]:
    """Atoms to be written after a symbol before a ring can be closed; one more if the atom before opened one; one more if it is in conflict."""
    current = effect.current
    if effect.place.needs_atom:
        return 1, 0, 0
    if effect.place != Place.ATOM or current is None or (current.level < 0 and (current.bonds_left < 1 or effect.rings)):
        return 2, 0, 0
    if current.level >= 0:
        return 1, 0, 1
    outside = -1 if current.parent is None else current.parent.level
    return max(int(outside > 0), int(current.bonds_left == 1)), int(outside == 0 and current.bonds_left > 1), 0


FORBIDDEN, RING_CLOSABLE = 1, 2


def level_table(effects: SymbolEffects, j: int) -> Array:
    """What symbols do to the atom of a level (P * (K + 1), V).

    FORBIDDEN where it cannot take one, RING_CLOSABLE where a ring could still be closed after it. The last kind is a level that is not there.
    """
    codes = np.full((len(Place), KINDS + 1, len(effects.symbols)), FORBIDDEN if j == 0 else 0)
    free, aromatic = np.arange(KINDS) % AROMATIC, np.arange(KINDS) // AROMATIC
    for (place, v), effect in effects.table.items():
        node = effect.outside.get(j, Node())
        left = free - np.array([node.order, node.degree])[aromatic]
        bad = (left < 0) & (place != Place.FRESH)
        codes[place, :KINDS, v] = FORBIDDEN * bad + RING_CLOSABLE * ((left > 0) & level_open(effect, j))
        codes[place, KINDS, v] = 0
        codes[place, :, v] |= RING_CLOSABLE * (j == 0 and own_atom_open(effect))
    return codes.reshape(-1, len(effects.symbols))


def level_open(effect: Effect, level: int) -> bool:
    """Whether the atom of a level can still be bound after the symbol."""
    return level > effect.popped or effect.outside.get(level) in effect.remaining


def own_atom_open(effect: Effect) -> bool:
    """Whether one of the symbol's own atoms can still be bound after it, or an atom must follow."""
    return effect.place.needs_atom or any(node.level < 0 and node.bonds_left > 0 for node in effect.remaining)


def symbol_tables(effects: SymbolEffects) -> tuple[Array, Array, Array]:
    """What a symbol does after any place.

    FORBIDDEN at depths (J + 2, V), the last a full stack; ring conflicts (F, V); rings that it opens or closes (R, V).
    """
    size = len(effects.symbols)
    depth, toggles = np.full((effects.levels + 2, size), FORBIDDEN), np.zeros((len(effects.rings), size), np.int64)
    for v, effect in effects.effect_of_symbol.items():
        depth[:-1, v] = [FORBIDDEN * (effect.popped > d or effect.dot not in (None, d)) for d in range(effects.levels + 1)]
        depth[-1, v] = FORBIDDEN * bool(effect.pushed)
        toggles[:, v] = [len(effect.rings.get(number, ())) % 2 for number in effects.rings]
    return depth, ring_conflicts(effects), toggles


def ring_conflicts(effects: SymbolEffects) -> Array:
    """Symbols that cannot follow while a ring is open, closed, opened at the atom of a level, in conflict here, or together with another."""
    rings, levels = len(effects.rings), effects.levels
    bad = np.zeros((3 + levels, rings, len(effects.symbols)), np.int64)
    same = np.zeros((rings, rings, len(effects.symbols)), np.int64)
    for v, effect in effects.effect_of_symbol.items():
        bad[0, :, v] = [number in effect.forbidden_rings(True) for number in effects.rings]
        bad[1, :, v] = [number in effect.forbidden_rings(False) for number in effects.rings]
        firsts = {r: effect.rings[number][0] for r, number in enumerate(effects.rings) if number in effect.rings}
        for r, node in firsts.items():
            if node.level >= 0:
                bad[2, r, v] = 1
            elif node.parent is not None and node.parent.level >= 0:
                bad[3 + node.parent.level, r, v] = 1
            for other in firsts:
                same[r, other, v] = other < r and firsts[other] is node
    return np.concatenate([bad.reshape(-1, len(effects.symbols)), same.reshape(-1, len(effects.symbols))])


def transition_tables(effects: SymbolEffects) -> dict[str, Array]:
    """What `Grammar.step` looks up, by place * V + symbol; a symbol that cannot stand there changes nothing."""
    size = len(effects.symbols)
    rows = [
        transition_row(effects, effects.table.get((place, v)) or Effect(place), (place, v) in effects.table)
        for place in Place
        for v in range(size)
    ]
    return {name: np.array([row[name] for row in rows], np.int64) for name in rows[0]}


def transition_row(effects: SymbolEffects, effect: Effect, possible: bool) -> dict[str, list[int]]:
    """One symbol's row of each table after a place; nothing moves where it is not possible there."""
    none, current = effects.levels + effects.most_atoms, effect.current
    touched = [effect.rings.get(number, []) for number in effects.rings]
    own = possible and current is not None and current.level < 0
    kept = none if effect.popped else effects.same_parent
    return {
        "scalars": [effect.place, effect.popped, len(effect.pushed), len(effect.atoms)],
        "current": [effects.locate(current) if possible else 0],
        "parent": [effects.locate(current.parent) if own and current is not None else kept],
        "used": [node.order for node in levels(effects, effect)] + [node.degree for node in levels(effects, effect)],
        "kinds": padded([node.kind for node in effect.atoms], effects.most_atoms, 0),
        "pushed": padded([effects.locate(node) for node in effect.pushed], effects.most_opened, none),
        "turns": [len(nodes) for nodes in touched],
        "opener": [effects.locate(nodes[-1]) if nodes else none for nodes in touched],
        "closer": [int(bool(nodes) and nodes[0] is current) for nodes in touched],
    }


def levels(effects: SymbolEffects, effect: Effect) -> list[Node]:
    """The atoms outside, as the symbol left them."""
    return [effect.outside.get(j, Node()) for j in range(effects.levels)]


def padded(values: list[int], width: int, fill: int) -> list[int]:
    """Values with as many fillers as make the width."""
    return values + [fill] * (width - len(values))

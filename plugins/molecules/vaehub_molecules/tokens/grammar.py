"""Which symbols may come next, so that what a decoder writes is well-formed SMILES.

Letters of shapes: B rows, V symbols, J levels, R ring numbers, D branches open at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, final

import numpy as np
import torch
from torch import Tensor, nn

from vaehub_molecules.tokens.effects import AROMATIC, KINDS, Place
from vaehub_molecules.tokens.tables import FORBIDDEN, RING_CLOSABLE, SymbolEffects, lookup_tables, transition_tables

MAX_SYMBOL_LENGTH = 64  # characters of a symbol
MAX_DEPTH = 32  # branches open at once; drug-like molecules have under ten
MAX_OPENED = 4  # branches that one symbol may open
NO_ATOM, CLOSED = -1, -2  # an atom that is not there, a ring that is not open


class GrammarState(NamedTuple):
    """What is open in the molecules written so far. Atoms are known by their number, and by the bonds left to them."""

    place: Tensor  # (B,) what was written last
    depth: Tensor  # (B,) open branches
    written: Tensor  # (B,) atoms so far
    atom: Tensor  # (B,) the atom to be bound next
    kind: Tensor  # (B,) its bonds left
    parent: Tensor  # (B,) the atom before it
    stack: Tensor  # (B, D) atoms at which branches began
    kinds: Tensor  # (B, D) their bonds left
    rings: Tensor  # (B, R) the atom that opened a ring, CLOSED where it is closed
    closed: Tensor  # (B, R) atoms to which the latest was bound by closing rings


@final
class AllSymbols:
    """Tables (…, V) as they say of every symbol."""

    def rows(self, table: Tensor, index: Tensor) -> Tensor:
        """(B, V) of rows (B,)."""
        return table[index]

    def times(self, flags: Tensor, table: Tensor) -> Tensor:
        """(B, V) the product of flags (B, F) and a table (F, V)."""
        return flags @ table


@final
class OneSymbol:
    """Tables (…, V) as they say of one symbol a row."""

    def __init__(self, token: Tensor) -> None:
        self.token = token

    def rows(self, table: Tensor, index: Tensor) -> Tensor:
        """(B, 1) of rows (B,)."""
        return table[index, self.token].unsqueeze(1)

    def times(self, flags: Tensor, table: Tensor) -> Tensor:
        """(B, 1) the product of flags (B, F) and the symbols' columns of a table (F, V)."""
        return (flags * table.T[self.token]).sum(1, keepdim=True)


@final
class Grammar(nn.Module):
    """SMILES as an automaton with a stack: branches, ring numbers, bonds, and the valence of atoms as far as the text tells.

    "OpenSMILES specification" (James et al., 2016), opensmiles.org. Symbols may be pieces of several atoms. Never forbids the way to a molecule
    that RDKit wrote; what it lets pass may still fail for aromaticity.
    """

    text: Tensor  # (V, 64) the symbols; all else follows from them
    transitions: Tensor
    depths: Tensor
    conflicts: Tensor
    toggles: Tensor
    ring_costs: Tensor
    cost: Tensor
    cost0: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("text", torch.zeros(size, MAX_SYMBOL_LENGTH, dtype=torch.uint8))
        self.effects: SymbolEffects | None = None
        self.register_load_state_dict_post_hook(drop_tables)  # type: ignore[no-untyped-call]

    def learn(self, symbols: Sequence[str]) -> None:
        """Take up a vocabulary; symbol 0 is the end. A symbol that is no SMILES, or longer than 64 characters, is never allowed."""
        kept = [symbol.encode() if len(symbol) <= MAX_SYMBOL_LENGTH and symbol.isascii() else b"?" for symbol in symbols]
        padded = b"".join(symbol.ljust(MAX_SYMBOL_LENGTH, b"\0") for symbol in kept)
        self.text = torch.frombuffer(bytearray(padded), dtype=torch.uint8).view(-1, MAX_SYMBOL_LENGTH).to(self.text.device)
        self.effects = None

    @property
    def learnt(self) -> bool:
        """Whether it knows a vocabulary."""
        return self.effects is not None or bool(self.text.any())

    def _prepare(self) -> SymbolEffects:
        """The tables of the vocabulary, made on first use: a saved model holds its text alone."""
        if self.effects is None:
            self.effects = SymbolEffects([bytes(row).rstrip(b"\0").decode() for row in self.text.cpu().numpy()])
            for name, table in lookup_tables(self.effects).items():
                self.register_buffer(
                    name, torch.from_numpy(table).to(self.text.device, FLOAT_TABLES.get(name, torch.uint8)), persistent=False
                )
            parts = transition_tables(self.effects)
            self.widths = [part.shape[1] for part in parts.values()]
            rows = torch.from_numpy(np.concatenate(list(parts.values()), 1))
            self.register_buffer("transitions", rows.to(self.text.device), persistent=False)
        return self.effects

    def start(self, rows: int, device: torch.device | str) -> GrammarState:
        """Nothing written yet."""
        numbers = len(self._prepare().rings)

        def filled(value: int, *shape: int) -> Tensor:
            return torch.full((rows, *shape), value, dtype=torch.long, device=device)

        one = (Place.FRESH, 0, 0, NO_ATOM, 0, NO_ATOM)
        wide = ((NO_ATOM, MAX_DEPTH), (0, MAX_DEPTH), (CLOSED, numbers), (NO_ATOM, numbers))
        return GrammarState(*(filled(int(value)) for value in one), *(filled(value, width) for value, width in wide))

    @torch.no_grad()
    def allowed(self, state: GrammarState, remaining: int) -> Tensor:
        """(B, V) the symbols that may come next, of which at least one is allowed.

        `remaining`: symbols that may still be written, this one counted, the end not. A symbol is allowed only if all that is open can be closed
        in what then remains. Where nothing is possible (a vocabulary without plain atoms, too few symbols from the start), the end is allowed.
        """
        forbidden = self._forbidden(state, remaining, AllSymbols())
        forbidden[:, 0] = ~self._complete(state)
        forbidden[:, 0] &= ~forbidden.all(1)
        return ~forbidden

    @torch.no_grad()
    def allows(self, state: GrammarState, token: Tensor, remaining: int) -> Tensor:
        """(B,) whether symbols (B,), one a row, may come next: `allowed` at a fraction of its cost; False where only the end is left."""
        return torch.where(token == 0, self._complete(state), ~self._forbidden(state, remaining, OneSymbol(token)).squeeze(1))

    def _complete(self, state: GrammarState) -> Tensor:
        """(B,) whether nothing is open."""
        ended = (state.place == Place.ATOM) | (state.place == Place.CLOSE)
        return ended & (state.depth == 0) & (state.rings == CLOSED).all(1)

    def _forbidden(self, state: GrammarState, remaining: int, view: AllSymbols | OneSymbol) -> Tensor:
        """(B, V) or (B, 1) the symbols other than the end that cannot come next."""
        atoms, kinds = self._levels(state)
        opened = state.rings != CLOSED
        turning = torch.cat([opened, ~opened], 1).float()
        codes, unclosed = (
            self._valence_codes(state, kinds, view),
            view.times(turning, self.toggles) > -opened.sum(1, keepdim=True),
        )
        conflict, at_atom = self._conflict(state), state.rings[:, None, :] == atoms[:, :, None]
        clash = view.times(self._features(state, opened, conflict, at_atom), self.conflicts) > 0
        flags = 4 * state.place + 2 * at_atom[:, 0].any(1) + (conflict.any(1) | (state.kind % AROMATIC < 2))
        closing = torch.where(
            unclosed,
            view.rows(self.cost, flags) + view.times(turning, self.ring_costs) + 2 * opened.sum(1, keepdim=True),
            view.rows(self.cost0, state.place),
        )
        return (
            (codes & FORBIDDEN > 0)
            | (unclosed & (codes & RING_CLOSABLE == 0))
            | clash
            | (closing > remaining - 1 - state.depth[:, None])
        )

    def _levels(self, state: GrammarState) -> tuple[Tensor, Tensor]:
        """Atoms (B, J) and their bonds left, from the one written last outwards."""
        at = state.depth[:, None] - torch.arange(1, self._prepare().levels, device=state.depth.device)
        there, at = at >= 0, at.clamp(min=0)
        atoms = torch.where(there, state.stack.gather(1, at), NO_ATOM)
        kinds = torch.where(there, state.kinds.gather(1, at), KINDS)
        return torch.cat([state.atom[:, None], atoms], 1), torch.cat([state.kind[:, None], kinds], 1)

    def _valence_codes(self, state: GrammarState, kinds: Tensor, view: AllSymbols | OneSymbol) -> Tensor:
        """(B, V) or (B, 1): FORBIDDEN for symbols that cannot stand here or overbind an atom, RING_CLOSABLE where an atom can still be bound."""
        levels = kinds.shape[1]
        behind = torch.arange(MAX_DEPTH, device=kinds.device) < state.depth[:, None] - (levels - 1)
        live = ((state.kinds % AROMATIC > 0) & behind).any(1)
        codes = (
            view.rows(self.depths, state.depth.clamp(max=levels))
            | (RING_CLOSABLE * live + FORBIDDEN * (state.depth > MAX_DEPTH - MAX_OPENED)).to(torch.uint8)[:, None]
        )
        at = state.place[:, None] * (KINDS + 1) + kinds
        for j in range(levels):
            codes |= view.rows(self.get_buffer(f"level{j}"), at[:, j])
        return codes

    def _features(self, state: GrammarState, opened: Tensor, conflict: Tensor, at_atom: Tensor) -> Tensor:
        """(B, F) what forbids symbols that close a ring where it was opened, at a neighbour, or between atoms that another ring joins."""
        same = (state.rings[:, :, None] == state.rings[:, None, :]) & opened[:, :, None]
        return torch.cat([opened, ~opened, conflict, at_atom.flatten(1), same.flatten(1)], 1).float()

    def _conflict(self, state: GrammarState) -> Tensor:
        """(B, R) open rings that the atom written last cannot close."""
        here = (state.rings == state.atom[:, None]) | (state.rings == state.parent[:, None])
        return here | (state.rings[:, :, None] == state.closed[:, None, :]).any(2)

    @torch.no_grad()
    def step(self, state: GrammarState, token: Tensor) -> GrammarState:
        """The state after symbols (B,); the end and symbols that cannot stand there change nothing."""
        rows = self.transitions[state.place * len(self.text) + token]
        scalars, current, parent, used, own, pushed, turns, opener, closer = rows.split(self.widths, 1)
        place, popped, pushes, count = scalars.unbind(1)
        atoms, kinds = self._levels(state)
        kinds = (kinds - torch.where(kinds >= AROMATIC, used[:, kinds.shape[1] :], used[:, : kinds.shape[1]])).clamp(min=0)
        nobody, new = torch.full_like(current, NO_ATOM), state.written[:, None] + torch.arange(own.shape[1], device=token.device)
        stack, levels = updated_stack(
            state, popped, pushed, torch.cat([atoms, new, nobody], 1), torch.cat([kinds, own, nobody], 1), kinds[:, 1:2]
        )
        atoms, kinds = torch.cat([atoms, new, nobody, state.parent[:, None]], 1), torch.cat([kinds, own, nobody * 0], 1)
        stayed = (current == 0) & (place != Place.CLOSE)[:, None]
        opened = state.rings != CLOSED
        rings = torch.where(turns > 0, atoms.gather(1, opener), state.rings)
        return GrammarState(
            place=place,
            depth=(state.depth - popped + pushes).clamp(0, MAX_DEPTH),
            written=state.written + count,
            atom=atoms.gather(1, current)[:, 0],
            kind=kinds.gather(1, current)[:, 0],
            parent=atoms.gather(1, parent)[:, 0],
            stack=stack,
            kinds=levels,
            rings=torch.where(opened ^ (turns % 2 == 1), rings, CLOSED),
            closed=torch.where(opened & (closer > 0), state.rings, torch.where(stayed, state.closed, NO_ATOM)),
        )

    @staticmethod
    def select(state: GrammarState, rows: Tensor) -> GrammarState:
        """The state of some rows, by index or mask."""
        return GrammarState(*(field[rows] for field in state))


def updated_stack(
    state: GrammarState, popped: Tensor, pushed: Tensor, atoms: Tensor, kinds: Tensor, top: Tensor
) -> tuple[Tensor, Tensor]:
    """The stack after branches closed and opened; what lies above the depth is of no account.

    A bond's sign behind an open branch binds the atom on top of the stack, so that its bonds are written back.
    """
    stack, levels = state.stack, state.kinds.scatter(1, (state.depth[:, None] - 1).clamp(min=0), top)
    for k in range(pushed.shape[1]):
        at = (state.depth - popped + k).clamp(0, MAX_DEPTH - 1)[:, None]
        stack = stack.scatter(1, at, atoms.gather(1, pushed[:, k : k + 1]))
        levels = levels.scatter(1, at, kinds.gather(1, pushed[:, k : k + 1]))
    return stack, levels


def drop_tables(grammar: nn.Module, _: object) -> None:
    """Make the tables anew after weights were loaded."""
    assert isinstance(grammar, Grammar)
    grammar.effects = None


FLOAT_TABLES = dict.fromkeys(("conflicts", "toggles", "ring_costs", "cost", "cost0"), torch.float32)

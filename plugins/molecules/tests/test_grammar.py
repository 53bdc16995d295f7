"""The automaton of SMILES: never in the way of a molecule, always a way to the end, and what it lets pass is well-formed."""

from __future__ import annotations

import copy
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, rdBase

from vaehub_molecules.tokens.atoms import Atoms, split_symbols
from vaehub_molecules.tokens.effects import Place
from vaehub_molecules.tokens.grammar import Grammar
from vaehub_molecules.tokens.pairs import Pairs
from vaehub_molecules.tokens.valence import valence_of

MOLECULES = [
    "[2H]C([2H])([2H])N[13CH2]c1ccccc1",
    "CC(C)(C)c1ccc2occ(CC(=O)Nc3ccccc3F)c2c1",
    "N#Cc1ccc(-c2ccc(O[C@@H](C(=O)N3CCCC3)c3ccccc3)cc2)cc1",
    "NC(=O)c1ccc(SCC(=O)Nc2ccc3c(c2)Cc2ccccc2-3)c([N+](=O)[O-])c1",
    "COc1ccc2c(c1)=C[C@H](CN(c1ccc(C)c(C)c1)S(C)(=O)=O)C(=O)[NH+]=2",
    "C1CC2CCC1C2.Cl",
    "O=S(=O)(c1ccccc1)P(C)(C)(C)C",
    "FC(F)(F)/C=C/Br",
    "C12C3C4C1C5C2C3C45",
    "CCI(C)C",
]
PLAIN = ["C", "c", "N", "n", "O", "F", "=", "#", "(", ")", "1", "2", "3", "[nH]", "[C@@H]", "[O-]", "."]
PLAIN_PIECES = [*PLAIN, "C(", "C))C"]
PIECES = [*PLAIN, "c1ccc(", "C(=O)", "NC(=O)", "cc1", ")C(", "C1CC1", "12", "=O)", "c1ccccc1"]


@pytest.fixture(autouse=True)
def _quiet():
    with rdBase.BlockLogs():
        yield


def learnt(vocabulary):
    return known(tuple(vocabulary))


@cache
def known(vocabulary):
    grammar = Grammar(len(vocabulary))
    grammar.learn(vocabulary)
    return grammar


def follow(grammar, vocabulary, pieces, remaining=1000):
    """The state after pieces; fails at the first that is not allowed."""
    state = grammar.start(1, "cpu")
    for k, piece in enumerate(pieces):
        number = vocabulary.index(piece)
        assert grammar.allowed(state, remaining - k)[0, number], f"{''.join(pieces[:k])!r} must not forbid {piece!r}"
        state = grammar.step(state, torch.tensor([number]))
    return state


def forbidden(grammar, vocabulary, prefix):
    """The symbols that may not follow."""
    ok = grammar.allowed(follow(grammar, vocabulary, split_symbols(prefix)), 1000)[0]
    return {symbol for symbol, allowed in zip(vocabulary, ok.tolist(), strict=True) if not allowed}


def written(grammar, vocabulary, rows, steps, seed=0, weights=None):
    """Strings drawn at random from what is allowed."""
    generator = torch.Generator().manual_seed(seed)
    state, done = grammar.start(rows, "cpu"), torch.zeros(rows, dtype=torch.bool)
    out = [""] * rows
    for step in range(steps + 1):
        allowed = grammar.allowed(state, steps - step)
        assert allowed.any(1).all()
        probe = torch.randint(len(vocabulary), (rows,), generator=generator)
        alone, among = grammar.allows(state, probe, steps - step), allowed.gather(1, probe[:, None])[:, 0]
        assert alone.equal(among & ((probe > 0) | alone)), (
            "one symbol is allowed as it is among all, but for an end that is the last resort"
        )
        chances = allowed * (torch.ones(len(vocabulary)) if weights is None else weights)
        token = torch.where(done, 0, torch.multinomial(chances, 1, generator=generator)[:, 0])
        done |= token == 0
        state = grammar.step(state, token)
        out = [text + vocabulary[t] for text, t in zip(out, token.tolist(), strict=True)]
    assert done.all()
    return out


@pytest.mark.parametrize("tokenizer", [Atoms(), Pairs(merges=64, least=2)], ids=["atoms", "pairs"])
def test_no_molecule_is_forbidden(tokenizer):
    tokenizer.learn(MOLECULES)
    rows = [tokenizer.split(smiles) for smiles in MOLECULES]
    vocabulary = [
        "",
        *sorted({piece for row in rows for piece in row} | {s for smiles in MOLECULES for s in split_symbols(smiles)}),
    ]
    grammar = learnt(vocabulary)
    for row in rows:
        state = follow(grammar, vocabulary, row, remaining=2 * len(row) + 4)
        assert grammar.allowed(state, 0)[0].tolist() == [True] + [False] * (len(vocabulary) - 1)


@pytest.mark.parametrize("vocabulary", [["", *PLAIN], ["", *PIECES]], ids=["plain", "pieces"])
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 25])
def test_whatever_is_drawn_ends_in_time_and_is_well_formed(vocabulary, steps):
    grammar = learnt(vocabulary)
    for smiles in written(grammar, vocabulary, 300, steps):
        assert Chem.MolFromSmiles(smiles, sanitize=False) is not None, smiles


def test_valence_holds_where_there_is_nothing_aromatic():
    vocabulary = ["", "C", "N", "O", "F", "(", ")", "1", "2", "[C@@H]", "[O-]", "C(N)", "CC1", "12"]
    for smiles in written(learnt(vocabulary), vocabulary, 300, 20):
        assert Chem.MolFromSmiles(smiles) is not None, smiles


@pytest.mark.parametrize(
    ("prefix", "never"),
    [
        ("", {"", "=", "(", ")", "1", "."}),
        ("C", {")"}),
        ("CF", {"C", "=", "(", "1"}),
        ("C(", {"", "(", ")", "1", "."}),
        ("C=", {"", "(", ")", "=", "F", "[O-]"}),
        ("C1", {"", "1"}),
        ("C1C", {"", "1"}),
        ("C12CC1", {"2", ""}),
        ("C(=O)(", {"#", ")", ""}),
        ("CC(C)", {"1", ")", "2"}),
        ("C1CC(C1", {"", "."}),
        ("O1C", {"F", "[O-]", ""}),
        ("c1cc", {"", "F", "[O-]"}),
        ("N(C)(", {")", "#"}),
        ("c1cc(C)", {"", "1"}),
    ],
)
def test_what_cannot_follow(prefix, never):
    vocabulary = ["", *PLAIN]
    assert never <= forbidden(learnt(vocabulary), vocabulary, prefix)


def test_a_bond_behind_a_branch_is_counted_once():
    vocabulary = ["", *PLAIN]
    grammar = learnt(vocabulary)
    assert "N" not in forbidden(grammar, vocabulary, "C(=O)(C)")
    assert {"N", "=", "("} <= forbidden(grammar, vocabulary, "C(=O)(C)(C)")


def test_pieces_do_what_their_symbols_do():
    """Any string of allowed pieces is allowed symbol by symbol, and leads to the same open rings, depth and place."""
    vocabulary = ["", *PIECES, "S", "Cl"]
    grammar = learnt(vocabulary)
    for smiles in written(grammar, vocabulary, 40, 12, seed=3):
        state = follow(grammar, vocabulary, split_symbols(smiles))
        assert grammar.allowed(state, 5)[0, 0]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=12))
def test_a_piece_is_allowed_exactly_if_its_symbols_are(pieces):
    vocabulary = ["", *PIECES]
    grammar = learnt(vocabulary)
    whole, single = grammar.start(1, "cpu"), grammar.start(1, "cpu")
    for piece in pieces:
        number = vocabulary.index(piece)
        together = bool(grammar.allowed(whole, 10**6)[0, number])
        apart = True
        after = single
        for symbol in split_symbols(piece):
            apart &= symbol in vocabulary and bool(grammar.allowed(after, 10**6)[0, vocabulary.index(symbol)])
            after = grammar.step(after, torch.tensor([vocabulary.index(symbol)]))
        if not together:
            continue
        assert apart, (pieces, piece)
        whole, single = grammar.step(whole, torch.tensor([number])), after
        assert whole.place.equal(single.place)
        assert whole.depth.equal(single.depth)
        assert whole.kind.equal(single.kind)
        assert whole.rings.equal(single.rings)


def test_rows_do_not_know_of_each_other():
    vocabulary = ["", *PLAIN]
    grammar = learnt(vocabulary)
    one, other = follow(grammar, vocabulary, split_symbols("C1CC(")), follow(grammar, vocabulary, split_symbols("CCCF"))
    both = type(one)(*(torch.cat(pair) for pair in zip(one, other, strict=True)))
    expected = torch.cat([grammar.allowed(one, 9), grammar.allowed(other, 9)])
    assert grammar.allowed(both, 9).equal(expected)
    assert grammar.allowed(grammar.select(both, torch.tensor([1])), 9).equal(expected[1:])


def test_a_saved_grammar_is_the_same():
    vocabulary = ["", *PIECES]
    grammar, again = learnt(vocabulary), Grammar(len(vocabulary))
    assert not again.learnt
    again.load_state_dict(grammar.state_dict())
    assert again.learnt
    assert (
        written(again, vocabulary, 20, 10)
        == written(grammar, vocabulary, 20, 10)
        == written(copy.deepcopy(again), vocabulary, 20, 10)
    )
    again.learn(["", "N"])
    assert written(again, ["", "N"], 20, 3) != written(grammar, vocabulary, 20, 3)


def test_symbols_that_are_no_smiles_are_never_allowed():
    vocabulary = ["", "C", "<odd>", "C" * 65, "é"]
    assert learnt(vocabulary).allowed(learnt(vocabulary).start(2, "cpu"), 9).tolist() == [[False, True, False, False, False]] * 2


def test_where_nothing_is_possible_the_end_is():
    vocabulary = ["", "=", ")"]
    grammar = learnt(vocabulary)
    assert grammar.allowed(grammar.start(1, "cpu"), 9).tolist() == [[True, False, False]]


def test_branches_deeper_than_the_stack_are_not_opened():
    vocabulary = ["", "C", "(", ")"]
    grammar = learnt(vocabulary)
    state = grammar.start(1, "cpu")
    for _ in range(60):
        ok = grammar.allowed(state, 1000)[0]
        state = grammar.step(state, torch.tensor([2 if ok[2] else 1]))
    assert 20 < int(state.depth) < 32
    assert written(grammar, vocabulary, 5, 200, weights=torch.tensor([0.01, 1.0, 5.0, 0.1]))


@pytest.mark.parametrize(
    ("symbol", "bonds", "aromatic"),
    [("C", 4, False), ("c", 3, True), ("[nH]", 2, True), ("[n+]", 3, True), ("[N+]", 4, False), ("[NH3+]", 1, False), ("[O-]", 1, False),
     ("[C@@H]", 3, False), ("[C-]", 3, False), ("[13CH4]", 0, False), ("[Si]", 8, False), ("[S@@]", 8, False), ("[B-]", 4, False),
     ("[N-]", 2, False), ("[o+]", 3, True), ("[2H]", 1, False), ("[H+]", 0, False)],
)  # fmt: skip
def test_room_of_atoms(symbol, bonds, aromatic):
    assert valence_of(symbol) == (bonds, aromatic)


@pytest.mark.parametrize("symbol", ["(", "=", "1", "%12", ".", "/", ""])
def test_other_symbols_are_no_atoms(symbol):
    assert valence_of(symbol) is None


def test_places_tell_bonds_apart():
    assert [place.pending for place in Place] == [0, 0, 0, 0, 1, 2, 3, 1, 2, 3]
    assert [place for place in Place if not place.needs_atom] == [Place.ATOM, Place.CLOSE]


@pytest.mark.parametrize("piece", [")", "C(", "C))C"])
def test_what_is_written_against_the_rules_leaves_a_state_that_can_be_asked(piece):
    """A network in training, or a string that is dropped afterwards, may close branches that nobody opened, or open more than the stack holds."""
    grammar = learnt(PLAIN_PIECES)
    state = grammar.start(1, "cpu")
    for _ in range(300):
        state = grammar.step(state, torch.tensor([PLAIN_PIECES.index(piece)]))
        assert grammar.allowed(state, 1000).shape[0] == 1
    assert 0 <= int(state.depth) <= 300

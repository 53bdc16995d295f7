"""Tokenizers: every molecule comes back as it was, and the learnt ones learn what they say."""

from __future__ import annotations

import builtins
import gzip
import json
from collections import Counter
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem

from vaehub.errors import UsageError
from vaehub_molecules.data import sample_path
from vaehub_molecules.tokens import Atoms, Pairs, Selfies
from vaehub_molecules.tokens.atoms import split_symbols
from vaehub_molecules.tokens.merging import learn_merges


@cache
def sample(rows=1000):
    with gzip.open(sample_path(), "rt") as file:
        return [next(file).strip() for _ in range(rows)]


@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        ("CCl", ["C", "Cl"]),
        ("C[C@@H](Br)c1c[nH]cc1", ["C", "[C@@H]", "(", "Br", ")", "c", "1", "c", "[nH]", "c", "c", "1"]),
        ("C%12=C-C%12", ["C", "%12", "=", "C", "-", "C", "%12"]),
        ("[Na+].[O-]/C=C\\F", ["[Na+]", ".", "[O-]", "/", "C", "=", "C", "\\", "F"]),
        ("CN->[Cu]<-N", ["C", "N", "->", "[Cu]", "<-", "N"]),
        ("C%(100)CC%(100)", ["C", "%(100)", "C", "C", "%(100)"]),
        ("", []),
    ],
)
def test_symbols(smiles, expected):
    assert Atoms().split(smiles) == expected
    assert Atoms().join(expected) == smiles


@pytest.mark.parametrize(("smiles", "bad"), [("CX", "X"), ("C[C", "[C"), ("Cé", "é"), ("C]", "]"), ("C%1", "%1")])
def test_what_is_no_symbol_is_named(smiles, bad):
    with pytest.raises(UsageError, match=f"{smiles!r}".replace("[", r"\[")) as caught:
        Atoms().split(smiles)
    assert repr(bad) in str(caught.value)


def slow_merges(rows, merges, least):
    """Byte-pair encoding as it is defined: count all, merge the commonest, from the left."""
    rows, done = [list(row) for row in rows], []
    while len(done) < merges:
        counts = Counter(pair for row in rows for pair in pairwise(row))
        pair = max(counts, key=lambda p: (counts[p], p), default=None)
        if pair is None or counts[pair] < least:
            break
        rows = [merged(row, pair) for row in rows]
        done.append(pair)
    return done


def merged(row, pair):
    out = []
    for piece in row:
        if out and (out[-1], piece) == pair:
            out[-1] += piece
        else:
            out.append(piece)
    return out


@given(st.lists(st.text("abC", max_size=12).map(list), max_size=8), st.integers(0, 12), st.integers(1, 3))
def test_merges_are_those_of_the_definition(rows, merges, least):
    assert learn_merges(rows, merges, least) == slow_merges(rows, merges, least)


def test_merges_of_molecules_are_those_of_the_definition():
    rows = [split_symbols(smiles) for smiles in sample(200)]
    assert learn_merges(rows, 40, 5) == slow_merges(rows, 40, 5)


@pytest.fixture(scope="module")
def pairs():
    tokenizer = Pairs(merges=100, least=20)
    tokenizer.learn(sample())
    return tokenizer


def test_pairs_spell_every_molecule_shorter(pairs):
    split = [pairs.split(smiles) for smiles in sample()]
    assert ["".join(row) for row in split] == sample()
    assert sum(map(len, split)) < 0.6 * sum(len(split_symbols(smiles)) for smiles in sample())
    assert len(pairs.ranks) == 100


def test_pairs_split_at_symbols_only(pairs):
    for smiles in sample(200):
        assert [s for piece in pairs.split(smiles) for s in split_symbols(piece)] == split_symbols(smiles)


def test_pairs_do_not_depend_on_the_order_of_molecules(pairs):
    other = Pairs(merges=100, least=20)
    other.learn(sample()[::-1])
    assert other.state() == pairs.state()


def test_pairs_come_back_from_json(pairs):
    other = Pairs()
    other.split(sample()[0])
    other.restore(json.loads(json.dumps(pairs.state())))
    assert [other.split(smiles) for smiles in sample(50)] == [pairs.split(smiles) for smiles in sample(50)]


def test_pairs_without_merges():
    tokenizer = Pairs()
    tokenizer.learn([])
    assert tokenizer.split("CCl") == ["C", "Cl"]


def test_selfies_spell_the_same_molecule():
    tokenizer = Selfies()
    for smiles in sample(100):
        assert Chem.CanonSmiles(tokenizer.join(tokenizer.split(smiles))) == Chem.CanonSmiles(smiles)


def test_any_selfies_are_a_molecule():
    known = sorted({symbol for smiles in sample(100) for symbol in Selfies().split(smiles)})
    for start in range(50):
        smiles = Selfies().join([known[(start * at) % len(known)] for at in range(20)])
        assert Chem.MolFromSmiles(smiles) is not None


def test_what_selfies_cannot_spell_is_named():
    with pytest.raises(UsageError, match=r"'C~C': SELFIES cannot spell it"):
        Selfies().split("C~C")


def test_selfies_without_the_library(monkeypatch):
    real = builtins.__import__

    def absent(name, *args):
        if name == "selfies":
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(UsageError, match=r"pip install 'vaehub-molecules\[selfies\]'"):
        Selfies().split("C")

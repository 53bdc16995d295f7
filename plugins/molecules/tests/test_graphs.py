"""Edits of graphs: what comes out is a molecule, in rings of six at most where a ring was made, and the same for the same seed."""

import gzip
from collections.abc import Callable
from random import Random

import pytest
from rdkit.Chem import Mol, MolFromSmarts, MolFromSmiles, MolToSmiles
from rdkit.rdBase import BlockLogs

from vaehub_molecules.data import sample_path
from vaehub_molecules.graphs import cross, mutate
from vaehub_molecules.graphs.crossover import cut_chain, cut_ring
from vaehub_molecules.graphs.mutation import RULES
from vaehub_molecules.graphs.reactions import has_plausible_rings, kekulised, run_reaction, sanitize_in_place

ASPIRIN, IBUPROFEN = "CC(=O)Oc1ccccc1C(=O)O", "CC(C)Cc1ccc(C(C)C(=O)O)cc1"


@pytest.fixture(scope="module")
def molecules() -> list[Mol]:
    lines = gzip.decompress(sample_path().read_bytes()).decode().split()
    return [MolFromSmiles(smiles) for smiles in lines[:60]]


def children(edit: Callable[[Mol, Mol, Random], Mol | None], molecules: list[Mol], seed: int = 0) -> list[str]:
    rng = Random(seed)
    with BlockLogs():
        found = [edit(a, b, rng) for a, b in zip(molecules, reversed(molecules), strict=True)]
    return ["" if mol is None else MolToSmiles(mol) for mol in found]


EDITS = {"crossed": cross, "mutated": lambda a, _, rng: mutate(a, rng)}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_what_comes_out_is_another_molecule(edit: Callable[[Mol, Mol, Random], Mol | None], molecules: list[Mol]) -> None:
    given, found = [MolToSmiles(mol) for mol in molecules], children(edit, molecules)
    assert all(MolFromSmiles(smiles) is not None for smiles in found)
    assert sum(smiles not in ("", parent) for smiles, parent in zip(found, given, strict=True)) > 0.9 * len(given)
    assert found == children(edit, molecules) != children(edit, molecules, 1)
    assert given == [MolToSmiles(mol) for mol in molecules], "parents stay as they are"


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_can_be_followed(rule: Callable[[Mol, Random], str], molecules: list[Mol]) -> None:
    rng = Random(0)
    with BlockLogs():
        products = [mol for given in map(kekulised, molecules) for mol in run_reaction(rule(given, rng), given)]
    assert any(map(has_plausible_rings, products))


def test_a_cut_leaves_all_atoms() -> None:
    mol = kekulised(MolFromSmiles(IBUPROFEN))
    for pieces, ends in ((cut_chain(mol, Random(0)), 1), (cut_ring(mol, Random(0)), 2)):
        assert len(pieces) == 2
        assert sum(piece.GetNumAtoms() for piece in pieces) == mol.GetNumAtoms() + 2 * ends


def test_parts_of_both_parents_are_joined() -> None:
    with BlockLogs():
        children = {
            MolToSmiles(mol) for seed in range(60) if (mol := cross(MolFromSmiles("FCCCl"), MolFromSmiles("BrCCI"), Random(seed)))
        }
    halves = [MolFromSmarts(f"[{x}]") for x in ("F,Cl", "Br,I")]
    assert children
    assert all(MolFromSmiles(smiles).HasSubstructMatch(half) for smiles in children for half in halves)


def test_what_cannot_be_edited_gives_nothing() -> None:
    lone = MolFromSmiles("C")
    assert cross(lone, MolFromSmiles(ASPIRIN), Random(0)) is None


@pytest.mark.parametrize("bad", ["C1CCCCCC1", "C1=C=CCCC1", "C1=CC1"])
def test_rings_that_are_not_sound(bad: str) -> None:
    mol = MolFromSmiles(bad, sanitize=False)
    assert sanitize_in_place(Mol(mol))
    assert not has_plausible_rings(mol)

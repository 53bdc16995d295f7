"""Canonical SMILES: forms, refusals and their reasons."""

from __future__ import annotations

import pickle

import pytest
from rdkit import Chem

from vaehub.errors import UsageError
from vaehub_molecules.chem.canonical import canonical, canonical_of_block
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.reasons import Reason, Rejected

REFUSED = {
    "": Reason.EMPTY,
    "  ": Reason.EMPTY,
    "C" * 513: Reason.LONG,
    "C C": Reason.CHARACTER,
    "C\0": Reason.CHARACTER,
    "Cé": Reason.CHARACTER,
    "[C": Reason.BRACKETS,
    "[[C]]": Reason.BRACKETS,
    "C)(": Reason.PARENTHESES,
    "C(C": Reason.PARENTHESES,
    "C(" * 101 + "C" + ")" * 101: Reason.NESTED,
    "C1CC": Reason.UNPAIRED,
    "C%10CC": Reason.UNPAIRED,
    "C11" * 101: Reason.CYCLIC,
    "C==C": Reason.SYNTAX,
    "C1C1": Reason.SYNTAX,
    "[Xx]": Reason.SYNTAX,
    "C>>C": Reason.SYNTAX,
    "C(C)(C)(C)(C)C": Reason.VALENCE,
    "c1cccc1": Reason.AROMATIC,
    "*C": Reason.DUMMY,
    "[CH3:7]C": Reason.MAPPED,
    "[13CH4]": Reason.ISOTOPE,
    "[2H]C": Reason.ISOTOPE,
    "C[CH2]": Reason.RADICAL,
    "[H][H]": Reason.SMALL,
    "C" * 151: Reason.LARGE,
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.items())
def test_refusals_have_their_reason(text, reason):
    with pytest.raises(Rejected) as caught:
        canonical(text)
    assert caught.value.kind == reason
    assert str(caught.value).startswith(reason)
    assert "\n" not in caught.value.reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C(O)C", "CCO"),
        (" OCC\n", "CCO"),
        ("C1=CC=CC=C1", "c1ccccc1"),
        ("[CH4]", "C"),
        ("C%(100)CC%(100)", "C1CC1"),
        ("[H]C([H])([H])O", "CO"),
        ("C1.C1", "CC"),
        ("N[C@@H](C)C(=O)O", "C[C@H](N)C(=O)O"),
    ],
)
def test_canonical_form(text, expected):
    assert canonical(text) == expected


def test_salts():
    text = "[Na+].CC(=O)[O-].O"
    assert canonical(text) == "CC(=O)[O-]"
    assert canonical(text, Policy(salts="keep")) == "CC(=O)[O-].O.[Na+]"
    with pytest.raises(Rejected, match=r"several fragments \(3\)"):
        canonical(text, Policy(salts="reject"))
    assert canonical("C1.C1", Policy(salts="reject")) == "CC"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("C.CC", "CC"), ("OS(=O)(=O)O.CN", "CN"), ("CCN.CCF", "CCF"), ("[Na+].[Cl-]", "[Cl-]"), ("CCN.CNC", "CNC")],
)
def test_the_largest_fragment_does_not_depend_on_the_order(text, expected):
    assert canonical(text) == expected
    assert canonical(".".join(reversed(text.split(".")))) == expected


def test_stereo():
    assert canonical("C[C@H](N)C(=O)O", Policy(stereo="drop")) == "CC(N)C(=O)O"
    assert canonical("F/C=C/F", Policy(stereo="drop")) == "FC=CF"
    assert canonical("C(/F)=C/F") == "F/C=C\\F"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("C/C=C/[H]", "C=CC"), ("C/C(=C/[H])F", "C=C(C)F"), ("[H]/C(C)=C/C", "C/C=C\\C"), ("[H]/N=C/C", "[H]/N=C/C")],
)
def test_hydrogen_that_is_written_makes_no_stereo_of_its_own(text, expected):
    assert canonical(text) == expected


def test_charges():
    assert canonical("CC(=O)[O-]", Policy(charges="neutralise")) == "CC(=O)O"
    assert canonical("C[N+](C)(C)C", Policy(charges="neutralise")) == "C[N+](C)(C)C"
    assert canonical("C[N+](=O)[O-]", Policy(charges="reject")) == "C[N+](=O)[O-]"
    with pytest.raises(Rejected, match=r"a net charge \(-1\)"):
        canonical("CC(=O)[O-]", Policy(charges="reject"))
    assert canonical("CC(=O)[O-].[Na+]", Policy(charges="neutralise")) == "CC(=O)O"


def test_elements_count_in_what_is_kept():
    organic = Policy(elements=("C", "O", "Cl"))
    assert canonical("CCO.[Na+]", organic) == "CCO"
    assert canonical("CCCl", organic) == "CCCl"
    with pytest.raises(Rejected, match=r"an element that is not allowed \(Si\)"):
        canonical("C[Si](C)(C)C", organic)


def test_sizes():
    assert canonical("C" * 150) == "C" * 150
    assert canonical("C" * 20 + ".[Na+]", Policy(max_heavy=20)) == "C" * 20
    with pytest.raises(Rejected, match="21, 20 allowed"):
        canonical("C" * 21, Policy(max_heavy=20))
    with pytest.raises(Rejected, match="6 characters, 5 allowed"):
        canonical("CCCCCC", Policy(max_length=5))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"salts": "drop"}, r"salts='drop': known: keep, largest, reject"),
        ({"charges": "neutralize"}, r"charges='neutralize': did you mean 'neutralise'\?"),
        ({"max_length": 0}, "max_length=0: must be at least 1"),
        ({"elements": ("C", "Xx")}, "elements: 'Xx' is no element"),
    ],
)
def test_policies_that_cannot_be(options, message):
    with pytest.raises(UsageError, match=message):
        Policy(**options)


def test_mol_blocks():
    mol = Chem.MolFromSmiles("C[C@H](N)C(=O)O")
    Chem.rdDepictor.Compute2DCoords(mol)
    assert canonical_of_block(Chem.MolToMolBlock(mol)) == "C[C@H](N)C(=O)O"
    assert canonical_of_block(Chem.MolToMolBlock(mol, forceV3000=True)) == "C[C@H](N)C(=O)O"
    five = Chem.MolFromSmiles("C(C)(C)(C)(C)C", sanitize=False)
    for block, reason in {
        "nothing\n": Reason.BLOCK,
        " " * 200_001: Reason.LONG,
        Chem.MolToMolBlock(five, kekulize=False): Reason.VALENCE,
    }.items():
        with pytest.raises(Rejected) as caught:
            canonical_of_block(block)
        assert caught.value.kind == reason


def test_rejections_travel_between_processes():
    rejected = Rejected(Reason.ELEMENT, "Si")
    again = pickle.loads(pickle.dumps(rejected))
    assert again == rejected
    assert hash(again) == hash(rejected)
    assert again != Rejected(Reason.ELEMENT, "Se")
    assert again.reason == "an element that is not allowed (Si)"

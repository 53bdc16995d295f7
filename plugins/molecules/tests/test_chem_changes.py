"""What is done to a molecule on the way to its canonical form, and that it is told."""

from __future__ import annotations

import pytest
from rdkit import Chem

from vaehub.errors import UsageError
from vaehub_molecules.chem.canonical import canonical, standardise, standardise_block
from vaehub_molecules.chem.canonical_many import standardise_all
from vaehub_molecules.chem.changes import Change
from vaehub_molecules.chem.fragments import salt_formers
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.reasons import Reason, Rejected
from vaehub_molecules.data import salts_path
from vaehub_molecules.search.pool import open_leads, open_pool

PAMOIC_ACID = "O=C(O)c1cc2ccccc2c(Cc2c(O)c(C(=O)O)cc3ccccc23)c1O"
METFORMIN = "CN(C)C(=N)N=C(N)N"
ALANINE, RACEMATE = "C[C@H](N)C(=O)O", "CC(N)C(=O)O"


def test_the_list_of_salts_holds_each_once():
    assert len(salt_formers()) == len(salts_path().read_text().splitlines()) > 120


@pytest.mark.parametrize(
    ("text", "expected", "changes"),
    [
        (f"{METFORMIN}.{PAMOIC_ACID}", METFORMIN, [Change.SALT]),
        (f"{METFORMIN}.Cl", METFORMIN, [Change.SALT]),
        ("CN(C)C(=[NH2+])N=C(N)N.OC(=O)/C=C/C(=O)[O-]", "CN(C)C(=[NH2+])N=C(N)N", [Change.SALT, Change.ION]),
        ("OC(=O)[C@H](O)[C@@H](O)C(=O)O.CN.O", "CN", [Change.SALT]),
        ("[Na+].OC(=O)c1ccccc1[O-]", "O=C(O)c1ccccc1[O-]", [Change.SALT, Change.ION]),
        ("CC(=O)O[Na]", "CC(=O)[O-]", [Change.METAL, Change.SALT, Change.ION]),
        ("CC(=O)O[Mg]OC(C)=O", "CC(=O)[O-]", [Change.METAL, Change.SALT, Change.ION]),
        ("C[Si](C)(C)C.c1ccncc1CCN.Cl", "NCCc1cccnc1", [Change.SALT, Change.MIXTURE]),
        ("CC(=O)O", "CC(=O)O", []),
        ("C1.C1", "CC", []),
        ("C[Mg]C", "C[Mg]C", []),
    ],
)
def test_the_drug_is_kept_and_not_the_larger_counter_ion(text, expected, changes):
    assert standardise(text) == (canonical(expected), tuple(changes))


def test_acids_their_salts_and_their_covalent_salts_are_one_molecule():
    texts = ["CC(=O)O[Na]", "CC(=O)[O-].[Na+]", "CC(=O)O", "CC(=O)[O-]"]
    assert {canonical(text, Policy(charges="neutralise")) for text in texts} == {"CC(=O)O"}
    assert standardise(texts[1], Policy(charges="neutralise")).changes == (Change.SALT, Change.CHARGE)
    assert canonical("CC(=O)O[Na]", Policy(metals="keep")) == "CC(=O)[O][Na]"
    assert canonical("CC(=O)O[Na]", Policy(salts="keep")) == "CC(=O)[O-].[Na+]"


def test_metals_that_are_no_ions_keep_their_bonds():
    assert standardise("N[Pt](N)(Cl)Cl") == ("[NH2][Pt]([NH2])([Cl])[Cl]", ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{ALANINE} |&1:1|", RACEMATE),
        (f"{ALANINE} |o1:1|", RACEMATE),
        (f"{ALANINE} |r|", RACEMATE),
        (f"{ALANINE}\t|$CH3;r;;;;$,r|", RACEMATE),
        (f"{ALANINE} |a:1|", ALANINE),
        (f"{ALANINE} |$r;;;;;$|", ALANINE),
        (f"{RACEMATE} |&1:1|", RACEMATE),
        ("C[C@H](O)[C@@H](C)F |&1:1|", "CC(O)[C@@H](C)F"),
        ("CCO |(0,0,;1,1,;2,2,)|", "CCO"),
    ],
)
def test_a_racemate_never_becomes_one_enantiomer(text, expected):
    found = standardise(text)
    assert found.smiles == canonical(expected)
    assert found.changes == ((Change.MIRRORED,) if "@" in text and canonical(expected) != canonical(text.split()[0]) else ())
    assert standardise_all([text]) == [found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("C/C=C/[C@H](F)N.C/C=C/[C@@H](F)N", "C/C=C/C(N)F"), ("C/C=C/[C@H](F)N.C/C=C\\[C@@H](F)N", "CC=CC(N)F")],
)
def test_a_racemate_keeps_the_double_bonds_that_both_have(text, expected):
    assert standardise(text).smiles == expected


def test_both_enantiomers_side_by_side_are_a_racemate():
    other = "C[C@@H](N)C(=O)O"
    for text in (f"{ALANINE}.{other}", f"{other}.{ALANINE}.Cl"):
        assert canonical(text) == RACEMATE
        assert Change.MIRRORED in standardise(text).changes
    assert canonical("C[C@H](O)C(=O)O.C[C@@H](O)C(=O)O") == "CC(O)C(=O)O"
    assert standardise(f"{ALANINE}.{ALANINE}") == (ALANINE, (Change.MIXTURE,))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("CCO |foo|", Reason.EXTENSION),
        ("CCO |&1:", Reason.CHARACTER),
        ("C1C |&1:1|", Reason.UNPAIRED),
        ("C==C |&1:1|", Reason.SYNTAX),
        ("CCO |Sg:n:1:3:ht|", Reason.REPEATED),
        ("CCO |LN:1:1.3|", Reason.REPEATED),
        ("*C.c1ccccc1 |m:0:2.3|", Reason.VARIABLE),
        ("CCO |^1:0|", Reason.RADICAL),
        ("CO* |$;;R1$|", Reason.DUMMY),
        ("CCO |" + "c" * 20_000 + "|", Reason.LONG),
    ],
)
def test_extensions_that_say_what_smiles_cannot(text, reason):
    with pytest.raises(Rejected) as caught:
        standardise(text)
    assert caught.value.kind == reason
    assert standardise_all([text]) == [caught.value]


def block(text):
    mol = Chem.MolFromSmiles(text)
    Chem.rdDepictor.Compute2DCoords(mol)
    return Chem.MolToV3KMolBlock(mol)


def test_mol_blocks_say_the_same():
    assert standardise_block(block(f"{ALANINE} |&1:1|")) == (RACEMATE, (Change.MIRRORED,))
    assert standardise_block(block(f"{ALANINE} |a:1|")) == (ALANINE, ())
    assert standardise_block(block(f"{METFORMIN}.{PAMOIC_ACID}")).changes == (Change.SALT,)
    with pytest.raises(Rejected, match="a repeating unit"):
        standardise_block(block("CCO |Sg:n:1:3:ht|"))
    with pytest.raises(Rejected, match="an atom or bond of a search pattern"):
        standardise_block(block("CCO").replace("V30 1 1 1 2", "V30 1 8 1 2"))


def test_isotopes():
    drop = Policy(isotopes="drop")
    for text in ("[2H]C([2H])([2H])O", "[13CH3]O", "[2H]O[13CH3]"):
        assert standardise(text, drop) == ("CO", (Change.ISOTOPE,))
    assert standardise("N[C@@H]([13CH3])C(=O)O", drop) == (ALANINE, (Change.ISOTOPE,))
    assert canonical("C[C@H]([2H])O", drop) == "CCO"


def test_isotopes_that_are_kept():
    keep = Policy(isotopes="keep")
    for text in ("[2H]C([2H])([2H])O", "[13CH3]O", "[2H]O[13CH3]", "[2H][C@@H](C)O"):
        assert standardise(text, keep) == (text, ())
    with pytest.raises(Rejected, match="no atom but hydrogen"):
        standardise("[2H][2H]", keep)


def test_tautomers():
    policy = Policy(tautomers="canonical")
    assert standardise("Oc1ccccn1", policy) == ("O=c1cccc[nH]1", (Change.TAUTOMER,))
    assert standardise("O=c1cccc[nH]1", policy) == ("O=c1cccc[nH]1", ())
    assert canonical("Oc1ccccn1") == "Oc1ccccn1"
    assert standardise(ALANINE, policy) == (ALANINE, ())
    assert canonical("C/C=C/C(C)=O", policy) == "C/C=C/C(C)=O"


def test_dropped_stereo_is_told():
    policy = Policy(stereo="drop")
    assert standardise(ALANINE, policy) == (RACEMATE, (Change.STEREO,))
    assert standardise("F/C=C/F", policy) == ("FC=CF", (Change.STEREO,))
    assert standardise(RACEMATE, policy) == (RACEMATE, ())


@pytest.mark.parametrize("option", ["metals", "isotopes", "tautomers"])
def test_choices_that_there_are_not(option):
    with pytest.raises(UsageError, match=f"{option}='never': known: "):
        Policy(**{option: "never"})


@pytest.mark.parametrize("given", [None, 5, float("nan"), b"CCO"])
def test_what_is_no_text_is_named(given):
    with pytest.raises(UsageError, match=r"pool.*SMILES strings"):
        open_pool(["CCO", given], None, Policy(), 0)
    with pytest.raises(UsageError, match=r"start.*SMILES strings"):
        open_leads([given], Policy())


def test_lists_in_python_are_told_of_changes(space):
    with pytest.warns(UserWarning, match=r"^start: 1 molecules changed: 1 salts or solvents taken away$"):
        leads = open_leads({f"{METFORMIN}.Cl": "metformin", "CCO": "ethanol"}, Policy())
    assert leads.names == ("metformin", "ethanol")
    with pytest.warns(UserWarning, match=r"^pool: 2 molecules changed: 2 salts or solvents taken away$"):
        assert open_pool(["CCO.Cl", "CCN", "CCCN.Cl"], None, Policy(), 0).smiles == ["CCO", "CCN", "CCCN"]
    with pytest.warns(UserWarning, match=r"^x: 1 molecules changed"):
        space.run.encode(["CCO.Cl", "CCN"])

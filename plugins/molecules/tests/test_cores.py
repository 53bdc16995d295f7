"""Cores with attachment points, and the search for their substituents."""

from random import Random

import pytest
from rdkit.Chem import MolFromSmiles

from vaehub.errors import UsageError
from vaehub_molecules.chem.alerts import alerts_of
from vaehub_molecules.chem.cores import Core, is_core
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.search.constraints import Constraints
from vaehub_molecules.search.decoration import child, decorated_pool
from vaehub_molecules.search.pool import Pool


@pytest.mark.parametrize(
    ("core", "molecule", "groups"),
    [
        ("*c1ccccc1", "Oc1ccccc1", {1: "*O"}),
        ("*c1ccccc1", "Oc1ccccc1C", None),  # substituted elsewhere
        ("*c1ccccc1", "c1ccc2ccccc2c1", None),  # fused
        ("[*:1]n1ccnc1", "c1c[nH]cn1", {}),  # hydrogen at the attachment point
        ("C([*:1])([*:2])c1ccccc1", "CC(O)c1ccccc1", {1: "*C", 2: "*O"}),
        ("C([*:1])([*:2])c1ccccc1", "C1CC1c1ccccc1", None),  # one substituent at both
        ("C(*)c1ccccc1", "O=Cc1ccccc1", None),  # a double bond
        ("N[C@@H]([*:1])C(=O)O", "C[C@H](N)C(=O)O", {1: "*C"}),
        ("N[C@@H]([*:1])C(=O)O", "C[C@@H](N)C(=O)O", None),  # the other enantiomer
        ("*C(=O)[O-]", "CC(=O)O", None),  # another charge
    ],
)
def test_substituents_hang_at_attachment_points_alone(core, molecule, groups):
    assert Core(core).groups(MolFromSmiles(molecule)) == groups


@pytest.mark.parametrize(
    ("core", "groups", "molecule"),
    [
        ("[*:1]c1ccc([*:2])cc1", {1: "*OC", 2: "*C#N"}, "COc1ccc(C#N)cc1"),
        ("[*:1]c1ccc([*:2])cc1", {2: "*F"}, "Fc1ccccc1"),
        ("[*:1]n1ccnc1", {}, "c1c[nH]cn1"),
        ("N[C@@H]([*:1])C(=O)O", {1: "*CO"}, "N[C@@H](CO)C(=O)O"),
        ("*c1ccccc1", {1: "no SMILES"}, "c1ccccc1"),
    ],
)
def test_a_core_is_put_together_with_substituents(core, groups, molecule):
    made = Core(core).with_groups(groups)
    assert made == molecule
    assert Core(core).match(MolFromSmiles(made))


def test_what_is_a_core():
    assert [text for text in ("*c1ccccc1", "[*:1]CO", "*", "*=C", "C*C", "c1ccccc1", "[#6]-*", "c1cc") if is_core(text)] == [
        "*c1ccccc1",
        "[*:1]CO",
    ]
    with pytest.raises(UsageError, match="attachment points as in"):
        Core("c1ccccc1")


def test_children_keep_the_core_and_change_the_rest():
    core, rng = Core("[*:1]c1ccc([*:2])nc1"), Random(0)
    pool = decorated_pool(core, Pool(["CC(=O)Nc1ccc(O)cc1", "Clc1ccccc1CN", "COc1ccc(C)nc1"]), Policy(), seed=0)
    assert len(pool) > 30
    assert "COc1ccc(C)nc1" in pool.smiles
    assert all(core.match(MolFromSmiles(smiles)) for smiles in pool.smiles)
    groups = [core.groups(MolFromSmiles(smiles)) for smiles in pool.smiles]
    children = [child(core, smiles, found, groups, rng) for smiles, found in zip(pool.smiles, groups, strict=True)]
    real = [smiles for smiles in children if smiles]
    assert len(real) > 0.9 * len(children)
    assert all(core.match(MolFromSmiles(smiles)) for smiles in real)
    assert len(set(real) - set(pool.smiles)) > len(real) / 3
    assert child(core, "CCO", None, groups, rng) == ""


def test_alerts_by_their_names():
    assert alerts_of(MolFromSmiles("O=C1C=CC(=O)C=C1"), ["pains"]) == ["pains: quinone_A(370)"]
    assert alerts_of(MolFromSmiles("CCCCCCCC[N+](C)(C)C"), ["moses"]) == ["moses: filters"]
    assert alerts_of(MolFromSmiles("Cc1ccccc1O")) == []


QUINONE, PHENOL, TOLUENE, CRESOL = "O=C1C=CC(=O)C=C1", "Oc1ccccc1", "Cc1ccccc1", "Cc1ccccc1O"


@pytest.mark.parametrize(
    ("limits", "good", "bad"),
    [
        ({"scaffold": ("c1ccccc1", "[OX2H]")}, PHENOL, TOLUENE),
        ({"scaffold": "*c1ccccc1"}, TOLUENE, CRESOL),
        ({"scaffold": ("*c1ccccc1", "O")}, PHENOL, TOLUENE),
        ({"forbid": ("[OX2H]", "N")}, TOLUENE, PHENOL),
        ({"forbid": ("[OX2H]", "N")}, TOLUENE, "Nc1ccccc1"),
        ({"alerts": ("pains",)}, PHENOL, QUINONE),
        ({"alerts": ("brenk", "moses")}, PHENOL, QUINONE),
    ],
)
def test_limits_of_groups(limits, good, bad):
    constraints = Constraints(**limits)
    assert (constraints.violation(good), constraints.violation(bad)) == ("", next(iter(limits)))


def test_similarity_to_each_of_several_leads_and_at_most():
    leads = [TOLUENE, PHENOL]
    near_both, near_one = CRESOL, "Cc1ccccc1C"
    each, most = (Constraints(**limits).with_leads(leads) for limits in ({"similarity_each": 0.4}, {"similarity_max": 0.99}))
    first, second = each.similarities(MolFromSmiles(near_both))
    assert min(first, second) >= 0.4 > min(each.similarities(MolFromSmiles(near_one)))
    assert (each.violation(near_both), each.violation(near_one)) == ("", "similarity_each")
    assert (most.violation(near_both), most.violation(TOLUENE)) == ("", "similarity_max")


def test_options_from_before_are_those_of_a_search_from_before():
    assert Constraints(scaffold="n").options() == {
        "similarity": None,
        "scaffold": "n",
        "max_heavy": None,
        "sa_max": None,
        "elements": (),
    }
    set_ = Constraints(forbid="[N+]", alerts=["pains"], similarity_max=0.9)
    assert Constraints(**set_.options()) == set_


@pytest.mark.parametrize(
    ("limits", "line"),
    [
        ({"forbid": ("c1cc",)}, "forbid='c1cc': is no SMARTS"),
        ({"forbid": ("",)}, "forbid='': every molecule has it"),
        ({"alerts": ("painz",)}, "alerts='painz'.*did you mean 'pains'"),
        ({"similarity_max": 1.2}, "similarity_max=1.2: must be from 0 to 1"),
        ({"scaffold": ("*c1ccccc1", "*C1CCCCC1")}, "several have attachment points"),
    ],
)
def test_limits_without_sense_are_refused(limits, line):
    with pytest.raises(UsageError, match=line):
        Constraints(**limits)

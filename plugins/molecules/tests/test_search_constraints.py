"""Limits on molecules, and what is said where none can keep them."""

import pytest
from rdkit import Chem

from vaehub.errors import UsageError
from vaehub_molecules.chem.sascore import sa_score
from vaehub_molecules.search.constraints import Constraints

TOLUENE, PHENOL, PYRIDINE = "Cc1ccccc1", "Oc1ccccc1", "c1ccncc1"


@pytest.mark.parametrize(
    ("limits", "good", "bad"),
    [
        ({"max_heavy": 7}, TOLUENE, "CCc1ccccc1"),
        ({"scaffold": "c1ccccc1"}, TOLUENE, PYRIDINE),
        ({"scaffold": "C[C@@H](N)C(=O)O"}, "C[C@@H](N)C(=O)O", "C[C@H](N)C(=O)O"),
        ({"scaffold": "F/C=C/F"}, "F/C=C/F", "F/C=C\\F"),
        ({"elements": ("C", "O")}, PHENOL, PYRIDINE),
        ({"sa_max": 2.0}, TOLUENE, "C[C@H]1CC[C@@H]2C[C@]12O"),
    ],
)
def test_a_molecule_is_told_which_limit_it_breaks(limits, good, bad):
    constraints = Constraints(**limits)
    assert constraints.violation(good) == ""
    assert constraints.violation(bad) == next(iter(limits))


def test_similarity_is_count_tanimoto_to_the_nearest_lead():
    constraints = Constraints(similarity=0.5).with_leads([PYRIDINE, TOLUENE])
    mol = Chem.MolFromSmiles("CCc1ccccc1")
    from rdkit.Chem.rdMolDescriptors import GetMorganFingerprint
    from rdkit.DataStructs import TanimotoSimilarity

    expected = [
        TanimotoSimilarity(GetMorganFingerprint(mol, 2), GetMorganFingerprint(Chem.MolFromSmiles(s), 2))
        for s in (PYRIDINE, TOLUENE)
    ]
    assert constraints.nearest_similarity(mol) == pytest.approx(max(expected))
    assert constraints.violation(TOLUENE) == ""
    assert constraints.violation("CCCCO") == "similarity"


def test_without_limits_nothing_is_parsed():
    assert Constraints().violation("no SMILES at all") == ""


@pytest.mark.parametrize(
    ("limits", "line"),
    [
        ({"similarity": 1.2}, "similarity=1.2: must be from 0 to 1"),
        ({"max_heavy": 0}, "max_heavy=0: must be from 1 to 1000"),
        ({"sa_max": 0.5}, "sa_max=0.5: must be from 1 to 10"),
        ({"scaffold": "c1cc"}, "scaffold='c1cc': is no SMARTS"),
        ({"scaffold": ""}, "scaffold='': every molecule has it"),
        ({"scaffold": "*"}, r"scaffold='\*': every molecule has it"),
        ({"elements": ("C", "Xx")}, "elements: 'Xx' is no element"),
    ],
)
def test_limits_without_sense_are_refused(limits, line):
    with pytest.raises(UsageError, match=line):
        Constraints(**limits)


def test_similarity_needs_a_lead():
    with pytest.raises(UsageError, match="Give the leads"):
        Constraints(similarity=0.4).with_leads([])


def test_a_lead_without_the_scaffold_is_named():
    with pytest.raises(UsageError, match=f"the lead {PYRIDINE} does not have it"):
        Constraints(scaffold="c1ccccc1").with_leads([TOLUENE, PYRIDINE])


def test_what_no_molecule_satisfies_is_named():
    constraints = Constraints(scaffold="[Se]", max_heavy=30)
    with pytest.raises(UsageError, match=r"scaffold='\[Se\]': no molecule of the pool satisfies it"):
        constraints.require_feasible([TOLUENE, PHENOL], "the pool")
    Constraints(sa_max=sa_score(Chem.MolFromSmiles(TOLUENE)) + 0.01).require_feasible([TOLUENE], "the pool")


def test_limits_may_be_kept_by_different_molecules():
    molecules = [TOLUENE, "CCO", PYRIDINE]
    Constraints(scaffold="n", max_heavy=3).require_feasible(molecules, "the pool")
    with pytest.raises(UsageError, match="max_heavy=2: no molecule of the pool"):
        Constraints(scaffold="n", max_heavy=2).require_feasible(molecules, "the pool")

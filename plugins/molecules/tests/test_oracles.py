"""Oracles: GuacaMol's scores, parameters, errors."""

import json
import pickle
from pathlib import Path

import pytest
from rdkit.Chem import CanonSmiles

from vaehub.errors import UsageError
from vaehub_molecules.oracles import ORACLES, oracle, oracle_names
from vaehub_molecules.oracles.isomers import parse_formula
from vaehub_molecules.oracles.pmo import TERMS

# 30 molecules x 20 oracles, by GuacaMol 0.5.5: benchmarks/molecules/oracle_parity.py
SCORES = json.loads(Path(__file__).with_name("oracle_scores.json").read_text())
ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


@pytest.mark.parametrize("name", TERMS)
def test_scores_are_those_of_guacamol(name):
    mine = {smiles: oracle(name).score(smiles) for smiles in SCORES}
    assert mine == pytest.approx({smiles: scores[name] for smiles, scores in SCORES.items()}, abs=1e-9)
    assert max(mine.values()) > 0.09


def test_all_twenty_are_there():
    assert len(TERMS) == 20
    assert set(TERMS) == set(SCORES[ASPIRIN])


@pytest.mark.parametrize("name", [*ORACLES, "similarity:CCO", "median:CCO,CCN", "isomers:C2H6O"])
def test_an_oracle_survives_pickling_and_says_its_formula(name):
    one = oracle(name)
    twin = pickle.loads(pickle.dumps(one))
    assert twin == one
    assert twin.score(ASPIRIN) == one.score(ASPIRIN)
    assert one.name == name
    assert "doi" in one.describe or "arXiv" in one.describe


def test_the_formula_is_spelt_out():
    assert oracle("isomers:CH4").describe.startswith("[near(#C; 1, 1) · near(#H; 4, 1) · near(atoms; 5, 2)]^(1/3)")
    assert oracle("similarity:CCO").describe.startswith("min(1, T_ECFP4(x, CCO) / 0.7)")


def test_parameters():
    assert oracle(f"similarity:{ASPIRIN}").score(ASPIRIN) == 1
    assert oracle(f"rediscovery:{ASPIRIN}").score(ASPIRIN) == 1
    assert (
        0
        < oracle(f"rediscovery:{ASPIRIN}").score("OC(=O)c1ccccc1O")
        < oracle(f"similarity:{ASPIRIN}").score("OC(=O)c1ccccc1O")
        < 1
    )
    assert oracle("isomers:C9H8O4").score(ASPIRIN) == 1
    assert oracle("isomers:C9H8O3").score(ASPIRIN) < 1
    both = oracle(f"median:{ASPIRIN},CCO").score(ASPIRIN)
    assert both == pytest.approx(oracle("rediscovery:CCO").score(ASPIRIN) ** 0.5)


def test_named_families_are_the_benchmark_where_they_meet_it():
    for name, text in (("isomers_c7h8n2o2", "isomers:C7H8N2O2"), ("celecoxib_rediscovery", None)):
        family = text or f"rediscovery:{TERMS[name].target}"
        assert [oracle(family).score(smiles) for smiles in SCORES] == [oracle(name).score(smiles) for smiles in SCORES]


def test_a_target_need_not_be_canonical():
    assert oracle("rediscovery:C(O)C").score(CanonSmiles("C(O)C")) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("qwd", "did you mean 'qed'"),
        ("rediscovery", "did you mean 'rediscovery:'"),
        ("similarity:C1CC", "C1CC"),
        ("similarity:", "empty"),
        ("median:CCO", "two"),
        ("isomers:", "no molecular formula"),
        ("isomers:c2h6", "no molecular formula"),
        ("isomers:C2Xx6", "'Xx' is no element"),
        ("isomers:C-2", "no molecular formula"),
    ],
)
def test_what_is_no_oracle_is_told(text, said):
    with pytest.raises(UsageError, match="(?s)" + said.replace("(", r"\(")) as error:
        oracle(text)
    assert "\n" not in str(error.value)


def test_an_unreadable_molecule_is_an_error_not_a_score():
    with pytest.raises(ValueError, match="cannot read 'C1CC'"):
        oracle("qed").score("C1CC")


def test_a_formula_may_name_an_element_twice():
    assert parse_formula("CH3CH2OH") == {"C": 2, "H": 6, "O": 1}


def test_every_name_is_offered():
    assert set(oracle_names()) == {*ORACLES, "similarity:", "rediscovery:", "isomers:", "median:"}

"""Objectives of the user's own, and several at once."""

import math
import pickle
import subprocess
import sys

import pytest

from vaehub.errors import UsageError
from vaehub_molecules.oracles import Oracle, as_oracle, load_objective, oracle, weighted

MODULE = '''
def carbons(smiles):
    """How many
    carbons."""
    return smiles.count("C")

limit = 3
'''


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "my_scores.py").write_text(MODULE)
    (tmp_path / "my_broken.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return "my_scores"


def length(smiles: str) -> float:
    """The number of characters."""
    return len(smiles)


def test_a_function_by_its_text(module):
    one = load_objective(f"{module}:carbons")
    assert one.score("CCO") == 2.0
    assert isinstance(one.score("CCO"), float)
    assert one.describe == "How many carbons."


def test_it_is_found_again_in_another_process(module):
    code = "import pickle, sys; print(pickle.loads(bytes.fromhex(sys.argv[1])).score('CCO'))"
    given = pickle.dumps(load_objective(f"{module}:carbons")).hex()
    done = subprocess.run([sys.executable, "-c", code, given], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2.0"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("my_missing:score", "ModuleNotFoundError: No module named 'my_missing'"),
        ("my_scores:nothing", "AttributeError"),
        ("my_broken:score", "ZeroDivisionError"),
        ("my_scores:limit", "no function but int"),
        ("my_scores:", "no objective called 'my_scores:'"),
    ],
)
def test_what_cannot_be_imported_is_told(module, text, said):
    with pytest.raises(UsageError, match=said) as error:
        load_objective(text)
    assert "\n" not in str(error.value)


def test_names_come_before_modules():
    assert load_objective("qed") is oracle("qed")
    assert load_objective("isomers:C2H6O") == oracle("isomers:C2H6O")


def test_whatever_is_an_objective_becomes_an_oracle():
    assert as_oracle("qed") is oracle("qed")
    assert as_oracle(oracle("qed")) is oracle("qed")
    mine = as_oracle(length)
    assert (mine.name, mine.describe, mine.score("CCO")) == ("length", "The number of characters.", 3.0)
    assert as_oracle(len).score("CC") == 2


def test_a_weighted_product():
    both = weighted([oracle("qed"), as_oracle(length)], [1, 3])
    qed = oracle("qed").score("CCO")
    assert both.score("CCO") == pytest.approx(qed**0.25 * 3**0.75)
    assert both.name == "qed^0.25 * length^0.75"
    assert weighted([oracle("qed")]).score("CCO") == pytest.approx(qed)
    assert pickle.loads(pickle.dumps(both)).score("CCO") == both.score("CCO")


def test_one_bad_score_is_enough():
    assert weighted([oracle("logp"), oracle("qed")]).score("O") == 0
    assert math.isnan(weighted([as_oracle(lambda smiles: math.nan), oracle("qed")]).score("O"))


@pytest.mark.parametrize("weights", [[], [1.0], [1.0, 0.0], [1.0, -1.0], [1.0, math.nan], [1.0, math.inf]])
def test_weights_must_fit(weights):
    with pytest.raises(UsageError, match="weight"):
        weighted([oracle("qed"), oracle("logp")], weights)


def test_a_stranger_may_write_one():
    class Mine(Oracle):
        name = "mine"
        describe = "always one"

        def score(self, smiles: str) -> float:
            return 1.0

    assert as_oracle(Mine()).score("C") == 1

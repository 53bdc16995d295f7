"""An objective may raise, hang or kill its process: it is one answer, and the others come all the same."""

import os
import time

import numpy as np
import pandas as pd
import pytest
import torch

from vaehub.errors import UsageError
from vaehub_molecules.oracles import Oracle, as_oracle, weighted
from vaehub_molecules.search import rounds
from vaehub_molecules.search.calls import Calls
from vaehub_molecules.search.goal import goal_of


def awkward(smiles):
    if smiles == "hang":
        time.sleep(600)
    if smiles == "die":
        os._exit(3)
    if smiles == "raise":
        raise RuntimeError("no\nluck")
    return float("nan") if smiles == "nan" else float(len(smiles))


def answers(molecules, count=2, seconds=30.0):
    with Calls(goal_of(awkward), count, seconds) as calls:
        found = dict(rounds.answers(calls, molecules))
    return [found[i] for i in range(len(molecules))]


@pytest.mark.parametrize("count", [0, 2])
def test_what_fails_is_an_answer(count):
    found = answers(["C", "raise", "nan", "CC"], count)
    assert [a.error for a in found] == ["", "RuntimeError: no luck", "gave nan", ""]
    assert [a.values for a in found] == [(1.0,), (), (), (2.0,)]


def test_a_call_that_hangs_or_dies_costs_nobody_else():
    found = answers(["hang", "C", "die", "CC", "die", "CCC"], seconds=0.5)
    died = "ended its process (with exit code 3)"
    assert [a.error for a in found] == ["took longer than 0.5 s", "", died, "", died, ""]
    assert [a.values for a in found[1::2]] == [(1.0,), (2.0,), (3.0,)]


class Mine(Oracle):
    """A stranger's, whose score is whatever a model gave."""

    describe = "whatever"

    def __init__(self, value):
        self.name, self.value = "mine", value

    def score(self, smiles):
        return self.value


ARRAYS = [
    np.array(3.0),
    np.array([3.0]),
    np.array([[3]]),
    torch.tensor([[3.0]]),
    pd.Series([3.0], ["a"]),
    pd.DataFrame({"a": [3.0]}),
]


@pytest.mark.parametrize("score", [3, 3.0, True + 2, np.float32(3), [3.0], *ARRAYS])
def test_a_score_is_a_number_or_an_array_of_one(score):
    assert as_oracle(lambda smiles: score).score("C") == 3.0
    assert goal_of(Mine(score))("C").values == (3.0,)
    assert weighted([Mine(score), Mine(score)]).score("C") == pytest.approx(3.0)


@pytest.mark.parametrize(
    "score", [None, [], [1, 2], np.ones(2), torch.ones(2), "high", "3", False, np.True_, [True], {"score": 1}]
)
def test_anything_else_is_no_score(score):
    with pytest.raises(TypeError, match=r"^gave .*, which is not one number$"):
        as_oracle(lambda smiles: score).score("C")
    with pytest.raises(TypeError, match="not one number"):
        goal_of(Mine(score))("C")


def test_options_without_sense_are_refused():
    with pytest.raises(UsageError, match="seconds=0: must be above 0"):
        answers(["C"], seconds=0.0)
    with pytest.raises(UsageError, match="workers=-1: must be at least 0"):
        answers(["C"], count=-1)

"""An objective may raise, hang or kill its process: it is one answer, and the others come all the same."""

import os
import time

import pytest

from vaehub.errors import UsageError
from vaehub_molecules.search.workers import Workers


def awkward(smiles):
    if smiles == "hang":
        time.sleep(600)
    if smiles == "die":
        os._exit(3)
    if smiles == "raise":
        raise RuntimeError("no\nluck")
    return (float("nan") if smiles == "nan" else float(len(smiles)),)


def answers(molecules, **options):
    with Workers(awkward, **{"count": 2, "seconds": 30.0, **options}) as workers:
        found = dict(workers.answers(molecules))
    return [found[i] for i in range(len(molecules))]


def test_every_answer_finds_its_place():
    words = ["C" * (1 + i % 7) for i in range(60)]
    assert [a.values for a in answers(words)] == [(float(len(w)),) for w in words]


@pytest.mark.parametrize("count", [0, 2])
def test_what_fails_is_an_answer(count):
    found = answers(["C", "raise", "nan", "CC"], count=count)
    assert [a.error for a in found] == ["", "RuntimeError: no luck", "gave nan", ""]
    assert [a.values for a in found] == [(1.0,), (), (), (2.0,)]


def test_a_call_that_hangs_or_dies_costs_nobody_else():
    start = time.perf_counter()
    found = answers(["hang", "C", "die", "CC", "die", "CCC"], seconds=0.5)
    assert [a.error for a in found] == ["took longer than 0.5 s", "", "ended its process", "", "ended its process", ""]
    assert [a.values for a in found[1::2]] == [(1.0,), (2.0,), (3.0,)]
    assert time.perf_counter() - start < 20


def test_nothing_is_left_running():
    with Workers(awkward, 2, 30.0) as workers:
        list(workers.answers(["C"] * 4))
        found = [w.process for w in workers.idle]
    assert found
    assert not any(process.is_alive() for process in found)


def test_closures_are_welcome():
    size = 3.0
    with Workers(lambda smiles: (size,), 1, 30.0) as workers:
        assert [a.values for _, a in workers.answers(["C"])] == [(3.0,)]


@pytest.mark.parametrize("options", [{"seconds": 0.0}, {"count": -1}])
def test_options_without_sense_are_refused(options):
    with pytest.raises(UsageError, match="seconds must be above 0, workers at least 0"):
        answers(["C"], **options)

"""A search that was killed goes on where it was, and repeats nothing."""

import json
import multiprocessing
import os
import resource
import signal
import sys
import time

import pandas as pd
import pytest
import torch

from vaehub.errors import UsageError
from vaehub_molecules.search import Hybrid, HybridOptions, optimize
from vaehub_molecules.search.evolve import Evolve

SMALL = HybridOptions(smallest=15, ratio=4, elites=20, tune_every=40, tune_on=10)
BUDGET = 100


class Power(BaseException):
    """The plug is pulled."""


def length(smiles):
    """What is maximised; a test may be told of every call, or slow it down."""
    for listener in LISTENERS:
        listener(smiles)
    return float(sum(letter.isalpha() for letter in smiles))


LISTENERS = []


@pytest.fixture
def listen(monkeypatch):
    return lambda listener: monkeypatch.setattr(sys.modules[__name__], "LISTENERS", [listener])


def shorter(smiles):
    return -length(smiles)


shorter.__name__ = "length"


def search(space, out, objective=length, **options):
    options = {"method": Hybrid(SMALL), "budget": BUDGET, "workers": 0, "pool": space.smiles[:300]} | options
    return optimize(space, objective, out=out, **options)


def same(trace):
    return trace.drop(columns="time")


@pytest.fixture(scope="module")
def whole(space, tmp_path_factory):
    return search(space, tmp_path_factory.mktemp("whole")).trace


@pytest.mark.parametrize("stops", [(3,), (20,), (37, 38), (35, 50, 99)])
def test_a_search_that_broke_off_ends_as_if_it_had_not(space, tmp_path, whole, stops, listen):
    called = []

    def fragile(smiles):
        if len(called) in left:
            left.remove(len(called))
            raise Power
        called.append(smiles)

    listen(fragile)
    left = list(stops)
    for _ in stops:
        with pytest.raises(Power):
            search(space, tmp_path)
    result = search(space, tmp_path)
    assert len(called) == len(set(called)) == BUDGET
    pd.testing.assert_frame_equal(same(result.trace), same(whole))
    assert result.trace.time.is_monotonic_increasing
    again = search(space, tmp_path)
    assert len(called) == BUDGET
    pd.testing.assert_frame_equal(again.trace, result.trace)


def slow_search(space, out, log):
    torch.set_num_threads(1)  # the parent's threads are not there after a fork

    def slow(smiles):
        time.sleep(0.01)
        with open(log, "a") as file:
            file.write(smiles + "\n")

    LISTENERS.append(slow)
    search(space, out)


def test_a_process_that_was_killed_goes_on(space, tmp_path, whole):
    log = tmp_path / "log"
    process = multiprocessing.get_context("fork").Process(target=slow_search, args=(space, tmp_path, log))
    process.start()
    while not log.exists() or log.read_text().count("\n") < 45:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    before = log.read_text().split()
    result = search(space, tmp_path)
    pd.testing.assert_frame_equal(same(result.trace), same(whole))
    kept = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text().splitlines()]
    assert 45 <= len(before) < BUDGET
    assert sum("answer" in line for line in kept) == BUDGET


def test_a_line_that_was_cut_off_is_dropped(space, tmp_path, whole):
    search(space, tmp_path)
    path = tmp_path / "calls.jsonl"
    path.write_bytes(path.read_bytes()[:-25])
    pd.testing.assert_frame_equal(same(search(space, tmp_path).trace), same(whole))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"seed": 1}, "seed=0, now 1"),
        ({"budget": 99}, "budget=100, now 99"),
        ({"objective": shorter}, "code of the objective="),
        ({"method": Evolve()}, "method="),
        ({"start": ["Cc1ccccc1"]}, "start="),
        ({"method": Hybrid(HybridOptions())}, "method options="),
    ],
)
def test_other_options_are_refused(space, tmp_path, change, word):
    search(space, tmp_path, budget=100)
    with pytest.raises(UsageError, match=word):
        search(space, tmp_path, **change)


def test_a_search_that_ended_goes_on_with_a_larger_budget(space, tmp_path, whole, listen):
    search(space, tmp_path)
    called = []
    listen(called.append)
    result = search(space, tmp_path, budget=BUDGET + 20)
    assert len(result.trace) == BUDGET + 20
    assert called == result.trace.smiles[BUDGET:].tolist()
    pd.testing.assert_frame_equal(same(result.trace[:BUDGET]), same(whole))


def lines_of(path):
    return path.read_text().splitlines()


@pytest.mark.parametrize("kind", ["answer", "round"])
def test_a_damaged_line_costs_what_it_said_and_no_more(space, tmp_path, whole, kind, listen):
    """Not the answers after it, which keep to their molecules."""
    search(space, tmp_path)
    path = tmp_path / "calls.jsonl"
    lines = lines_of(path)
    at = [number for number, line in enumerate(lines) if f'"{kind}"' in line][1]
    lines[at] = lines[at][:20]
    path.write_text("\n".join(lines) + "\n")
    called = []
    listen(called.append)
    with pytest.warns(UserWarning, match=f"left out 1 damaged lines: line {at + 1} "):
        result = search(space, tmp_path)
    assert called == ([whole.smiles[1]] if kind == "answer" else [])
    pd.testing.assert_frame_equal(values(result), values_in(whole))


def values(result):
    return values_in(result.trace)


def values_in(trace):
    """Which molecule has which score, in any order: answers of a round may come in another."""
    return trace[["smiles", "score", "by", "parent"]].sort_values("smiles", ignore_index=True)


NO_SUCH_ROUND = '{"answer": 9999, "smiles": "C", "by": "", "parent": "", "values": [1], "error": "", "seconds": 0, "time": 0}'


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"answer": 0}', NO_SUCH_ROUND])
def test_a_line_that_says_nothing_costs_nothing(space, tmp_path, whole, line):
    search(space, tmp_path)
    path = tmp_path / "calls.jsonl"
    lines = lines_of(path)
    path.write_text("\n".join([*lines[:5], line, *lines[5:]]) + "\n")
    with pytest.warns(UserWarning, match=r"calls\.jsonl: left out 1 damaged lines: line 6 "):
        result = search(space, tmp_path)
    pd.testing.assert_frame_equal(same(result.trace), same(whole))


def test_a_full_disk_costs_one_call(space, tmp_path, whole):
    """It is said which file could not be written, and the search goes on from there when there is room again."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, before[1]))
    try:
        with pytest.raises(OSError, match=r"calls\.jsonl"):
            search(space, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    pd.testing.assert_frame_equal(same(search(space, tmp_path).trace), same(whole))


@pytest.mark.parametrize("workers", [0, 2])
def test_an_objective_that_always_fails_is_hopeless_after_twenty_calls(space, tmp_path, workers):
    log = tmp_path / "log"

    def broken(smiles):
        with log.open("a") as file:
            file.write("x")
        raise ValueError("no licence")

    with pytest.raises(UsageError, match=r"none of the first 20 calls gave a value; the first was .*: ValueError: no licence"):
        search(space, tmp_path, broken, workers=workers, budget=1000, method=Hybrid(HybridOptions()))
    assert 20 <= len(log.read_text()) <= 20 + 2 * workers  # those that were under way

"""A search that was killed goes on where it was, and repeats nothing."""

import json
import multiprocessing
import os
import signal
import time

import pandas as pd
import pytest
import torch

from vaehub.errors import UsageError
from vaehub_molecules.search import Hybrid, Knobs, optimize
from vaehub_molecules.search.evolve import Evolve

SMALL = Knobs(initial=20, batch=15, candidates=60, screen=200, screens=2, elites=20, tune_every=40, tune_on=10)
BUDGET = 100


class Power(BaseException):
    """The plug is pulled."""


def length(smiles):
    return float(sum(letter.isalpha() for letter in smiles))


def search(codec, out, objective=length, **options):
    options = {"method": Hybrid(SMALL), "budget": BUDGET, "workers": 0, "pool": codec.smiles[:300]} | options
    return optimize(codec, objective, out=out, **options)


def same(trace):
    return trace.drop(columns="time")


@pytest.fixture(scope="module")
def whole(codec, tmp_path_factory):
    return search(codec, tmp_path_factory.mktemp("whole")).trace


@pytest.mark.parametrize("stops", [(3,), (20,), (37, 38), (35, 50, 99)])
def test_a_search_that_broke_off_ends_as_if_it_had_not(codec, tmp_path, whole, stops):
    called = []

    def fragile(smiles):
        if len(called) in left:
            left.remove(len(called))
            raise Power
        called.append(smiles)
        return length(smiles)

    fragile.__name__ = "length"
    left = list(stops)
    for _ in stops:
        with pytest.raises(Power):
            search(codec, tmp_path, fragile)
    result = search(codec, tmp_path, fragile)
    assert len(called) == len(set(called)) == BUDGET
    pd.testing.assert_frame_equal(same(result.trace), same(whole))
    assert result.trace.time.is_monotonic_increasing
    again = search(codec, tmp_path, fragile)
    assert len(called) == BUDGET
    pd.testing.assert_frame_equal(again.trace, result.trace)


def slow_search(codec, out, log):
    torch.set_num_threads(1)  # the parent's threads are not there after a fork

    def slow(smiles):
        time.sleep(0.01)
        with open(log, "a") as file:
            file.write(smiles + "\n")
        return length(smiles)

    slow.__name__ = "length"
    search(codec, out, slow)


def test_a_process_that_was_killed_goes_on(codec, tmp_path, whole):
    log = tmp_path / "log"
    process = multiprocessing.get_context("fork").Process(target=slow_search, args=(codec, tmp_path, log))
    process.start()
    while not log.exists() or log.read_text().count("\n") < 45:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    before = log.read_text().split()
    result = search(codec, tmp_path)
    pd.testing.assert_frame_equal(same(result.trace), same(whole))
    kept = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text().splitlines()]
    assert 45 <= len(before) < BUDGET
    assert sum("place" in line for line in kept) == BUDGET


def test_a_line_that_was_cut_off_is_dropped(codec, tmp_path, whole):
    search(codec, tmp_path)
    path = tmp_path / "calls.jsonl"
    path.write_bytes(path.read_bytes()[:-25])
    pd.testing.assert_frame_equal(same(search(codec, tmp_path).trace), same(whole))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"seed": 1}, "seed=0, now 1"),
        ({"budget": 99}, "budget=100, now 99"),
        ({"method": Evolve()}, "method="),
        ({"start": ["Cc1ccccc1"]}, "start="),
        ({"method": Hybrid(Knobs())}, "method options="),
    ],
)
def test_other_options_are_refused(codec, tmp_path, change, word):
    search(codec, tmp_path, budget=100)
    with pytest.raises(UsageError, match=word):
        search(codec, tmp_path, **change)


@pytest.mark.parametrize(
    "line", ["nonsense", "[]", '{"place": 0}', '{"place": 99999, "values": [1], "error": "", "seconds": 0, "time": 0}']
)
def test_a_damaged_file_is_told_with_its_line(codec, tmp_path, line):
    search(codec, tmp_path)
    path = tmp_path / "calls.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:5], line, *lines[5:]]) + "\n")
    with pytest.raises(UsageError, match=r"calls.jsonl:6: damaged"):
        search(codec, tmp_path)

"""The digests by which a job knows that it is the same as before."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from functools import partial

import numpy as np
import pytest
import torch

from vaehub.jobs.definitions import definitions_of
from vaehub.jobs.identity import digest, digest_of_code, digest_of_model

BASE = """
import math
LIMIT = 3
calls = 0

def inner(text):
    return len(text) + LIMIT

def score(text):
    global calls
    calls += 1
    return math.sqrt(inner(text))

def unrelated():
    return 1
"""


def module(tmp_path, text, name="objective"):
    path = tmp_path / f"{name}{len(list(tmp_path.iterdir()))}.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location("objective", path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_a_function_is_known_by_what_it_computes(tmp_path):
    base = module(tmp_path, BASE)
    first = digest_of_code(base.score)
    base.score("abc")  # counts its calls
    assert digest_of_code(base.score) == first
    assert digest_of_code(module(tmp_path, "# moved\n" + BASE.replace("return 1", "return 2")).score) == first
    for old, new in [("sqrt", "log"), ("+ LIMIT", "- LIMIT"), ("LIMIT = 3", "LIMIT = 4")]:
        assert digest_of_code(module(tmp_path, BASE.replace(old, new)).score) != first


class Scaled:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, text):
        return self.factor * len(text)

    def method(self, text):
        return self.factor * len(text)


def closing(over):
    return lambda text: text.count(over)


def test_values_that_a_callable_holds_count():
    def power(base, exponent):
        return base**exponent

    makers = (closing, Scaled, lambda value: Scaled(value).method, lambda value: partial(power, exponent=value))
    for make in makers:
        assert digest_of_code(make(2)) == digest_of_code(make(2))
        assert digest_of_code(make(2)) != digest_of_code(make(3))
    assert digest_of_code(len) != digest_of_code(max)


CHEMISTRY = """
WEIGHT = 2

def base(text):
    return WEIGHT * len(text)
"""
USING = """
import re
from functools import cache
import numpy as np
import near_here as chemistry
from near_here import base

PATTERN = re.compile("c1")
WEIGHTS = {"logp": 1.0}
SIZES = np.array([3, 4])
SEEN = []
FACTOR = 5
SCALE = np.float64(FACTOR)
with open(__file__) as file:
    FIRST = tuple(file.readline())

class Penalty:
    strength = 7
    def __call__(self, text):
        return self.strength * twice(text)

def twice(text):
    return 2 * len(text)

@cache
def slow(text):
    return 11 * len(text)

def built():
    return {"thirteen": 13}

TABLE = built()

def score(text):
    SEEN.append(text)
    found = PATTERN.search(text) is not None
    return found + WEIGHTS["logp"] + SIZES.sum() + SCALE + Penalty()(text) + slow(text) + TABLE["thirteen"] + base(text) + len(FIRST)

def by_module(text):
    return chemistry.base(text)

class Scorer:
    def score(self, text):
        return self.part(text)
    def part(self, text):
        return 17 * len(text)

cached = cache(lambda text: 19)
"""
CHANGES = {
    "score": ['"c1"', "1.0", "3, 4", "FACTOR = 5", "open(__file__)", "strength = 7", "2 * len", "11 * len", "13}"],
    "by_module": [],
    "scorer": ["17 * len"],
    "cached": ["19"],
}


def loaded(path, text):
    """A module of the user's."""
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    made = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def digests(folder, text, chemistry=CHEMISTRY):
    """Of every objective of a module of the user's beside another one."""
    folder.mkdir()
    loaded(folder / "near_here.py", chemistry)
    using = loaded(folder / "using.py", text)
    functions = {"score": using.score, "by_module": using.by_module, "scorer": using.Scorer().score, "cached": using.cached}
    before = {name: digest_of_code(function) for name, function in functions.items()}
    using.score("text")
    assert {name: digest_of_code(function) for name, function in functions.items()} == before, "a call changed the digest"
    return before


def changed(before, after):
    return {name for name in before if before[name] != after[name]}


@pytest.fixture(autouse=True)
def _same_modules(monkeypatch):
    monkeypatch.setattr(sys, "modules", dict(sys.modules))


def test_all_that_a_function_rests_on_is_noticed(tmp_path):
    first = digests(tmp_path / "a", USING)
    assert not changed(first, digests(tmp_path / "b", "# a remark\n" + USING))
    for number, (name, old) in enumerate((name, old) for name, texts in CHANGES.items() for old in texts):
        new = "open(__file__, encoding='utf-8')" if "open" in old else re.sub(r"\d", "8", old)
        assert USING.count(old) == 1
        assert changed(first, digests(tmp_path / f"c{number}", USING.replace(old, new))) == {name}, old
    for number, (old, new) in enumerate([("WEIGHT = 2", "WEIGHT = 3"), ("WEIGHT *", "WEIGHT +")]):
        after = digests(tmp_path / f"d{number}", USING, CHEMISTRY.replace(old, new))
        assert changed(first, after) == {"score", "by_module"}, old


def test_what_is_installed_is_not_read():
    assert definitions_of(json.dumps) == definitions_of(np.linalg.norm) == definitions_of(partial(np.sum, axis=0)) == []


def test_code_without_a_file_has_nothing_to_read():
    scope = {}
    exec("import re\nPATTERN = re.compile('a')\ndef score(text): return PATTERN.search(text)", scope)
    assert definitions_of(scope["score"]) == []


def test_a_model_is_its_config_and_its_numbers():
    weights = {"b": torch.ones(2), "a": torch.zeros(())}
    same = dict(reversed(weights.items()))
    first = digest_of_model({"latent": 2, "x": 1}, weights)
    assert digest_of_model({"x": 1, "latent": 2}, same) == first
    assert digest_of_model({"latent": 3, "x": 1}, weights) != first
    assert digest_of_model({"latent": 2, "x": 1}, weights | {"b": torch.ones(2).double()}) != first
    assert digest_of_model({"latent": 2, "x": 1}, weights | {"a": torch.full((), -0.0)}) != first


def test_parts_are_kept_apart():
    assert digest(["ab", "c"]) != digest(["a", "bc"])
    assert digest([b"ab"]) == digest(["ab"])

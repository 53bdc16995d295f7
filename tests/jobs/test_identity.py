"""The digests by which a job knows that it is the same as before."""

from __future__ import annotations

import importlib.util
from functools import partial

import torch

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

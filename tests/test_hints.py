"""Advice in messages: other names of the field, numbers written otherwise, spelling, and the list where nothing is near."""

from __future__ import annotations

import pytest

from vaehub.hints import ALIASES, did_you_mean
from vaehub.host.registry import registry

LIKELIHOODS = ["bernoulli", "implicit_gaussian", "laplace", "normal", "student_t"]


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("gaussian", LIKELIHOODS, "did you mean 'normal'?"),
        ("Gaussian", LIKELIHOODS, "did you mean 'normal'?"),
        ("mse", LIKELIHOODS, "did you mean 'normal'?"),
        ("l2", LIKELIHOODS, "did you mean 'normal'?"),
        ("bce", LIKELIHOODS, "did you mean 'bernoulli'?"),
        ("binary-cross-entropy", LIKELIHOODS, "did you mean 'bernoulli'?"),
        ("nromal", LIKELIHOODS, "did you mean 'normal'?"),
        ("zzz", LIKELIHOODS, "known: bernoulli, implicit_gaussian, laplace, normal, student_t"),
        ("Noir film 1", ["Noir film 01", "Noir film 11", "Noir film 21"], "did you mean 'Noir film 01'?"),
        ("noir film 21", ["Noir film 01", "Noir film 21"], "did you mean 'Noir film 21'?"),
        ("007", ["7", "70"], "did you mean '7'?"),
        ("x", [], "known: none"),
        ("x", [f"name{i}" for i in range(100)], ", … (100 in all)"),
    ],
)
def test_advice(word, known, said):
    assert did_you_mean(word, known).endswith(said)


def test_every_alias_leads_to_a_part_or_a_word_of_the_engine():
    words = {key.partition("/")[2] for key in registry().components} | {"relu", "silu", "elu", "train", "val", "test"}
    assert {name for names in ALIASES.values() for name in names} <= words
    assert not ALIASES.keys() & words

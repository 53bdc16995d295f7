"""The examples in docstrings run, and whatever the package offers has one."""

import doctest
import inspect
from importlib import import_module

import pytest

from vaehub_recommender.plugin import vaehub_components
from vaehub_recommender.recommender import Recommender

PARTS = {path.partition(":")[0] for path in vaehub_components().values()}
FUNCTIONS = {"judge.judged", "judge.metrics", "judge.protocols", "judge.splits_together", "leakage", "splits", "tables.columns", "tables.histories"}
FUNCTIONS |= {"tables.cleaning", "tables.ids", "tables.reading", "tables.stream", "rank", "recommender", "closed_form"}
MODULES = sorted(PARTS | {f"vaehub_recommender.{name}" for name in FUNCTIONS})


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    tried = doctest.testmod(import_module(name))
    assert tried.attempted > 0
    assert tried.failed == 0


def test_every_method_of_the_recommender_says_what_it_takes_and_gives():
    for name, method in inspect.getmembers(Recommender, callable):
        if not name.startswith("_") and name in vars(Recommender):
            text = inspect.getdoc(method)
            assert ">>>" in text, name
            assert "Arguments:" in text or len(inspect.signature(method).parameters) <= 1, name

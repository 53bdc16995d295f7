"""Whatever the package offers has an example, which pytest runs with the doctests."""

import inspect
from importlib import import_module

import pytest

from vaehub_recommender.plugin import vaehub_components
from vaehub_recommender.recommender import Recommender


@pytest.mark.parametrize("path", sorted(set(vaehub_components().values())))
def test_every_registered_component_has_an_example(path):
    module, _, name = path.partition(":")
    assert ">>>" in inspect.getdoc(getattr(import_module(module), name))


def test_every_method_of_the_recommender_says_what_it_takes_and_gives():
    methods = {name: method for name, method in inspect.getmembers(Recommender, callable) if name in vars(Recommender)}
    for name, method in methods.items():
        if not name.startswith("_"):
            text = inspect.getdoc(method)
            assert ">>>" in text, name
            assert "Arguments:" in text or list(inspect.signature(method).parameters) == ["self"], name

"""Whatever the package registers has an example, which pytest runs with the doctests."""

import inspect
from importlib import import_module

import pytest

from vaehub_images.plugin import vaehub_components


@pytest.mark.parametrize("path", sorted(set(vaehub_components().values())))
def test_every_registered_component_has_an_example(path):
    module, _, name = path.partition(":")
    assert ">>>" in inspect.getdoc(getattr(import_module(module), name))

"""The examples in docstrings run, and whatever the package registers has one."""

import doctest
import inspect
import pkgutil
from importlib import import_module

import pytest

import vaehub_images
from vaehub_images.plugin import vaehub_components

MODULES = sorted(module.name for module in pkgutil.walk_packages(vaehub_images.__path__, "vaehub_images."))


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    assert doctest.testmod(import_module(name)).failed == 0


@pytest.mark.parametrize("path", sorted(set(vaehub_components().values())))
def test_every_registered_component_has_an_example(path):
    module, _, name = path.partition(":")
    assert ">>>" in inspect.getdoc(getattr(import_module(module), name))

"""What the docstrings of the public surface must say; their examples are run by pytest's `--doctest-modules`."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import types
from collections.abc import Iterator
from dataclasses import is_dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path

import pytest

import vaehub
from vaehub.config.docstrings import arguments_of
from vaehub.host.builtin import vaehub_components

ROOT = Path(__file__).parents[1]
FACILITIES = ("files", "jobs", "report", "arguments", "hints", "sparse", "cli.common")
NOT_BUILT_BY_HAND = {"Run", "TrainedModel"}  # `train` and `load` give one


def sources() -> Iterator[tuple[str, str]]:
    """Every module of the engine and the plugins by its dotted name, with its source."""
    for root in (ROOT, *(ROOT / "plugins").iterdir()):
        for path in root.glob("vaehub*/**/*.py"):
            yield ".".join(path.relative_to(root).with_suffix("").parts), path.read_text("utf-8")


def imported_from(room: str) -> Iterator[tuple[str, str, str]]:
    """(importer, module, name) of every import from this room by a module outside of it."""
    inside = f"vaehub.{room}."
    for importer, source in sources():
        if f"{importer}.".startswith(inside):
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(inside):
                yield from ((importer, str(node.module), alias.name) for alias in node.names)


def documented(thing: object) -> bool:
    """Whether it is a function or a class, which can have a docstring of its own."""
    return isinstance(thing, type | types.FunctionType)


def facilities() -> dict[str, tuple[object, bool]]:
    """Functions and classes that the facilities offer or that others import from them, and whether plugins call them."""
    found: dict[str, tuple[object, bool]] = {}
    for room in FACILITIES:
        home = import_module(f"vaehub.{room}")
        offered = [("vaehub_", f"vaehub.{room}", name) for name in vars(home).get("__all__", ())]
        for importer, module, name in [*imported_from(room), *offered]:
            thing = getattr(import_module(module), name, None)
            if documented(thing):
                key = f"{thing.__module__}.{thing.__qualname__}"
                found[key] = thing, importer.startswith("vaehub_") or found.get(key, (None, False))[1]
    return found


def parts() -> dict[str, object]:
    """The parts that ship with the engine."""
    homes = (path.split(":") for path in vaehub_components().values())
    return {f"{module}.{name}": getattr(import_module(module), name) for module, name in homes}


TOP = {f"vaehub.{name}": getattr(vaehub, name) for name in vaehub.__all__ if documented(getattr(vaehub, name))}
PARTS = parts()
FACILITY = facilities()
PUBLIC = TOP | PARTS | {key: thing for key, (thing, _) in FACILITY.items()}
FUNCTIONS_OF_PLUGINS = {key for key, (thing, called) in FACILITY.items() if called and not isinstance(thing, type)}


def parameters(thing: object) -> list[str]:
    """What a caller gives: of a part the options, of an abstract class nothing, of all else every argument."""
    if isinstance(thing, type) and (issubclass(thing, BaseException | Enum) or inspect.isabstract(thing)):
        return []
    given = inspect.signature(thing).parameters.values()
    if thing in PARTS.values():
        return [p.name for p in given if p.kind is inspect.Parameter.KEYWORD_ONLY]
    return [] if thing.__name__ in NOT_BUILT_BY_HAND else [p.name for p in given]


def refuses(thing: object) -> bool:
    """Whether its own body, or that of its constructor, raises UsageError."""
    constructor = "__post_init__" if is_dataclass(thing) else "__init__"
    own = vars(thing).get(constructor) if isinstance(thing, type) else inspect.unwrap(thing)
    if own is None:
        return False
    tree = ast.parse(textwrap.dedent(inspect.getsource(own)))
    raised = (ast.unparse(node.exc) for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc)
    return any(re.match(r"(UsageError|refused)\(", text) for text in raised)


def returns(thing: object) -> bool:
    """Whether what a function returns needs words: several things, or perhaps nothing."""
    if isinstance(thing, type):
        return False
    returned = str(inspect.signature(thing).return_annotation)
    return returned.startswith("tuple[") or returned.endswith("| None")


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_a_docstring_says_what_a_caller_must_know(name):
    thing = PUBLIC[name]
    doc = vars(thing).get("__doc__") if isinstance(thing, type) else thing.__doc__
    assert doc
    first, _, rest = inspect.cleandoc(doc).partition("\n")
    assert first.endswith((".", ":", "?", "…"))
    assert not rest or rest.startswith("\n"), "one line first, then an empty one"
    assert list(arguments_of(doc)) == parameters(thing), "one entry an argument, in their order"
    assert not returns(thing) or "\nReturns:\n" in rest
    assert not refuses(thing) or re.search(r"\nRaises:\n(    .*\n)*    UsageError: .", rest)


@pytest.mark.parametrize("name", sorted({*TOP, *FUNCTIONS_OF_PLUGINS}))
def test_a_docstring_has_an_example(name):
    thing = PUBLIC[name]
    assert ">>>" in inspect.getdoc(thing)


def test_the_public_surface_was_found():
    assert len(TOP) > 30
    assert len(PARTS) == len(set(vaehub_components().values()))
    assert len(FUNCTIONS_OF_PLUGINS) > 40

"""What the docstrings of the public surface must say; their examples are run by pytest's `--doctest-modules`."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import types
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import vaehub
from vaehub.config.docstrings import arguments_of
from vaehub.host.builtin import vaehub_components

ROOT = Path(__file__).parents[1]
FACILITIES = ("files", "jobs", "report", "arguments", "hints", "sparse", "cli.common")
CONSTRUCTORS_OF_OTHERS = {  # what a plugin never calls itself: the engine builds it, and `__init__` takes what the base class says
    "Run",
    "TrainedModel",
}


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
        offered = [("vaehub_", f"vaehub.{room}", name) for name in (vars(home).get("__all__", ()) if room != "cli.common" else ())]
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
CALLED_BY_PLUGINS = {key for key, (_, called) in FACILITY.items() if called}


def parameters(thing: object) -> list[str]:
    """What a caller gives: of a part the options, of an abstract class nothing, of all else every argument."""
    if inspect.isabstract(thing) or (isinstance(thing, type) and issubclass(thing, BaseException)):
        return []
    if thing.__name__ in CONSTRUCTORS_OF_OTHERS:
        return []
    given = inspect.signature(thing).parameters.values()
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    if thing in PARTS.values():
        return [p.name for p in given if p.kind is inspect.Parameter.KEYWORD_ONLY]
    return [p.name for p in given if p.kind not in kinds and not p.name.startswith("_")]


def refuses(thing: object) -> bool:
    """Whether its own body, or that of its constructor, raises UsageError."""
    own = vars(thing).get("__init__") if isinstance(thing, type) else thing
    if not isinstance(own, types.FunctionType):
        return False
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(own))))
    raised = (ast.unparse(node.exc) for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc)
    return any(re.match(r"(UsageError|refused)\(", text) for text in raised)


def returns(thing: object) -> bool:
    """Whether what a function returns needs words: several things, or perhaps nothing."""
    if isinstance(thing, type):
        return False
    returned = str(inspect.signature(thing).return_annotation)
    return returned.startswith("tuple[") or (returned != "None" and "None" in returned)


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
    assert not refuses(thing) or re.search(r"\nRaises:\n    UsageError: .", rest)


@pytest.mark.parametrize("name", sorted({*TOP, *CALLED_BY_PLUGINS}))
def test_a_docstring_has_an_example(name):
    thing = PUBLIC[name]
    assert ">>>" in inspect.getdoc(thing) or isinstance(thing, type) and name not in TOP


def test_the_public_surface_was_found():
    assert len(TOP) > 30
    assert len(PARTS) == len(set(vaehub_components().values()))
    assert len(CALLED_BY_PLUGINS) > 60

"""What a function rests on beyond its own module's functions and plain values: other modules of the user's, classes, and what is made on import.

Statements are read from the file, not from memory: a list that a function fills as it runs does not make it another function.
"""

from __future__ import annotations

import ast
import inspect
import sys
import sysconfig
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias

from vaehub.jobs.functions import PLAIN, cells_of, source_of, variables

Scope: TypeAlias = dict[str, Any]  # the global variables of a module
INSTALLED = {"site-packages", "dist-packages"}
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


def definitions_of(function: Callable[..., Any]) -> list[str]:
    """Source and values that decide what a function gives and that are neither its own nor those of functions beside it.

    Of what is installed nothing is read, and nothing of files of data.

    Arguments:
        function: of Python, or a method, a partial or an object that can be called.

    >>> definitions_of(len)
    []
    """
    seen: set[object] = set()
    if isinstance(function, partial):
        return definitions_of(function.func)
    if isinstance(function, MethodType) and isinstance(function.__func__, FunctionType):
        own, beside = function.__func__, methods(type(function.__self__))
        called = [beside[name] for name in own.__code__.co_names if name in beside and beside[name] is not own]
        return of_function(own, True, seen) + [text for each in called for text in of_function(each, False, seen)]
    if isinstance(original := inspect.unwrap(function), FunctionType):
        return of_function(original, original is function, seen)
    return of_methods(type(function), seen)


def of_function(function: FunctionType, counted: bool, seen: set[object]) -> list[str]:
    """A function, unless its source and plain values are counted elsewhere, and what it reads."""
    if function in seen or is_installed(function.__globals__):
        return []
    seen.add(function)
    return ([] if counted else source_of(function)) + of_variables(function, counted, seen)


def of_methods(kind: type, seen: set[object]) -> list[str]:
    """What the methods of a class read."""
    return [
        text for each in methods(kind).values() if not is_installed(each.__globals__) for text in of_variables(each, False, seen)
    ]


def methods(kind: type) -> dict[str, FunctionType]:
    """Methods of a class by name, without those of its bases."""
    return {name: value for name, value in vars(kind).items() if isinstance(value, FunctionType)}


def of_variables(function: FunctionType, counted: bool, seen: set[object]) -> list[str]:
    """The variables that a function reads and does not set: global ones, and functions that enclosing functions hold."""
    scope, (reads, writes) = function.__globals__, variables(function.__code__)
    held = [value for name, value in cells_of(function).items() if name not in writes and isinstance(value, FunctionType)]
    texts = [text for value in held if is_near(value.__globals__, scope) for text in of_function(value, counted, seen)]
    return texts + of_names(reads - writes, scope, counted, seen)


def of_names(names: Iterable[str], scope: Scope, counted: bool, seen: set[object]) -> list[str]:
    """Global variables of a module, in the order of their names; builtins and where the module lies (`__file__`) are left out."""
    return [
        text
        for name in sorted(names)
        if name in scope and not name.startswith("__")
        for text in of_name(name, scope, counted, seen)
    ]


def of_name(name: str, scope: Scope, counted: bool, seen: set[object]) -> list[str]:
    """One global variable of a module."""
    value = scope[name]
    original = inspect.unwrap(value) if callable(value) else value  # of a decorated function
    match original:
        case FunctionType():
            beside = original is value and original.__globals__ is scope
            return of_function(original, counted and beside, seen) if is_near(original.__globals__, scope) else []
        case type() | ModuleType():
            return of_class_or_module(original, scope, seen)
    if isinstance(value, PLAIN):
        return [] if counted else [f"{name} = {value!r}"]
    return of_statements(name, scope, seen)


def of_class_or_module(thing: type | ModuleType, scope: Scope, seen: set[object]) -> list[str]:
    """The source of a class, with what its methods read, or of a module."""
    module = thing if isinstance(thing, ModuleType) else sys.modules.get(thing.__module__)
    if thing in seen or module is None or not is_near(vars(module), scope):
        return []
    seen.add(thing)
    if isinstance(thing, type):
        return source_of(thing) + of_methods(thing, seen)
    return [ast.unparse(statement) for statement in statements(vars(thing))]


def of_statements(name: str, scope: Scope, seen: set[object]) -> list[str]:
    """The statements of a module that set a variable, with all that these read."""
    found: list[str] = []
    for statement in statements(scope):
        names = [] if isinstance(statement, DEFINITIONS) else [each for each in ast.walk(statement) if isinstance(each, ast.Name)]
        sets = {each.id for each in names if isinstance(each.ctx, ast.Store)}
        if name in sets and (text := ast.unparse(statement)) not in seen:
            seen.add(text)
            found += [text, *of_names({each.id for each in names} - sets, scope, False, seen)]
    return found


def statements(scope: Scope) -> list[ast.stmt]:
    """Those of a module's file; none where it has no file that can be read as Python, as what was typed at a prompt."""
    try:
        return ast.parse(Path(str(scope.get("__file__") or "")).read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return []


def is_installed(scope: Scope) -> bool:
    """Whether a module is of a package or of Python, rather than the user's."""
    path = Path(str(scope.get("__file__") or ""))
    return bool(INSTALLED & {*path.parts}) or path.is_relative_to(sysconfig.get_path("stdlib"))


def is_near(scope: Scope, other: Scope) -> bool:
    """Whether a module is another itself, or lies in the folder of the other or of its package and is not installed there."""
    if scope is other:
        return True
    if not scope.get("__file__") or not other.get("__file__") or is_installed(scope):
        return False
    path, beside = (Path(each["__file__"]).resolve() for each in (scope, other))
    depth = str(other.get("__name__")).count(".") + (beside.stem == "__init__")
    return path.is_relative_to(beside.parents[min(depth, len(beside.parents) - 1)])

"""Python functions as text: their source, and the plain values that they read."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterable
from functools import partial
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType
from typing import Any

PLAIN = (str, int, float, bool, bytes, type(None))


def code_of(function: Callable[..., Any], seen: set[int]) -> list[str]:
    """Sources and values of a function and of what it uses."""
    match function:
        case partial():
            return code_of(function.func, seen) + plain([*function.args, *function.keywords.values()])
        case MethodType():
            return code_of(function.__func__, seen) + plain(attributes(function.__self__))
        case FunctionType():
            return [] if id(function) in seen else code_of_function(function, seen | {id(function)})
        case BuiltinFunctionType():
            return [f"{function.__module__}.{function.__qualname__}"]
    return source_of(type(function)) + plain(attributes(function))


def code_of_function(function: FunctionType, seen: set[int]) -> list[str]:
    """The same for one that is written in Python. Variables that it sets itself, such as counters, are left out."""
    reads, writes = variables(function.__code__)
    held = [value for name, value in cells_of(function).items() if name not in writes]
    used = [function.__globals__[name] for name in sorted(reads - writes) if name in function.__globals__]
    own = [value for value in [*used, *held] if isinstance(value, FunctionType) and value.__module__ == function.__module__]
    found = source_of(function) + plain([*held, *(function.__defaults__ or ()), *used])
    return found + [text for each in own for text in code_of(each, seen)]


def cells_of(function: FunctionType) -> dict[str, Any]:
    """Variables of enclosing functions that a function uses, as far as they have a value yet."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {name: cell.cell_contents for name, cell in cells if filled(cell)}


def source_of(thing: Any) -> list[str]:
    """The text of a function or class; the instructions where there is no text, as of what was typed at a prompt."""
    try:
        return [inspect.getsource(thing)]
    except (OSError, TypeError):
        return [dis.Bytecode(thing).dis()] if isinstance(thing, FunctionType) else [f"{thing.__module__}.{thing.__qualname__}"]


def plain(values: Iterable[Any]) -> list[str]:
    """Numbers and texts among values; of others nothing lasting is known."""
    return [repr(value) for value in values if isinstance(value, PLAIN)]


def attributes(thing: Any) -> list[Any]:
    """Values of an object's attributes."""
    try:
        return list(vars(thing).values())
    except TypeError:
        return []


def variables(code: CodeType) -> tuple[set[str], set[str]]:
    """Names of the global variables that code reads, and of those, or of enclosing functions, that it sets; inner functions included."""
    reads, writes = set(), set()
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            reads.add(str(step.argval))
        elif step.opname in ("STORE_GLOBAL", "STORE_DEREF"):
            writes.add(str(step.argval))
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            more = variables(inner)
            reads, writes = reads | more[0], writes | more[1]
    return reads, writes


def filled(cell: CellType) -> bool:
    """Whether a variable of an enclosing function has a value yet."""
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True

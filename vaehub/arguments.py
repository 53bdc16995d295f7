"""Checks of what a caller gives to a public function: UsageError with argument, value and remedy in place of a TypeError from deep inside.

@accepts(n=at_least(1), seed=at_least(0), split=one_of("train", "val", "test"))
def draw(n: int, seed: int = 0, split: str = "test") -> ...
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ParamSpec, TypeAlias, TypeVar

from vaehub.errors import UsageError
from vaehub.hints import nearest, quoted

__all__ = ["accepts", "at_least", "one_of", "or_none", "path", "real_number", "sequence", "wrong_argument", "yes_or_no"]

P = ParamSpec("P")
R = TypeVar("R")
Check: TypeAlias = Callable[[str, Any], Any]  # (name, value) -> the value; raises UsageError


def accepts(**checks: Check) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator that checks arguments, where they are given, before the function is called.

    Arguments:
        checks: by the name of the argument.

    >>> @accepts(n=at_least(1))
    ... def draw(n=1):
    ...     return n
    >>> draw(0)
    Traceback (most recent call last):
    vaehub.errors.UsageError: n: should be a whole number of at least 1, not 0
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        assert checks.keys() <= signature.parameters.keys()

        @wraps(function)
        def call(*arguments: P.args, **options: P.kwargs) -> R:
            bound = signature.bind(*arguments, **options)
            for name, check in checks.items():
                if name in bound.arguments:
                    bound.arguments[name] = check(name, bound.arguments[name])
            return function(*bound.args, **bound.kwargs)

        return call

    return decorate


def wrong_argument(name: str, value: object, wanted: str) -> UsageError:
    """The error for an argument of a wrong kind.

    Arguments:
        name: of the argument.
        value: what was given.
        wanted: what it should be, in words.

    >>> str(wrong_argument("n", 2.5, "a whole number"))
    'n: should be a whole number, not 2.5'
    """
    return UsageError(f"{name}: should be {wanted}, not {described(value)}")


def described(value: object) -> str:
    """A value in a few words: arrays and tables by their shape, all else as it is written.

    Arguments:
        value: anything.

    >>> described([1, 2])
    '[1, 2]'
    """
    shape: Any = getattr(value, "shape", None)
    return f"{type(value).__name__} of shape {tuple(shape)}" if shape else quoted(value)


def at_least(least: int) -> Check:
    """A check: a whole number of at least this; 3.0 is none, nor is True.

    Arguments:
        least: the smallest that passes.

    Raises:
        UsageError: when the check is called with something else.

    >>> at_least(1)("n", 3)
    3
    """

    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
            raise wrong_argument(name, value, f"a whole number of at least {least}")
        return int(value)

    return check


def real_number(name: str, value: Any) -> float:
    """A check: a finite number.

    Arguments:
        name: of the argument.
        value: what was given.

    Raises:
        UsageError: it is none.

    >>> real_number("lr", 1)
    1.0
    """
    if isinstance(value, bool) or not isinstance(value, Real) or float(value) - float(value) != 0:
        raise wrong_argument(name, value, "a number")
    return float(value)


def share(name: str, value: Any) -> float:
    """A check: a number from 0 to 1.

    Arguments:
        name: of the argument.
        value: what was given.

    Raises:
        UsageError: it is none.

    >>> share("noise", 0.3)
    0.3
    """
    if not 0 <= real_number(name, value) <= 1:
        raise wrong_argument(name, value, "a number from 0 to 1")
    return float(value)


def yes_or_no(name: str, value: Any) -> bool:
    """A check: True or False.

    Arguments:
        name: of the argument.
        value: what was given.

    Raises:
        UsageError: it is neither.

    >>> yes_or_no("noise", True)
    True
    """
    if not isinstance(value, bool):
        raise wrong_argument(name, value, "True or False")
    return value


def one_of(*choices: str) -> Check:
    """A check: one of these words.

    Arguments:
        choices: the words.

    Raises:
        UsageError: when the check is called with something else.

    >>> one_of("train", "val", "test")("split", "valid")
    Traceback (most recent call last):
    vaehub.errors.UsageError: split: 'valid' is none of train, val, test; did you mean 'val'?
    """

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise wrong_argument(name, value, " or ".join(map(repr, choices)))
        if value not in choices:
            near = nearest(value, list(choices))
            raise UsageError(f"{name}: '{value}' is none of {', '.join(choices)}{f'; did you mean {near!r}?' if near else ''}")
        return value

    return check


def path(name: str, value: Any) -> Path:
    """A check: a path, given as str or Path.

    Arguments:
        name: of the argument.
        value: what was given.

    Raises:
        UsageError: it is none.

    >>> path("out", "runs/a").name
    'a'
    """
    if not isinstance(value, str | os.PathLike) or not str(value):
        raise wrong_argument(name, value, "a path")
    return Path(value)


def sequence(name: str, value: Any) -> Sequence[Any]:
    """A check: a list; a lone word, which Python would take apart into its letters, is refused.

    Arguments:
        name: of the argument.
        value: what was given.

    Raises:
        UsageError: it is none.

    >>> sequence("ids", "ab")
    Traceback (most recent call last):
    vaehub.errors.UsageError: ids: should be a list, not 'ab'
    """
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Sequence):
        raise wrong_argument(name, value, "a list")
    return value


def or_none(check: Check) -> Check:
    """A check: None, or what passes another check.

    Arguments:
        check: the other one.

    >>> or_none(at_least(1))("n", None) is None
    True
    """

    def either(name: str, value: Any) -> Any:
        return None if value is None else check(name, value)

    return either

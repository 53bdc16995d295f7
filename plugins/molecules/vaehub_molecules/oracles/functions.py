"""Objectives of the user's own: a Python function, given as such or as `module:function`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from typing import Any, TypeAlias, final

from vaehub import UsageError, arguments, hints, jobs
from vaehub_molecules.oracles.batch import BatchFunction
from vaehub_molecules.oracles.command import PREFIX, command_of
from vaehub_molecules.oracles.named import ORACLES, oracle
from vaehub_molecules.oracles.oracle import Oracle, as_float
from vaehub_molecules.oracles.parametrised import FAMILIES
from vaehub_molecules.oracles.transformed import MINIMISE, Minimised, Transformed
from vaehub_molecules.oracles.transforms import parse_transform

Score: TypeAlias = Callable[[str], float]


@final
@dataclass(frozen=True)
class Function(Oracle):
    """A function of canonical SMILES."""

    name: str
    function: Score

    @property
    def describe(self) -> str:
        """Its docstring."""
        return " ".join((self.function.__doc__ or "a function of the user's").split())

    def score(self, smiles: str) -> float:
        """What the function returns, as a number."""
        return as_float(self.function(smiles))

    @property
    def code(self) -> str:
        """By what it computes."""
        return jobs.digest_of_code(self.function)


@final
@dataclass(frozen=True)
class ImportedFunction(Oracle):
    """A function by the text `module:function`, imported anew in every process."""

    name: str

    @property
    def describe(self) -> str:
        """The docstring of the function."""
        return Function(self.name, import_function(self.name)).describe

    def score(self, smiles: str) -> float:
        """What the function returns, as a number."""
        return as_float(import_function(self.name)(smiles))

    @property
    def code(self) -> str:
        """By what it computes."""
        return jobs.digest_of_code(import_function(self.name))


@cache
def import_function(text: str) -> Callable[..., Any]:
    """The function `module:function`; modules of the current folder are found too. Raises UsageError where there is none."""
    module, _, function = text.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        found = getattr(import_module(module), function)
    except Exception as error:  # a module may raise anything while it is imported
        raise UsageError(f"objective {text!r} cannot be imported: {hints.reason(error)}") from error
    if not callable(found):
        raise UsageError(f"objective {text!r} is no function but {type(found).__name__}; give a function of a SMILES string")
    return found  # type: ignore[no-any-return]


def load_objective(text: str) -> Oracle:
    """An oracle by its text: a name, a function of the user's by `module:function`, which runs that module, or a program by `cmd:…`.

    With `min:` before it low values are the best; a transform behind it says which values are wanted: a window `200..450`, `sigmoid(1,3)`,
    `step(..90)`. For what a user types or writes in Python, never for text out of a config or model file.

    Arguments:
        text: a name that `oracle` takes, `module:function` of a module in the current folder or on the path, or `cmd:` and a command.

    Raises:
        UsageError: where there is no such oracle, function or program, or the transform makes no sense.

    >>> load_objective("posixpath:basename").name
    'posixpath:basename'
    >>> round(load_objective("mw:100..200").score("CCO"), 2)
    0.1
    """
    if text.startswith(MINIMISE):
        return Minimised(load_objective(text.removeprefix(MINIMISE)))
    before, _, last = text.rpartition(":")
    if before and (transform := parse_transform(last)) is not None:
        return Transformed(load_objective(before), transform)
    if text.startswith(PREFIX):
        return command_of(text)
    head, colon, function = text.partition(":")
    if text in ORACLES or head in FAMILIES or not (colon and function.isidentifier()):
        return oracle(text)
    found = import_function(text)
    return replace(found, name=text) if isinstance(found, BatchFunction) else ImportedFunction(text)


def as_oracle(objective: Oracle | str | Score) -> Oracle:
    """The oracle that is meant by an oracle, a name or a function.

    Raises:
        UsageError: for anything else, and for a name that is none.

    >>> as_oracle(len).score("CCO")
    3.0
    """
    if isinstance(objective, Oracle):
        return objective
    if isinstance(objective, str):
        return load_objective(objective)
    if not callable(objective):
        raise arguments.wrong_argument("objective", objective, "a name such as 'qed', or a function of canonical SMILES")
    return Function(str(getattr(objective, "__name__", type(objective).__name__)), objective)

"""What every component must satisfy as a class: the contract of its constructor, its options and its documentation."""

from __future__ import annotations

import inspect
import json
from contextlib import suppress
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python
from torch import nn

from vaehub.config.schema import Options, part_kind, part_model
from vaehub.config.schema import options as options_of
from vaehub.errors import UsageError
from vaehub.host.discovery import KINDS
from vaehub.host.registry import registry
from vaehub.testing.bench import Bench, Unusable
from vaehub.testing.core import Failed, Skipped, check, require

GIVEN: dict[str, tuple[str, ...]] = {  # what the toolkit passes to a constructor of each kind
    "domain": (),
    "encoder": ("spec", "posterior"),
    "posterior": ("latent",),
    "decoder": ("spec", "latent", "likelihood"),
    "likelihood": ("spec",),
    "prior": ("spec", "latent"),
    "objective": (),
    "features": ("spec",),
    "judge": ("domain", "codec"),
}
BUILT = tuple(kind for kind in KINDS if kind != "judge")  # a judge is made of a domain: the checks of domains do that


def parameters(bench: Bench) -> list[inspect.Parameter]:
    """The parameters of the constructor; none where the class writes no constructor and inherits that of torch."""
    inherited = bench.cls.__init__ in (nn.Module.__init__, object.__init__)
    return [] if inherited else list(inspect.signature(bench.cls).parameters.values())


@check(*KINDS)
def class_is_complete(bench: Bench) -> None:
    """The target imports, is a class of its kind, and has all abstract methods filled in."""
    try:
        abstract = sorted(getattr(bench.cls, "__abstractmethods__", ()))
    except Unusable as error:
        raise Failed(str(error)) from error
    require(not abstract, f"{bench.cls.__name__} lacks {', '.join(abstract)}")


@check(*KINDS)
def name_is_not_taken(bench: Bench) -> None:
    """No other plugin defines a component of this name."""
    clash = registry().clashes.get(bench.key)
    require(clash is None, f"{clash}")


@check(*KINDS)
def constructor_takes_what_it_is_given(bench: Bench) -> None:
    """Positional parameters are those of the contract; there is no *args or **kwargs, from which no schema can be read."""
    expected = GIVEN[bench.kind]
    positional = tuple(p.name for p in parameters(bench) if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    require(positional == expected, f"the constructor takes ({', '.join(positional)}), not ({', '.join(expected)})")
    variable = [str(p) for p in parameters(bench) if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    require(not variable, f"the constructor takes {', '.join(variable)}; name each option")


@check(*KINDS)
def options_are_annotated(bench: Bench) -> None:
    """Every option has a type: the schema of the config."""
    bare = [p.name for p in parameters(bench) if p.kind is p.KEYWORD_ONLY and p.annotation is p.empty]
    require(not bare, f"options without annotation: {', '.join(bare)}")
    options_of(bench.cls)


@check(*BUILT)
def options_have_defaults(bench: Bench) -> None:
    """Every option has a default, or the class an `example` that gives one."""
    try:
        given = bench.options
    except Unusable as error:
        raise Failed(str(error)) from error
    known = {p.name for p, _ in options_of(bench.cls)}
    require(set(given) <= known, f"example() gives {', '.join(sorted(set(given) - known))}, which are no options")


@check(*KINDS)
def documented(bench: Bench) -> None:
    """The class has a docstring of its own that opens with a full sentence."""
    text = (bench.cls.__dict__.get("__doc__") or "").strip()
    require(len(text.split()) >= 3, f"{bench.cls.__name__} has no docstring that says what it is")


@check(*BUILT)
def config_round_trip(bench: Bench) -> None:
    """Options with defaults filled in are plain JSON, and valid input that gives the same again."""
    name = bench.key.partition("/")[2]
    if any(o.default is o.empty and part_kind(hint) for o, hint in options_of(bench.cls)):
        raise Skipped("an option takes a part of the user's choice")
    first = validated(bench.kind, {"name": name} | bench.options)
    again = validated(bench.kind, json.loads(json.dumps(first)))
    require(first == again, f"the options {first} come back as {again}")


def validated(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """A part of a config, validated and written as plain values."""
    adapter: TypeAdapter[Options] = TypeAdapter(part_model(kind, given, None))
    try:
        part = adapter.validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise Failed(f"the options are no valid config: {first['loc']}: {first['msg']}") from error
    plain: dict[str, Any] = to_jsonable_python(part.part().plain())
    return plain


@check(*BUILT)
def defaults_build_it(bench: Bench) -> None:
    """It can be built from its defaults (or its example), and refuses data that it does not fit by UsageError."""
    _ = bench.options  # where an option lacks a default, another check tells
    try:
        bench.make()
    except Unusable as error:
        raise Failed(str(error)) from error
    for setting in bench.candidates():
        if setting.own:
            with suppress(UsageError):
                bench.make(setting)

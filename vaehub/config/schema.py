"""From a part's constructor to a pydantic model: keyword-only arguments are the options, their annotations the schema."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from operator import or_
from types import NoneType, SimpleNamespace, UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, create_model, model_validator

from vaehub.errors import UsageError
from vaehub.hints import quoted, reason
from vaehub.host.discovery import KINDS
from vaehub.host.registry import registry

STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)


class PartConfig(BaseModel):
    """One part of a model: its kind, its registered name, and its options with every default filled in."""

    model_config = STRICT
    kind: str
    name: str
    options: dict[str, Any] = {}

    def plain(self) -> dict[str, Any]:
        """The part as it is written in a config."""
        return {"name": self.name} | {k: v.plain() if isinstance(v, PartConfig) else v for k, v in self.options.items()}

    def parts(self) -> list[PartConfig]:
        """This part and those nested in it."""
        return [self, *(part for value in self.options.values() if isinstance(value, PartConfig) for part in value.parts())]


class Options(BaseModel):
    """Base of the models that `part_model` makes; a field's alias is the option's name, which may be any word."""

    model_config = STRICT
    kind_: ClassVar[str]
    name_: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _without_name(cls, given: object) -> object:
        if given == cls.name_ or given is None:
            return {}
        return {k: v for k, v in given.items() if k != "name"} if isinstance(given, Mapping) else given

    def part(self) -> PartConfig:
        """The validated options as a PartConfig."""
        values = {type(self).model_fields[key].alias or key: value for key, value in self}
        return PartConfig(
            kind=self.kind_,
            name=self.name_,
            options={key: value.part() if isinstance(value, Options) else value for key, value in values.items()},
        )


def part_model(kind: str, given: object, default: str | None) -> Any:
    """The type that validates `given` as a part of this kind; where no such part exists, a type that says so."""
    try:
        name = part_name(kind, given, default)
        cls = registry().load(kind, name)
        fields = {f"option_{o.name}": option_field(o, hint, given) for o, hint in options(cls)}
    except UsageError as error:
        return Annotated[Any, BeforeValidator(partial(refuse, str(error)))]
    model = create_model(name, __base__=Options, **typing.cast(Any, fields))
    model.kind_, model.name_ = kind, name
    return model


def part_name(kind: str, given: object, default: str | None) -> str:
    """The name in a bare name or a mapping with name and options."""
    name = given.get("name", default) if isinstance(given, Mapping) else default if given is None else given
    if name is None:
        raise UsageError(f"give the name of a {kind}, one of: {', '.join(registry().names(kind))}")
    if not isinstance(name, str):
        raise UsageError(f"should be the name of the {kind}, or a mapping with its name and options, not {quoted(given)}")
    return name


def refuse(message: str, given: object) -> None:
    """A validator that lets nothing pass."""
    raise ValueError(message)


def options(cls: type[Any]) -> list[tuple[inspect.Parameter, Any]]:
    """The keyword-only parameters of a part's constructor, with their annotations evaluated."""
    init: Any = cls.__init__
    found = [p for p in inspect.signature(init).parameters.values() if p.kind is p.KEYWORD_ONLY]
    own = SimpleNamespace(__annotations__={p.name: p.annotation for p in found if p.annotation is not p.empty})
    try:
        hints = typing.get_type_hints(own, globalns=getattr(init, "__globals__", {}), include_extras=True)
    except (NameError, TypeError, SyntaxError) as error:
        raise UsageError(f"the annotations of {cls.__module__}.{cls.__qualname__}'s options fail: {reason(error)}") from error
    return [(p, hints.get(p.name, Any)) for p in found]


def option_field(option: inspect.Parameter, hint: Any, given: object) -> tuple[Any, Any]:
    """Annotation and default of one option for pydantic.create_model."""
    kind = part_kind(hint)
    default = ... if option.default is option.empty else option.default
    if kind is None:
        return lenient(hint), Field(default, alias=option.name)
    stated = given if isinstance(given, Mapping) else {}
    value = stated.get(option.name)
    if value is None and (default is None or (option.name in stated and optional(hint))):
        return None, Field(None, alias=option.name)
    name = registry().name_of(default) if isinstance(default, type) else None
    return part_model(kind, value, name), Field(... if name is None else name, alias=option.name)


def optional(hint: Any) -> bool:
    """Whether a hint admits None."""
    return NoneType in get_args(hint)


def part_kind(hint: Any) -> str | None:
    """The kind of component where a hint is Part[Kind], that is Callable[..., Kind], or such or None."""
    if get_origin(hint) in (Union, UnionType, Annotated):
        return next(filter(None, map(part_kind, get_args(hint))), None)
    returned = get_args(hint)[-1] if get_origin(hint) is Callable and get_args(hint) else None
    kind = getattr(returned, "__name__", "").lower()
    return kind if kind in KINDS else None


def lenient(hint: Any) -> Any:
    """The hint as pydantic should read it: JSON where anything goes, and no yes/no where a number is meant."""
    if hint in (int, float):
        return Annotated[hint, BeforeValidator(number)]
    if hint is Any:
        return JsonValue
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated and arguments[0] in (int, float):  # the bounds first, or they would be missing in the JSON schema
        return Annotated[(*arguments, BeforeValidator(number))]
    if origin is Annotated:
        return Annotated[(lenient(arguments[0]), *arguments[1:])]
    if origin in (Union, UnionType):
        return reduce(or_, map(lenient, arguments))
    if origin is Sequence:  # as a tuple, so that a list from YAML and a default compare equal
        origin, arguments = tuple, (*arguments, ...)
    return hint if origin in (None, Literal) else origin[tuple(a if a in (..., NoneType) else lenient(a) for a in arguments)]


def number(given: object) -> object:
    """Refuse a boolean, which pydantic would take for 0 or 1."""
    if isinstance(given, bool):
        raise ValueError("should be a number; YAML reads yes, no, on and off as true and false")
    return given

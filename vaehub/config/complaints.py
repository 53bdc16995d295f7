"""Validation errors as lines that a user can act upon."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from vaehub.hints import did_you_mean, nearest, quoted

Location = tuple[str | int, ...]
KEY_ERRORS = ("extra_forbidden", "missing", "invalid_key")  # their last element is a key that is wrong or absent
MAPPING_ERRORS = ("model_type", "model_attributes_type", "dict_type")


def complaints(error: ValidationError, schema: type[BaseModel], given: object) -> list[str]:
    """Everything that is wrong, each with its path, the value and what would do."""
    found = [(input_path(detail, given), message(detail, schema)) for detail in error.errors(include_url=False)]
    merged = groupby(found, key=lambda pair: pair[0])  # a union reports one error for each of its members
    return [f"{dotted(loc)}: {' or '.join(dict.fromkeys(text for _, text in pairs))}" for loc, pairs in merged]


def input_path(detail: ErrorDetails, given: Any) -> Location:
    """Where the error is in the input: pydantic's location without the names of union members."""
    loc = detail["loc"]
    if detail["type"] in KEY_ERRORS:
        return loc
    for depth, key in enumerate(loc):
        try:
            given = given[key]
        except (LookupError, TypeError):
            return loc[: max(depth, 1)]
    return loc


def dotted(loc: Location) -> str:
    """`decoder.hidden[1]`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in loc).removeprefix(".") or "config"


def message(detail: ErrorDetails, schema: type[BaseModel]) -> str:
    """What is wrong with a value, and what would do."""
    kind, value = detail["type"], detail["input"]
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        *above, name = map(str, detail["loc"])
        inside = [key for key in option_names(schema, above) if name in option_names(schema, [*above, key])]
        near = f"did you mean '{inside[0]}.{name}'?" if inside else did_you_mean(name, option_names(schema, above))
        return f"unknown option; {near}"
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    wanted = "should be a mapping of options" if kind in MAPPING_ERRORS else detail["msg"].replace("Input should", "should")
    return f"{wanted}, not {quoted(value)}{quoting_hint(kind, value)}{nearest_choice(detail)}"


def nearest_choice(detail: ErrorDetails) -> str:
    """The word of a list that is nearest to the one given."""
    if detail["type"] != "literal_error" or not isinstance(detail["input"], str):
        return ""
    near = nearest(detail["input"], re.findall(r"'([^']*)'", detail["ctx"]["expected"]))
    return f"; did you mean '{near}'?" if near else ""


def quoting_hint(kind: str, value: object) -> str:
    """A hint where YAML has made something else of a word."""
    if kind not in ("string_type", "literal_error") or isinstance(value, str | list | dict | None):
        return ""
    cause = "YAML reads no, off, yes and on as false and true" if isinstance(value, bool) else "YAML reads it as no string"
    return f" ({cause}: put it in quotes)"


def option_names(schema: Any, loc: Iterable[str | int]) -> list[str]:
    """Names of the options at a place in the schema."""
    for key in loc:
        schema = {name: field.annotation for name, field in fields_by_alias(schema)}.get(str(key))
    return [name for name, _ in fields_by_alias(schema)]


def fields_by_alias(schema: Any) -> list[tuple[str, FieldInfo]]:
    """The fields of a model by the names that users know; of anything else none."""
    if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        return []
    return [(field.alias or name, field) for name, field in schema.model_fields.items()]

"""Every option of a config in words: name, type, default, and what its docstring says."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from inspect import Parameter
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic_core import to_jsonable_python

from vaehub.base import Json
from vaehub.config.docstrings import help_of
from vaehub.config.load import DEFAULT_PARTS, LARGEST, Settings
from vaehub.config.passthrough import OURS, trainer_model
from vaehub.config.schema import lenient, optional, options, part_kind
from vaehub.host.registry import registry


@dataclass(frozen=True)
class Option:
    """An option: its name, what it may be as a JSON schema, and a line of help; no default means that it must be given."""

    name: str
    schema: Json
    help: str

    @property
    def type(self) -> str:
        """What it may be, in words."""
        return schema_in_words(self.schema)

    @property
    def default(self) -> str:
        """Its default as it is written in YAML, or "required"."""
        return json.dumps(self.schema["default"]) if "default" in self.schema else "required"


def part_options(kind: str, name: str) -> list[Option]:
    """The options of a part. Raises UsageError where there is none of this name."""
    cls = registry().load(kind, name)
    texts = help_of(cls)
    return [Option(p.name, option_schema(p, hint), texts.get(p.name, "")) for p, hint in options(cls)]


def option_schema(option: Parameter, hint: Any) -> Json:
    """The JSON schema of one option; a nested part is a reference to the parts of its kind."""
    kind = part_kind(hint)
    if kind is None:
        schema = without_texts(TypeAdapter(lenient(hint)).json_schema())
    else:
        part = {"$ref": f"#/$defs/{kind}"}
        schema = {"anyOf": [part, {"type": "null"}]} if optional(hint) else part
    if option.default is Parameter.empty:
        return schema
    default = registry().name_of(option.default) if isinstance(option.default, type) else option.default
    return schema | {"default": to_jsonable_python(default)}


def setting_options(section: str) -> list[Option]:
    """The options of "optimizer" or "train"."""
    return model_options(type(Settings.model_fields[section].default))


def plain_options() -> list[Option]:
    """The settings at the top of a config that are in no section."""
    return [option for option in model_options(Settings) if option.name not in ("optimizer", "train")]


def model_options(model: type[BaseModel]) -> list[Option]:
    """The options of a pydantic model."""
    found: Json = model.model_json_schema()["properties"]
    return [Option(name, without_texts(schema), schema.get("description", "")) for name, schema in found.items()]


def without_texts(schema: Json) -> Json:
    """A JSON schema of pydantic without its texts; what may be anything is the empty schema."""
    kept = {key: value for key, value in schema.items() if key not in ("title", "description", "$defs")}
    return {key: value for key, value in kept.items() if value != "#/$defs/JsonValue"}


def trainer_options() -> list[Option]:
    """The options of Lightning's Trainer that vaehub does not set itself, with the first sentence that Lightning says of each."""
    found = [option for option in model_options(trainer_model({"": None})) if option.name not in OURS]
    return [replace(option, help=plain_text(option.help).partition(". ")[0].removesuffix(".") + ".") for option in found]


def plain_text(text: str) -> str:
    """A text of reStructuredText without its marks."""
    return re.sub(r":\w+:(?=`)|`", "", text)


def top_options() -> list[Option]:
    """What stands at the top of a config, the sections `optimizer` and `train` written out."""
    parts = [Option(kind, part_schema(kind), f"See vaehub options {kind}.") for kind in DEFAULT_PARTS]
    sections = [
        Option(f"{section}.{option.name}", option.schema, option.help)
        for section in ("optimizer", "train")
        for option in setting_options(section)
    ]
    trainer = Option("trainer", {"type": "object", "default": {}}, "Options of Lightning's Trainer: see vaehub options trainer.")
    return [*parts, *plain_options(), *sections, trainer]


def part_schema(kind: str) -> Json:
    """A part of a kind, with the name of the default where there is one."""
    default = DEFAULT_PARTS[kind]
    return {"$ref": f"#/$defs/{kind}"} | ({} if default is None else {"default": default})


BOUNDS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
TYPES = {"boolean": "true or false", "string": "text", "null": "null", "object": "mapping"}


def schema_in_words(schema: Json) -> str:
    """A JSON schema in words.

    >>> schema_in_words({"type": "integer", "minimum": 1})
    'integer, at least 1'
    >>> schema_in_words({"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}]})
    'a | b or null'
    """
    match schema:
        case {"$ref": str(reference)}:
            return f"{reference.rpartition('/')[2]}: its name, or a mapping"
        case {"anyOf": [*members]}:
            return " or ".join(dict.fromkeys(map(schema_in_words, members)))
        case {"enum": [*values]}:
            return " | ".join(map(str, values))
        case {"const": value}:
            return str(value)
        case {"type": "array", "prefixItems": [*members]}:
            return f"[{'; '.join(map(schema_in_words, members))}]"
        case {"type": "array", "items": member}:
            return f"list of {plural(schema_in_words(member))}"
        case {"type": "integer" | "number" as kind}:
            bounds = [f"{word} {schema[key]:g}" for key, word in BOUNDS.items() if key in schema and schema[key] != LARGEST]
            return ", ".join([kind, *bounds])
    return TYPES.get(schema.get("type", ""), "any value")


def plural(words: str) -> str:
    """integer, at least 1 -> integers, at least 1."""
    first, *rest = words.split(", ")
    return ", ".join([f"{first}s" if first in ("integer", "number", "text", "mapping") else first, *rest])


def undocumented_options(options: Sequence[Option]) -> list[str]:
    """Names of the options of which nothing is said."""
    return [option.name for option in options if not option.help]

"""A JSON schema of a whole config, by which editors complete and check YAML files."""

from __future__ import annotations

from vaehub.base import Json
from vaehub.config.describe import Option, part_options, part_schema, plain_options, setting_options, trainer_options
from vaehub.config.docstrings import summary_of
from vaehub.config.load import DEFAULT_PARTS
from vaehub.errors import UsageError
from vaehub.host.discovery import KINDS
from vaehub.host.registry import registry


def config_schema() -> Json:
    """The schema of everything that a config may say with the plugins that are installed."""
    sections = {name: mapping_schema(setting_options(name)) for name in ("optimizer", "train")}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A run of vaehub",
        "type": "object",
        "properties": {
            **{kind: part_schema(kind) for kind in DEFAULT_PARTS},
            **properties(plain_options()),
            **sections,
            "trainer": mapping_schema(trainer_options()),
        },
        "required": [kind for kind, default in DEFAULT_PARTS.items() if default is None],
        "additionalProperties": False,
        "$defs": {kind: kind_schema(kind) for kind in KINDS},
    }


def kind_schema(kind: str) -> Json:
    """A part of a kind: its name, or a mapping with its name and options. Parts that cannot be imported are left out."""
    names = registry().names(kind)
    found = [named_schema(kind, name) for name in names]
    return {"anyOf": [{"enum": names}, *(schema for schema in found if schema is not None)]}


def named_schema(kind: str, name: str) -> Json | None:
    """One part as a mapping; its name may be left out where it is the default."""
    try:
        options, cls = part_options(kind, name), registry().load(kind, name)
    except UsageError:
        return None
    schema = mapping_schema(options)
    schema["properties"] = {"name": {"const": name}} | schema["properties"]
    if DEFAULT_PARTS.get(kind) != name:
        schema["required"] = ["name", *schema["required"]]
    return schema | {"description": summary_of(cls)}


def mapping_schema(options: list[Option]) -> Json:
    """A mapping of these options and no others."""
    required = [option.name for option in options if "default" not in option.schema]
    return {"type": "object", "properties": properties(options), "required": required, "additionalProperties": False}


def properties(options: list[Option]) -> Json:
    """The schema of each option by its name."""
    return {option.name: option.schema | {"description": option.help} for option in options}

"""Reading YAML strictly, and overriding single keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from vaehub.arguments import wrong_argument
from vaehub.errors import UsageError
from vaehub.files.guard import read_bytes
from vaehub.hints import did_you_mean, quoted, reason

Overrides: TypeAlias = "Sequence[str] | Mapping[str, Any]"
PATH = re.compile(r"\w+(\.\w+)*")
LARGEST_FILE = 2**20  # bytes


class StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice, and aliases, by which a short file can become a huge one."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem=f"alias *{event.anchor}: write the value out", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping, if no key comes twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            word = str(key.value)
            if word in seen:
                raise yaml.MarkedYAMLError(problem=f"key '{word}' is given twice", problem_mark=key.start_mark)
            seen.add(word)
        return super().construct_mapping(node, deep)


def parse(text: str, where: str) -> Any:
    """The value of a YAML text."""
    try:
        return yaml.load(text, StrictLoader)  # noqa: S506  (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UsageError(f"{where}{line}: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{where}: is not readable as YAML: {reason(error)}") from None


def read_yaml(path: Path) -> Mapping[str, Any]:
    """The mapping in a config file."""
    try:
        raw = read_bytes(path, LARGEST_FILE)
    except UsageError as error:
        raise UsageError(f"cannot read the config {error}{nearby(path)}") from error
    given = parse(decoded(raw, path), str(path))
    if not isinstance(given, Mapping):
        raise UsageError(f"{path}: should hold a mapping such as 'domain: mnist', not {type(given).__name__}")
    return given


def decoded(raw: bytes, path: Path) -> str:
    """The text of a file in UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text (byte {error.start})") from None


def nearby(path: Path) -> str:
    """A hint at the configs beside a missing one."""
    if path.is_dir():
        return f"; did you mean {path / 'config.yaml'}?" if (path / "config.yaml").is_file() else ""
    beside = [str(other) for other in path.parent.glob("*.yaml") if other != path] if path.parent.is_dir() else []
    return f"; {did_you_mean(str(path), beside)}" if beside else ""


def override(given: Mapping[str, Any], overrides: Overrides) -> dict[str, Any]:
    """A copy with the overrides applied in order: texts `key.sub=value`, whose values are YAML, or a mapping, nested or with dotted keys.

    >>> override({"latent": 2}, ["latent=3", "train.epochs=5"])
    {'latent': 3, 'train': {'epochs': 5}}
    >>> override({"latent": 2}, {"latent": 3, "train": {"epochs": 5}, "decoder.hidden": [8]})
    {'latent': 3, 'train': {'epochs': 5}, 'decoder': {'hidden': [8]}}
    """
    changed = dict(given)
    for path, value, text in assignments(overrides):
        changed = put(changed, path, value, text)
    return changed


def assignments(overrides: Overrides) -> Iterator[tuple[list[str], Any, str]]:
    """(path, value, the override as it was written) of each."""
    if isinstance(overrides, Mapping):
        yield from leaves(overrides, [])
        return
    if isinstance(overrides, str | bytes) or not isinstance(overrides, Sequence):
        raise wrong_argument("overrides", overrides, "a list such as ['latent=3'] or a mapping such as {'latent': 3}")
    for text in overrides:
        path, equals, value = text.partition("=") if isinstance(text, str) else ("", "", "")
        if not equals or not PATH.fullmatch(path):
            raise UsageError(f"override {quoted(text)}: write it as key=value or key.sub=value, without spaces around '='")
        yield path.split("."), parse(value, f"override '{text}'"), text


def leaves(section: Mapping[Any, Any], above: list[str]) -> Iterator[tuple[list[str], Any, str]]:
    """The values of a nested mapping; the name of a part comes before its options, for it decides which there are."""
    for key, value in sorted(section.items(), key=lambda item: item[0] != "name"):
        if not isinstance(key, str) or not PATH.fullmatch(key):
            raise UsageError(f"override {quoted(key)}: should be the name of an option, such as 'latent' or 'train.epochs'")
        path = [*above, *key.split(".")]
        if isinstance(value, Mapping):
            yield from leaves(value, path)
        else:
            yield path, value, f"{'.'.join(path)}={value}"


def put(section: Mapping[str, Any], path: Sequence[str], value: Any, text: str) -> dict[str, Any]:
    """A copy of the section with the value at the path; a part of another name loses the options of the one it replaces."""
    key, rest = path[0], path[1:]
    old = section.get(key)
    if not rest or rest == ["name"]:
        return dict(section) | {key: renamed(old, value)}
    if isinstance(old, str):
        old = {"name": old}
    if not isinstance(old, Mapping | None):
        raise UsageError(f"override '{text}': '{key}' is {old!r}, which has no options")
    return dict(section) | {key: put(old or {}, rest, value, text)}


def renamed(old: Any, value: Any) -> Any:
    """The part with this name: as it was where it has that name already."""
    return old if isinstance(old, Mapping) and isinstance(value, str) and old.get("name") == value else value

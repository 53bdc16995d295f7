"""`vaehub new NAME`: a complete plugin package to start from, written from the files in template/."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template

from vaehub.errors import UsageError
from vaehub.host.discovery import host_version
from vaehub.host.registry import registry

TEMPLATE = Path(__file__).with_name("template")
SUFFIX = ".tmpl"  # keeps tools from taking the templates for Python
NAME = re.compile(r"[a-z][a-z0-9_]*")


def create(name: str, dir: Path) -> Path:
    """Write the package vaehub-NAME into `dir`; its path. Raises UsageError for a name that will not do or a folder that is in use."""
    check_name(name)
    folder = dir / f"vaehub-{name.replace('_', '-')}"
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: exists and is not empty; choose another NAME or --output")
    words = {"name": name, "title": title(name), "engine": compatible(host_version())}
    for source in sorted(TEMPLATE.rglob(f"*{SUFFIX}")):
        write(source, folder, words)
    return folder


def check_name(name: str) -> None:
    """Raises UsageError unless this can be the name of a new plugin: of its module, of its parts, of its class."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise UsageError(
            f"'{name}' cannot name a plugin: use lower-case letters, digits and _, starting with a letter, such as 'my_data'"
        )
    if name in {plugin.name for plugin in registry().plugins}:
        raise UsageError(f"a plugin called '{name}' is installed already; choose another name")


def compatible(version: str) -> str:
    """The versions of vaehub that keep its contract, those of one minor version: 0.2.1 -> >=0.2,<0.3.

    >>> compatible("0.2.1")
    '>=0.2,<0.3'
    """
    major, minor = (*version.split("."), "0")[:2]
    return f">={major}.{minor},<{major}.{int(minor) + 1}"


def title(name: str) -> str:
    """The name of the domain's class: my_data -> MyData."""
    return "".join(word.capitalize() for word in name.split("_"))


def write(source: Path, folder: Path, words: dict[str, str]) -> None:
    """One template, filled in, at its place in the new package."""
    place = source.relative_to(TEMPLATE).as_posix().replace("NAME", words["name"]).removesuffix(SUFFIX)
    target = folder / place
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(Template(source.read_text("utf-8")).substitute(words), "utf-8")

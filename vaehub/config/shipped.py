"""The configs that come with the plugins: files in the folder `configs` of each package, or of the clone that vaehub runs from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vaehub.config.source import read_yaml
from vaehub.errors import UsageError
from vaehub.hints import listed, nearest
from vaehub.host.registry import registry

FOLDER = "configs"
SUFFIX = ".yaml"
CLONE = Path(__file__).parents[2]


@dataclass(frozen=True)
class ShippedConfig:
    """A config that is called by its name."""

    name: str
    path: Path

    @property
    def summary(self) -> str:
        """The comment on its first line."""
        with self.path.open(encoding="utf-8") as file:
            return file.readline().lstrip("#").strip()

    @property
    def plugin(self) -> str:
        """The plugin that its domain belongs to; "-" where none is installed that has it."""
        domain = read_yaml(self.path).get("domain")
        name = domain.get("name") if isinstance(domain, dict) else domain
        component = registry().components.get(f"domain/{name}")
        return component.plugin if component else "-"


@cache
def shipped() -> dict[str, ShippedConfig]:
    """All configs by name, in alphabetical order."""
    folders = [plugin.folder / FOLDER for plugin in registry().plugins if plugin.folder]
    if (CLONE / "pyproject.toml").is_file():
        folders.append(CLONE / FOLDER)
    paths = sorted((path for folder in folders for path in folder.glob(f"*{SUFFIX}")), key=lambda path: path.stem)
    return {path.stem: ShippedConfig(path.stem, path) for path in paths}


def shipped_config(name: str) -> ShippedConfig:
    """The config of this name. Raises UsageError where there is none."""
    if name not in shipped():
        known = sorted(shipped())
        near = nearest(name, known)
        question = f"did you mean '{near}'? " if near else ""
        raise UsageError(f"no config called '{name}': {question}known: {listed(known)}; or give the path of a YAML file")
    return shipped()[name]


def config_path(source: str | Path) -> Path:
    """The file that is meant: a path as it is, or a shipped config where a bare name is given."""
    path = Path(source)
    is_name = len(path.parts) == 1 and not path.suffix and not path.exists()
    return shipped_config(path.name).path if is_name else path

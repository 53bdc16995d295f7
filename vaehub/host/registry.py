"""The registry of parts and commands: names from installed plugins only, imported when they are used."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaehub.errors import UsageError
from vaehub.hints import did_you_mean, reason
from vaehub.host.discovery import KINDS, PluginInfo, discover, from_file, host_version

if TYPE_CHECKING:
    from vaehub.host.names import RunConfig

__all__ = ["KINDS", "Component", "PluginInfo", "Registry", "registry", "resolve", "use_file"]


@dataclass(frozen=True)
class Component:
    """A named part ("kind/name") or command ("group name") and where its code is ("module:attribute"), or a model and its file."""

    key: str
    target: str
    plugin: str


class Registry:
    """Everything that the installed plugins offer."""

    def __init__(self, plugins: Iterable[PluginInfo]) -> None:
        self.plugins: list[PluginInfo] = []
        self.components: dict[str, Component] = {}
        self.commands: dict[str, Component] = {}
        self.groups: dict[str, str] = {}  # group of commands -> what its help says
        self.models: dict[str, Component] = {}  # trained models that come with plugins; the target is a file
        self.clashes: dict[str, str] = {}  # key -> the plugins that define it
        for plugin in plugins:
            self.add(plugin)

    def add(self, plugin: PluginInfo) -> None:
        """Take up one more plugin; a name that is taken already belongs to neither."""
        if plugin in self.plugins:
            return
        clashing = self._clashes(self.components, plugin.components, plugin)
        clashing += self._clashes(self.commands, plugin.commands, plugin)
        clashing += self._clashes(self.models, plugin.models, plugin)
        self.groups = dict(plugin.groups) | self.groups
        self.plugins.append(replace(plugin, status="; ".join(clashing)) if clashing else plugin)

    def _clashes(self, taken: dict[str, Component], offered: Mapping[str, str], plugin: PluginInfo) -> list[str]:
        found = []
        for key, target in offered.items():
            other = taken.setdefault(key, Component(key, target, plugin.name))
            if other.target != target:
                self.clashes[key] = f"'{key}' is defined by both {self.describe(other.plugin)} and {plugin}"
                found.append(self.clashes[key])
        return found

    def describe(self, name: str) -> str:
        """A plugin by name with its version and source."""
        return next((str(plugin) for plugin in self.plugins if plugin.name == name), name)

    def names(self, kind: str) -> list[str]:
        """Names of the components of a kind."""
        return [key.partition("/")[2] for key in self.components if key.startswith(f"{kind}/")]

    def load(self, kind: str, name: str) -> type[Any]:
        """The class registered as "kind/name". Raises UsageError where there is none, or two, or it cannot be imported."""
        key = f"{kind}/{name}"
        component = self.components.get(key)
        if component is None:
            raise UsageError(f"no {kind} called '{name}': {did_you_mean(name, self.names(kind))}{self.broken()}")
        found = self.resolve(component)
        base = resolve("vaehub.evaluation.judge:Judge" if kind == "judge" else f"vaehub.base:{kind.capitalize()}")
        if not (isinstance(found, type) and issubclass(found, base)):
            raise UsageError(f"'{key}' of plugin {component.plugin} is no subclass of vaehub.{base.__name__}")
        return found

    def resolve(self, component: Component) -> Any:
        """The object that a component names. Raises UsageError where its plugin is at fault."""
        if component.key in self.clashes:
            raise UsageError(f"{self.clashes[component.key]}: uninstall one, or choose with VAEHUB_PLUGINS")
        try:
            return resolve(component.target)
        except (Exception, SystemExit) as error:
            plugin = self.describe(component.plugin)
            raise UsageError(f"'{component.key}' of plugin {plugin} cannot be imported: {reason(error)}") from error

    def broken(self) -> str:
        """The plugins that could not be loaded: the part that is sought may be one of theirs."""
        failed = [f"{plugin.name} {plugin.version}: {plugin.status}" for plugin in self.plugins if plugin.status != "ok"]
        return f" (plugins that failed: {'; '.join(failed)})" if failed else ""

    def name_of(self, cls: type[Any]) -> str:
        """The name under which a class is registered."""
        for component in self.components.values():
            module, _, attribute = component.target.partition(":")
            if module in sys.modules and getattr(sys.modules[module], attribute, None) is cls:
                return component.key.partition("/")[2]
        raise UsageError(f"{cls.__module__}:{cls.__qualname__} is used as a part, but no plugin registers it")

    def callbacks(self, config: RunConfig) -> list[Any]:
        """Lightning callbacks that plugins add to a run; a plugin that fails to is warned of and left out."""
        return [callback for plugin in self.plugins for callback in callbacks_of(plugin, config)]

    def versions_used(self, config: RunConfig) -> dict[str, str]:
        """Version of vaehub and of every plugin that a part of the config comes from."""
        used = {self.components[f"{part.kind}/{part.name}"].plugin for part in config.parts()}
        return {"vaehub": host_version()} | {p.name: p.version for p in self.plugins if p.name in used - {"builtin"}}


def resolve(target: str) -> Any:
    """The object at "module:attribute"."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


def callbacks_of(plugin: PluginInfo, config: RunConfig) -> list[Any]:
    """The callbacks of one plugin."""
    if plugin.manager is None:
        return []
    try:
        return checked([callback for some in plugin.manager.hook.vaehub_callbacks(config=config) for callback in some])
    except (Exception, SystemExit) as error:
        warnings.warn(f"plugin {plugin} adds no callbacks: {reason(error)}", stacklevel=2)
        return []


def checked(callbacks: list[Any]) -> list[Any]:
    """The callbacks, if that is what they are."""
    if callbacks:
        base = import_module("pytorch_lightning").Callback
        wrong = [callback for callback in callbacks if not isinstance(callback, base)]
        if wrong:
            raise TypeError(f"vaehub_callbacks() gives {wrong[0]!r}, which is no Lightning callback")
    return callbacks


@cache
def registry() -> Registry:
    """The registry of this process."""
    return Registry(discover())


def use_file(path: Path) -> None:
    """Register the parts of one Python file (`--plugin FILE`). Raises UsageError where it is missing or broken."""
    try:
        plugin = from_file(path)
    except UsageError as error:
        raise UsageError(f"cannot read the plugin file {error}") from error
    if plugin.status != "ok":
        raise UsageError(f"the plugin file {path} cannot be used: {plugin.status}")
    registry().add(plugin)

"""Finding plugins, each behind its own guard: a broken one is described, and takes nothing else along."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from importlib.util import module_from_spec, spec_from_loader
from itertools import groupby
from pathlib import Path
from types import ModuleType

import pluggy

from vaehub.files.guard import read_bytes
from vaehub.hints import reason
from vaehub.host import builtin, hooks
from vaehub.host.hooks import RESERVED

GROUP = "vaehub"
KINDS = ("domain", "encoder", "posterior", "decoder", "likelihood", "prior", "objective", "features", "judge")
LARGEST_FILE = 2**24  # bytes of a plugin that is a file
COMPONENT = re.compile(rf"({'|'.join(KINDS)})/[a-z][a-z0-9_]*")
COMMAND = re.compile(rf"(?!({'|'.join(RESERVED)}) )[a-z][a-z0-9_-]* [a-z][a-z0-9_-]*")  # no group has the name of an own command
TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
MODEL = re.compile(r"[a-z][a-z0-9_-]*/[a-z][a-z0-9_-]*")

FORMS = {
    COMPONENT: f'"kind/name" in small letters, with a kind of {", ".join(KINDS)}',
    COMMAND: '"group name" in small letters, with a group that is no command of vaehub',
    TARGET: '"module:attribute"',
    MODEL: '"group/name" in small letters',
}


@dataclass(frozen=True)
class PluginInfo:
    """One plugin as found: status is "ok", or the reason why it cannot be used."""

    name: str
    version: str
    source: str  # the distribution or the file that it comes from
    status: str = "ok"
    components: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)  # files of trained models by name
    folder: Path | None = None  # of the package, in which its configs are
    manager: pluggy.PluginManager | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.source})"


def host_version() -> str:
    """Version of vaehub itself; "0" where it runs from a source tree that is not installed."""
    try:
        return version("vaehub")
    except PackageNotFoundError:
        return "0"


def examine(name: str, version: str, source: str, find: Callable[[], ModuleType]) -> PluginInfo:
    """Load one plugin and ask what it brings; whatever it does wrong becomes its status."""
    try:
        module = find()
        manager = managed(module, name)
        components = strings(manager.hook.vaehub_components(), "vaehub_components", COMPONENT, module)
        commands = strings(manager.hook.vaehub_commands(), "vaehub_commands", COMMAND, module)
        groups = texts(manager.hook.vaehub_groups(), "vaehub_groups")
        models = model_files(manager.hook.vaehub_models(), folder_of(module))
    except (Exception, SystemExit) as error:
        return PluginInfo(name, version, source, status=reason(error))
    return PluginInfo(name, version, source, "ok", components, commands, groups, models, folder_of(module), manager)


def folder_of(module: ModuleType) -> Path | None:
    """The folder of the package that a plugin's module belongs to; none for a single file."""
    package = sys.modules.get(module.__name__.partition(".")[0], module)
    return next(iter(map(Path, vars(package).get("__path__", ()))), None)


def texts(results: Iterable[object], hook: str) -> dict[str, str]:
    """The dictionaries of texts that a hook returned, merged."""
    merged: dict[str, str] = {}
    for result in results:
        if not isinstance(result, dict) or not all(isinstance(text, str) for pair in result.items() for text in pair):
            raise TypeError(f"{hook}() must return a dict of strings")
        merged |= result
    return merged


def model_files(results: Iterable[object], folder: Path | None) -> dict[str, str]:
    """The files of the models that come with the plugin, which lie in its package."""
    found = texts(results, "vaehub_models")
    if found and folder is None:
        raise ValueError("vaehub_models() gives paths in a package, and the plugin is a single file; leave the hook out")
    return {check("vaehub_models", name, MODEL): str(folder / path) for name, path in found.items() if folder}


def managed(module: ModuleType, name: str) -> pluggy.PluginManager:
    """A hook manager of its own for every plugin, so that a misspelt hook of one is not laid at another's door."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hooks)
    manager.register(module, name)
    manager.check_pending()
    if not manager.get_hookcallers(module):
        raise ValueError("defines no hook; decorate vaehub_components() with @vaehub.hookimpl")
    return manager


def strings(results: Iterable[object], hook: str, pattern: re.Pattern[str], module: ModuleType) -> dict[str, str]:
    """The dictionaries that a hook returned, merged and checked; a target ":Class" is one of the plugin's own module."""
    merged: dict[str, str] = {}
    for result in results:
        if not isinstance(result, dict):
            raise TypeError(f"{hook}() must return a dict of strings, not {type(result).__name__}")
        merged |= {check(hook, key, pattern): absolute(hook, target, module) for key, target in result.items()}
    return merged


def check(hook: str, text: object, pattern: re.Pattern[str]) -> str:
    """`text` where it has the form that the hook asks for."""
    if not isinstance(text, str) or not pattern.fullmatch(text):
        raise ValueError(f"{hook}() gives {text!r}; expected {FORMS[pattern]}")
    return text


def absolute(hook: str, target: object, module: ModuleType) -> str:
    """The target with its module written out."""
    own = isinstance(target, str) and target.startswith(":")
    return check(hook, f"{module.__name__}{target}" if own else target, TARGET)


def discover() -> Iterator[PluginInfo]:
    """The built-in parts, then every installed plugin that VAEHUB_PLUGINS lets in (unset: all; empty: none)."""
    yield examine("builtin", host_version(), "vaehub", lambda: builtin)
    found = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    named = {name: list(points) for name, points in groupby(found, key=lambda point: point.name)}
    wanted = os.environ.get("VAEHUB_PLUGINS")
    names = named if wanted is None else filter(None, map(str.strip, wanted.split(",")))
    for name in names:
        yield installed(name, named.get(name, []))


def installed(name: str, points: list[EntryPoint]) -> PluginInfo:
    """The plugin of this name, unless none or several packages claim it."""
    if not points:
        return PluginInfo(name, "-", "VAEHUB_PLUGINS", status="not installed, though VAEHUB_PLUGINS names it")
    if len(points) > 1:
        owners = " and ".join(origin(point) for point in points)
        return PluginInfo(name, "-", owners, status=f"the packages {owners} both call their plugin '{name}': uninstall one")
    point = points[0]
    return examine(name, point.dist.version if point.dist else "-", point.dist.name if point.dist else point.value, point.load)


def origin(point: EntryPoint) -> str:
    """The distribution of an entry point."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def from_file(path: Path) -> PluginInfo:
    """A plugin that is a single Python file; its version is a digest of the text."""
    digest = sha256(read_bytes(path, LARGEST_FILE)).hexdigest()[:12]
    return examine(path.name, digest, str(path.resolve()), lambda: import_file(path, f"vaehub_file_{digest}"))


def import_file(path: Path, name: str) -> ModuleType:
    """Run the file as a module of this name."""
    loader = SourceFileLoader(name, str(path))
    spec = spec_from_loader(name, loader)
    assert spec is not None
    sys.modules[name] = module = module_from_spec(spec)
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module

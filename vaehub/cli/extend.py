"""`vaehub plugins`, `new` and `check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vaehub.cli.common import AsJson, print_json, print_table
from vaehub.errors import UsageError
from vaehub.hints import did_you_mean
from vaehub.host.discovery import PluginInfo
from vaehub.host.registry import registry


def plugins(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Show all of this plugin.", show_default="list all")
    ] = None,
    json: AsJson = False,
) -> None:
    """List the plugins: version, status (ok, or why it cannot be used), and how much each brings.

    Example: vaehub plugins images
    """
    found = registry().plugins if name is None else [plugin_named(name)]
    if json:
        return print_json([plugin_as_json(plugin) for plugin in found])
    if name is None:
        rows = [(p.name, p.version, str(len(p.components)), str(len(p.commands)), p.status) for p in found]
        return print_table(("name", "version", "parts", "commands", "status"), rows)
    for plugin in found:
        about = [("version", plugin.version), ("from", plugin.source), ("status", plugin.status)]
        parts = [("part", key) for key in plugin.components]
        print_table(("plugin", plugin.name), [*about, *parts, *(("command", f"vaehub {key}") for key in plugin.commands)])


def plugin_named(name: str) -> PluginInfo:
    """The plugin of this name. Raises UsageError where there is none."""
    found = {plugin.name: plugin for plugin in registry().plugins}
    if name not in found:
        raise UsageError(f"no plugin called '{name}': {did_you_mean(name, found)}")
    return found[name]


def plugin_as_json(plugin: PluginInfo) -> dict[str, object]:
    """A plugin as JSON."""
    return {
        "name": plugin.name,
        "version": plugin.version,
        "source": plugin.source,
        "status": plugin.status,
        "components": list(plugin.components),
        "commands": list(plugin.commands),
    }


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the plugin, a Python identifier.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write it in.")] = Path(),
) -> None:
    """Write a working plugin package to start from.

    Example: vaehub new birds -o packages
    """
    from vaehub.host.scaffold import create

    print(create(name, output))


def check(name: Annotated[str, typer.Argument(metavar="NAME", help="Name of an installed plugin.", show_default=False)]) -> None:
    """Test the components of a plugin for what the engine relies on; exit code 1 where one fails.

    Example: vaehub check images
    """
    from vaehub.testing import check as results

    found = results(name)
    print_table(("check", "component", "status", "message"), [(r.check, r.component, r.status, r.message) for r in found])
    failed = sum(r.status == "failed" for r in found)
    print(f"{len(found)} checks, {failed} failed")
    if failed:
        raise typer.Exit(1)

"""`vaehub plugins`, `new` and `check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vaehub.cli.common import AsJson, print_json, print_table
from vaehub.host.discovery import PluginInfo
from vaehub.host.registry import registry


def plugins(json: AsJson = False) -> None:
    """List the plugins: version, status (ok, or why it cannot be used), components and commands."""
    found = registry().plugins
    if json:
        return print_json([described(plugin) for plugin in found])
    rows = [(p.name, p.version, p.status, ", ".join([*p.components, *p.commands])) for p in found]
    print_table(("name", "version", "status", "components"), rows)


def described(plugin: PluginInfo) -> dict[str, object]:
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
    dir: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Folder to write it in.")] = Path(),
) -> None:
    """Write a working plugin package to start from."""
    from vaehub.host.scaffold import create

    print(create(name, dir))


def check(name: Annotated[str, typer.Argument(metavar="NAME", help="Name of an installed plugin.", show_default=False)]) -> None:
    """Test the components of a plugin for what the engine relies on; exit code 1 where one fails."""
    from vaehub.testing import check as results

    found = results(name)
    print_table(("check", "component", "status", "message"), [(r.check, r.component, r.status, r.message) for r in found])
    failed = sum(r.status == "failed" for r in found)
    print(f"{len(found)} checks, {failed} failed")
    if failed:
        raise typer.Exit(1)

"""What a plugin as a whole, and each of its commands, must satisfy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import typer

from vaehub.host.discovery import PluginInfo
from vaehub.host.registry import registry
from vaehub.testing.bench import Bench
from vaehub.testing.core import Skipped, check, require

LISTING = "import sys; from vaehub.host.registry import registry; registry(); print(*({'torch', 'pytorch_lightning'} & set(sys.modules)))"


def info(bench: Bench) -> PluginInfo:
    """What discovery found out about the plugin."""
    return next(plugin for plugin in registry().plugins if plugin.name == bench.plugin)


@check("plugin")
def plugin_loads(bench: Bench) -> None:
    """The entry point loads, and its hooks return names and targets."""
    status = info(bench).status
    require(status == "ok", status)


@check("plugin")
def plugin_states_its_version(bench: Bench) -> None:
    """The distribution has a version, which is saved with every model."""
    version = info(bench).version
    require(version not in ("", "-"), "the plugin has no version")


@check("plugin")
def plugin_offers_something(bench: Bench) -> None:
    """It has at least one component or command."""
    require(bool(info(bench).components or info(bench).commands), "the plugin has neither components nor commands")


@check("plugin")
def listing_it_imports_no_torch(bench: Bench) -> None:
    """Its hooks answer without importing torch or Lightning, so that `vaehub --help` stays quick."""
    if Path(info(bench).source).is_absolute():
        raise Skipped("a file given by --plugin, not installed")
    environment = os.environ | {"VAEHUB_PLUGINS": bench.plugin, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", LISTING]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()  # noqa: S603
    require(
        not found, f"listing the plugin imports {' and '.join(sorted(found))}; import it inside the modules that the hooks name"
    )


@check("command")
def command_is_readable(bench: Bench) -> None:
    """The target imports, and typer can make a command of it."""
    app = typer.Typer()
    app.command()(bench.load())
    typer.main.get_command(app)


@check("command")
def command_has_help(bench: Bench) -> None:
    """The function has a docstring, the text of --help."""
    require(bool((bench.load().__doc__ or "").strip()), "the function has no docstring")

"""The tree of commands: only the one that is called is imported, so that help and listings answer at once."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Annotated, Any

import typer

from vaehub.cli import COMMANDS
from vaehub.errors import UsageError
from vaehub.host.discovery import host_version
from vaehub.host.registry import Component, registry, resolve

ABOUT = "Variational autoencoders from exchangeable parts."
EVERYWHERE = "On every command: --plugin FILE registers the parts of a Python file, --debug shows the traceback of an error."
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
COMPLETING = "_VAEHUB_COMPLETE"  # set by the shells' completion


def command_tree(words: Sequence[str]) -> Any:
    """All commands as one that typer can run."""
    return typer.main.get_command(application(words_to_complete() if COMPLETING in os.environ else words))


def words_to_complete() -> list[str]:
    """The words of a line that a shell asks to complete, but for "vaehub"."""
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")
    try:
        return shlex.split(line)[1:]
    except ValueError:  # a quotation that has not ended yet
        return line.split()[1:]


def application(words: Sequence[str]) -> typer.Typer:
    """All commands, of which only the one that is called is imported."""
    wanted = next((word for word in words if not word.startswith("-")), None)
    app = typer.Typer(rich_markup_mode=None, help=ABOUT, epilog=EVERYWHERE, context_settings=CONTEXT)
    app.callback(invoke_without_command=True)(program)
    for name, (target, text) in COMMANDS.items():
        function = resolve(target) if name == wanted else uncalled_command
        app.command(name, help=None if name == wanted else text, short_help=text, epilog=EVERYWHERE)(function)
    texts = registry().groups
    for group in sorted({key.split()[0] for key in registry().commands}):
        text = texts.get(group, f"Commands of the plugin {plugins_of_group(group)}.")
        app.add_typer(plugin_group(group, text, imported=group == wanted), name=group, short_help=text)
    return app


def plugins_of_group(group: str) -> str:
    """The plugins that have commands in a group."""
    return ", ".join(sorted({component.plugin for key, component in registry().commands.items() if key.split()[0] == group}))


def plugin_group(group: str, text: str, imported: bool) -> typer.Typer:
    """The commands that plugins add under one name."""
    found = {key.split()[1]: component for key, component in registry().commands.items() if key.split()[0] == group}
    app = typer.Typer(rich_markup_mode=None, help=text, epilog=EVERYWHERE)
    app.callback(invoke_without_command=True)(group_help)
    for name, component in found.items():
        function = command_of(component) if imported else uncalled_command
        app.command(name, short_help=(function.__doc__ or "").strip().partition("\n")[0], epilog=EVERYWHERE)(function)
    return app


def command_of(component: Component) -> Callable[..., Any]:
    """The function of a plugin's command, or one that says why there is none."""
    try:
        return without_return_value(registry().resolve(component))
    except UsageError as error:
        return failing_command(error)


def without_return_value(function: Callable[..., Any]) -> Callable[..., None]:
    """The function without what it returns, which would be taken for an exit code."""

    @wraps(function)
    def call(*arguments: Any, **options: Any) -> None:
        function(*arguments, **options)

    return call


def failing_command(error: UsageError) -> Callable[[], None]:
    """A command that cannot be imported: the others of its group still work."""

    def refuse() -> None:
        raise error

    refuse.__doc__ = f"(cannot be used: {error})"
    return refuse


def uncalled_command() -> None:
    """Stands for a command that is listed but not called."""


def group_help(context: typer.Context) -> None:
    """Print the help of a group of which no command is called."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def show_version(value: bool) -> None:
    """Print the version and stop."""
    if value:
        typer.echo(f"vaehub {host_version()}")
        raise typer.Exit


def program(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Options of the program itself."""
    group_help(context)

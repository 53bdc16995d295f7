"""The command line: commands are imported when they run, so that `--help` and `plugins` answer at once."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from vaehub.cli import COMMANDS
from vaehub.errors import RunFailed, UsageError
from vaehub.hints import reason
from vaehub.host.discovery import host_version
from vaehub.host.registry import Component, registry, resolve, use_file

ABOUT = "Variational autoencoders from exchangeable parts."
EVERYWHERE = "On every command: --plugin FILE registers the parts of a Python file, --debug shows the traceback of an error."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. The exit code: 0 fine, 1 a run failed, 2 something that the user can mend."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug, files, words = everywhere(given)
    try:
        return run(files, words or ["--help"])
    except BaseException as error:
        if debug and not isinstance(error, SystemExit):
            traceback.print_exception(error)
        return told(error)


def everywhere(arguments: Sequence[str]) -> tuple[bool, list[str], list[str]]:
    """--debug, the values of --plugin, and all other arguments."""
    debug, files, words, rest = False, [], [], iter(arguments)
    for word in rest:
        if word == "--plugin":
            files.append(next(rest, ""))
        elif word.startswith("--plugin="):
            files.append(word.removeprefix("--plugin="))
        elif word == "--debug":
            debug = True
        else:
            words.append(word)
    return debug, files, words


def run(files: Sequence[str], words: list[str]) -> int:
    """Run the command in `words` with the parts of `files` registered."""
    for file in files:
        if not file:
            raise UsageError("--plugin: give the path of a Python file")
        use_file(Path(file))
    command: Any = typer.main.get_command(application(words))
    return int(command.main(words, prog_name="vaehub", standalone_mode=False) or 0)


def application(words: Sequence[str]) -> typer.Typer:
    """All commands, of which only the one that is called is imported."""
    wanted = next((word for word in words if not word.startswith("-")), None)
    app = typer.Typer(add_completion=False, rich_markup_mode=None, help=ABOUT, epilog=EVERYWHERE)
    app.callback()(host)
    for name, (target, text) in COMMANDS.items():
        app.command(name, help=None if name == wanted else text, epilog=EVERYWHERE)(resolve(target) if name == wanted else unused)
    for group in sorted({key.split()[0] for key in registry().commands}):
        app.add_typer(plugin_group(group, imported=group == wanted), name=group)
    return app


def plugin_group(group: str, imported: bool) -> typer.Typer:
    """The commands that plugins add under one name."""
    found = {key.split()[1]: component for key, component in registry().commands.items() if key.split()[0] == group}
    owners = ", ".join(sorted({component.plugin for component in found.values()}))
    app = typer.Typer(rich_markup_mode=None, help=f"Commands of the plugin {owners}: {', '.join(found)}.")
    app.callback()(unused)
    for name, component in found.items():
        app.command(name, epilog=EVERYWHERE)(command_of(component) if imported else unused)
    return app


def command_of(component: Component) -> Callable[..., Any]:
    """The function of a plugin's command, or one that says why there is none."""
    try:
        return silent(registry().resolve(component))
    except UsageError as error:
        return refusing(error)


def silent(function: Callable[..., Any]) -> Callable[..., None]:
    """The function without what it returns, which would be taken for an exit code."""

    @wraps(function)
    def call(*arguments: Any, **options: Any) -> None:
        function(*arguments, **options)

    return call


def refusing(error: UsageError) -> Callable[[], None]:
    """A command that cannot be imported: the others of its group still work."""

    def refuse() -> None:
        raise error

    refuse.__doc__ = f"(cannot be used: {error})"
    return refuse


def unused() -> None:
    """Stands for a command that is listed but not called."""


def show_version(value: bool) -> None:
    """Print the version and stop."""
    if value:
        typer.echo(f"vaehub {host_version()}")
        raise typer.Exit


def host(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Options of the program itself; Ctrl-C and the display of progress for all commands."""
    from vaehub.jobs.displays import showing
    from vaehub.jobs.interrupts import interruptible

    context.with_resource(interruptible())
    context.with_resource(showing())


def told(error: BaseException) -> int:
    """Say on one line what ended the command; the exit code."""
    code, text = verdict(error)
    if text:
        print(f"error: {text}", file=sys.stderr)
    return code


def verdict(error: BaseException) -> tuple[int, str]:
    """Exit code and message of an error."""
    match error:
        case UsageError():
            return 2, str(error)
        case RunFailed():
            return 1, str(error)
        case SystemExit():
            return (error.code or 0, "") if isinstance(error.code, int | None) else (1, str(error.code))
        case KeyboardInterrupt() | typer.Abort():
            return 130, "interrupted"
        case BrokenPipeError():
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains of it at exit
            return 1, ""
        case OSError():
            return 2, system_error(error)
    if hasattr(error, "format_message"):  # typer's own; their common class has moved between its releases
        return 2, f"{error.format_message()} (see vaehub --help)"
    return 1, f"{reason(error)} (re-run with --debug to see where)"


REMEDIES = {
    errno.ENOSPC: "free some space, or write elsewhere",
    errno.EDQUOT: "free some space, or write elsewhere",
    errno.EACCES: "change the permission, or choose another path",
    errno.EPERM: "change the permission, or choose another path",
    errno.EROFS: "choose another path",
    errno.ENOENT: "check the path",
    errno.EISDIR: "give a file",
    errno.ENOTDIR: "check the path",
}


def system_error(error: OSError) -> str:
    """What the operating system refused, for which file, and what to do."""
    remedy = REMEDIES.get(error.errno or 0)
    file = f"{error.filename}: " if error.filename else ""
    return f"{file}{error.strerror or error}{f'; {remedy}' if remedy else ''}"

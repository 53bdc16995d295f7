"""The command line: commands are imported when they run, so that `--help` and `plugins` answer at once."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from vaehub.cli.tree import COMPLETING, command_tree
from vaehub.errors import RunFailed, UsageError
from vaehub.hints import reason
from vaehub.host.registry import use_file
from vaehub.jobs.displays import showing
from vaehub.signals import Interrupted, interruptible, listening, requested


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. The exit code: 0 fine, 1 a run failed, 2 something that the user can mend, 130 Ctrl-C, 143 SIGTERM."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug, files, words = split_global_options(given)
    with listening():
        try:
            return run(files, words)
        except BaseException as raised:
            error = as_stop(raised)
            if debug and not isinstance(error, SystemExit):
                traceback.print_exception(error)
            return print_verdict(error)


def as_stop(error: BaseException) -> BaseException:
    """The error, or `Interrupted` where a signal came and third-party code made another error of it."""
    number = requested()
    if number is None or isinstance(error, Interrupted | UsageError | RunFailed | OSError):
        return error
    return Interrupted(number)


def split_global_options(arguments: Sequence[str]) -> tuple[bool, list[str], list[str]]:
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
    command = command_tree(words)
    if COMPLETING in os.environ:
        return int(command.main(words, prog_name="vaehub", standalone_mode=False) or 0)
    try:
        # its own main() would give Ctrl-C another name
        with interruptible(), command.make_context("vaehub", words) as context, showing():
            return int(command.invoke(context) or 0)
    except typer.Exit as done:
        return done.exit_code


def print_verdict(error: BaseException) -> int:
    """Say on one line what ended the command; the exit code."""
    code, text = verdict(error)
    if text:
        print(text if isinstance(error, Interrupted) else f"error: {text}", file=sys.stderr)
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
        case Interrupted():
            return error.exit_code, str(error)
        case KeyboardInterrupt() | typer.Abort():
            return 130, "interrupted"
        case BrokenPipeError():
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains of it at exit
            return 1, ""
        case OSError():
            return 2, system_error(error)
    if hasattr(error, "format_message"):  # typer's own; their common class has moved between its releases
        return 2, f"{error.format_message()} (see {command_path(error)} --help)"
    return 1, f"{reason(error)} (re-run with --debug to see where)"


def command_path(error: Any) -> str:
    """The command whose words were wrong, such as "vaehub train"."""
    context = getattr(error, "ctx", None)
    return context.command_path if context else "vaehub"


REMEDIES = {
    errno.ENOSPC: "free some space, or write elsewhere",
    errno.EDQUOT: "free some space, or write elsewhere",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f), or write elsewhere",
    errno.EIO: "free some space, or write elsewhere",
    errno.ENOTEMPTY: "choose another path",
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
